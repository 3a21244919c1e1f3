#include <chrono>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "shared/net/blocking_pool.h"
#include "shared/net/http_client.h"
#include "tests/shared/net/loop.h"

namespace duhui::net {
namespace {

awaitable<HttpResponse> mirror(HttpRequest request) {
  co_return HttpResponse{.status = 201,
                         .content_type = "text/plain",
                         .body = request.method + " " + request.target + " " +
                                 std::string(request.header("x-test")) + " " + request.body,
                         .headers = {{"X-Answer", "yes"}}};
}

std::string socket_path() {
  return ::testing::TempDir() + "duhui_http_" + std::to_string(::getpid()) + ".sock";
}

/// The client blocks, so it has a thread of the pool.
awaitable<void> ask(BlockingPool& pool,
                    HttpClient client,
                    HttpRequest request,
                    std::vector<Result<HttpResponse>>& answers) {
  auto job = [&client, &request] { return std::vector{client.send(request)}; };
  auto answer = co_await run_blocking(pool, job);
  answers.push_back(std::move(answer.front()));
}

TEST(Http, AnswersOverAUnixSocketThatOnlyTheOwnerMayUse) {
  Loop loop;
  BlockingPool pool(1);
  loop.serve(Listener::on_unix(loop.executor(), socket_path(), {}), mirror, {});
  struct stat found {};
  ASSERT_EQ(::stat(socket_path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);

  std::vector<Result<HttpResponse>> answers;
  loop.run(ask(pool, HttpClient::over_unix(socket_path()),
               {.method = "POST", .target = "/a?b=c", .headers = {{"X-Test", "t"}}, .body = "body"},
               answers));
  ASSERT_EQ(answers.size(), 1u);
  ASSERT_TRUE(answers[0]) << answers[0].error().detail;
  EXPECT_EQ(answers[0]->status, 201);
  EXPECT_EQ(answers[0]->body, "POST /a?b=c t body");
  EXPECT_EQ(answers[0]->content_type, "text/plain");
  ::unlink(socket_path().c_str());
}

TEST(Http, TakesOverTheSocketOfADeadProcessOnly) {
  Loop loop;
  auto first = Listener::on_unix(loop.executor(), socket_path(), {});
  ASSERT_TRUE(first);
  EXPECT_FALSE(Listener::on_unix(loop.executor(), socket_path(), {}));
  first.value().reset();  // closes it; the path stays
  EXPECT_TRUE(Listener::on_unix(loop.executor(), socket_path(), {}));
  ::unlink(socket_path().c_str());
}

TEST(Http, AnswersOverLoopback) {
  Loop loop;
  BlockingPool pool(1);
  ListenerOptions options;
  auto& listener =
      loop.serve(Listener::on_tcp(loop.executor(), "127.0.0.1", 0, options), mirror, {});
  std::vector<Result<HttpResponse>> answers;
  loop.run(ask(pool, HttpClient::over_tcp("127.0.0.1", listener.port()),
               {.method = "GET", .target = "/", .body = std::string(1 << 20, 'b')}, answers));
  ASSERT_TRUE(answers.at(0)) << answers[0].error().detail;
  EXPECT_EQ(answers[0]->body.size(), (1u << 20) + 7);
}

TEST(Http, RefusesABodyOverTheLimit) {
  Loop loop;
  BlockingPool pool(1);
  ListenerOptions options;
  options.http.body_bytes_max = 1000;
  auto& listener =
      loop.serve(Listener::on_tcp(loop.executor(), "127.0.0.1", 0, options), mirror, {});
  std::vector<Result<HttpResponse>> answers;
  loop.run(ask(pool, HttpClient::over_tcp("127.0.0.1", listener.port()),
               {.method = "POST", .target = "/", .body = std::string(1001, 'b')}, answers));
  ASSERT_TRUE(answers.at(0)) << answers[0].error().detail;
  EXPECT_EQ(answers[0]->status, 413);
}

TEST(Http, TheClientSaysThatNobodyAnswers) {
  EXPECT_FALSE(
      HttpClient::over_unix(socket_path() + ".none").send({.method = "GET", .target = "/"}));
}

}  // namespace
}  // namespace duhui::net
