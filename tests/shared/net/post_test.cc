// Sync by POST over real sockets: what proxies, strangers and lost requests do to it.

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "shared/crypto/text.h"
#include "shared/net/post_client.h"
#include "shared/net/post_desk.h"
#include "tests/shared/net/loop.h"

namespace duhui::net {
namespace {

constexpr std::size_t kMessageMax = 50'000;

/// A hub whose requests and answers can be lost on their way.
class PostTest : public testing::Test {
 public:
  void open(PostDeskOptions desk = {}) {
    desk.message_bytes_max = kMessageMax;
    posts_ = std::make_unique<PostDesk>(loop_.executor(), desk);
    ListenerOptions options;
    options.http.body_bytes_max = 4096;
    options.allow = [this](const HttpRequest& head) { return posts_->allowance(head); };
    HttpHandler handler = [this](HttpRequest request) { return answer(std::move(request)); };
    hub_ = &loop_.serve(
        Listener::on_tls(loop_.executor(), "127.0.0.1", 0, test_identity(), options), handler, {});
  }

  /// Loses every n-th request before, and every m-th answer after, it was taken.
  awaitable<HttpResponse> answer(HttpRequest request) {
    const bool of_session = !request.header("authorization").empty();
    const int number = of_session ? ++requests_ : 0;
    if (of_session && lose_requests_ > 0 && number % lose_requests_ == 0) {
      co_return HttpResponse{.status = 502, .content_type = "text/html", .body = "<html>"};
    }
    HttpResponse given = co_await posts_->answer(std::move(request));
    if (of_session && lose_answers_ > 0 && number % lose_answers_ == 0) {
      co_return HttpResponse{.status = 504, .content_type = "text/html", .body = "<html>"};
    }
    co_return given;
  }

  void run(awaitable<void> test, SessionHandler on_session = echo) {
    session_ = std::move(on_session);
    loop_.run(beside_the_desk(std::move(test)));
  }

  awaitable<void> beside_the_desk(awaitable<void> test) {
    TaskScope scope(loop_.executor());
    scope.spawn(posts_->run(session_));
    boost::asio::steady_timer timer(loop_.executor());
    timer.expires_after(std::chrono::milliseconds(0));
    co_await timer.async_wait(boost::asio::use_awaitable);
    co_await std::move(test);
    scope.cancel();
    co_await scope.wait();
  }

  awaitable<Result<std::unique_ptr<PostStream>>> connect(PostClientOptions options = {}) {
    options.stream.message_bytes_max = kMessageMax;
    co_return co_await open_post_stream(address_of(*hub_), options, &report_);
  }

  /// One request as somebody else could send it.
  awaitable<int> ask(std::string head_lines, std::string body) {
    ConnectReport report;
    auto channel = co_await dial_hub(address_of(*hub_), {}, &report);
    EXPECT_TRUE(channel);
    std::string text = "POST /sync/v1 HTTP/1.1\r\nHost: hub\r\n" + head_lines +
                       "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    auto told = co_await exchange(channel->stream, std::move(text), 4096, seconds(10));
    EXPECT_TRUE(told);
    co_return told ? told->answer.status : 0;
  }

  Loop loop_;
  std::unique_ptr<PostDesk> posts_;
  Listener* hub_ = nullptr;
  SessionHandler session_;
  ConnectReport report_;
  int requests_ = 0;
  int lose_requests_ = 0;
  int lose_answers_ = 0;
};

TEST_F(PostTest, WhateverIsLostOnTheWayEveryMessageComesOnceAndInOrder) {
  open();
  lose_requests_ = 5;
  lose_answers_ = 7;
  const auto test = [](PostTest& self) -> awaitable<void> {
    auto stream = co_await self.connect();
    EXPECT_TRUE(stream);
    if (!stream) co_return;
    for (int i = 0; i < 30; ++i) {
      auto written = co_await (*stream)->write(std::to_string(i));
      EXPECT_TRUE(written) << written.error().detail;
      auto echoed = co_await (*stream)->read();
      EXPECT_TRUE(echoed && *echoed == std::to_string(i)) << i;
    }
  };
  run(test(*this));
  EXPECT_GT(requests_, 70) << "nothing was lost";
}

TEST_F(PostTest, AMessageOfTheHubDoesNotWaitForThePollToEnd) {
  open();
  const auto test = [](PostTest& self) -> awaitable<void> {
    auto stream = co_await self.connect();
    EXPECT_TRUE(stream);
    if (!stream) co_return;
    const auto began = std::chrono::steady_clock::now();
    auto late = co_await (*stream)->read();
    EXPECT_TRUE(late && *late == "late");
    // A poll waits 25 s; this came as soon as it was said.
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  };
  const auto late = [](std::unique_ptr<MessageStream> stream) -> awaitable<void> {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                    std::chrono::milliseconds(300));
    co_await timer.async_wait(boost::asio::use_awaitable);
    auto written = co_await stream->write("late");
    EXPECT_TRUE(written);
    auto end = co_await stream->read();
    EXPECT_FALSE(end);
  };
  run(test(*this), late);
}

TEST_F(PostTest, ASessionWithoutRequestsIsOver) {
  open({.wait_max = milliseconds(100), .idle = milliseconds(300)});
  std::string why;
  const auto session = [&why](std::unique_ptr<MessageStream> stream) -> awaitable<void> {
    auto end = co_await stream->read();
    if (!end) why = end.error().detail;
  };
  const auto test = [](PostTest& self, std::string& reason) -> awaitable<void> {
    auto stream = co_await self.connect();
    EXPECT_TRUE(stream);
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    while (reason.empty()) {
      timer.expires_after(std::chrono::milliseconds(10));
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    EXPECT_EQ(self.posts_->sessions(), 0u);
    // The device hears that its session is no more.
    auto read = co_await (*stream)->read();
    EXPECT_FALSE(read);
    if (!read) {
      EXPECT_EQ(read.error().detail, "read: answered 404");
    }
  };
  run(test(*this, why), session);
  EXPECT_EQ(why, "read: no request for too long");
}

TEST_F(PostTest, PollsThatAreCutBeforeTheirTimeWaitLess) {
  open({.wait_max = milliseconds(1200)});
  lose_answers_ = 1;  // as a proxy that gives up before the hub answers
  const auto test = [](PostTest& self) -> awaitable<void> {
    PostClientOptions options;
    options.wait = seconds(4);
    options.wait_min = milliseconds(500);
    options.give_up = seconds(4);
    auto stream = co_await self.connect(options);
    EXPECT_TRUE(stream);
    if (!stream) co_return;
    EXPECT_EQ((*stream)->poll_wait(), milliseconds(1200)) << "the hub's own limit";
    auto read = co_await (*stream)->read();
    EXPECT_FALSE(read);
    EXPECT_LT((*stream)->poll_wait(), milliseconds(1100));
    EXPECT_GE((*stream)->poll_wait(), milliseconds(500));
  };
  run(test(*this));
}

TEST_F(PostTest, StrangersGetNothing) {
  open();
  const auto test = [](PostTest& self) -> awaitable<void> {
    const std::string guess = "Authorization: Duhui-Session ";
    EXPECT_EQ(co_await self.ask(guess + to_base64url(std::string(32, 'x')) + "\r\n", "x"), 404);
    EXPECT_EQ(co_await self.ask(guess + "short\r\n", "x"), 404);
    EXPECT_EQ(co_await self.ask("Authorization: Basic eDp5\r\n", "x"), 404);
    EXPECT_EQ(co_await self.ask("", std::string(5000, 'x')), 413) << "no megabytes from strangers";
    EXPECT_EQ(self.posts_->sessions(), 0u);
  };
  run(test(*this));
}

TEST_F(PostTest, AMalformedBodyEndsItsOwnSessionAndNoOther) {
  open();
  const auto test = [](PostTest& self) -> awaitable<void> {
    auto honest = co_await self.connect();
    EXPECT_TRUE(honest);
    ConnectReport report;
    auto channel = co_await dial_hub(address_of(*self.hub_), {}, &report);
    std::string opening = "POST /sync/v1 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
    auto opened = co_await exchange(channel->stream, std::move(opening), 4096, seconds(10));
    auto terms = decode_terms(opened->answer.body);
    EXPECT_TRUE(terms);
    EXPECT_EQ(self.posts_->sessions(), 2u);
    const std::string mine =
        "Authorization: Duhui-Session " + to_base64url(terms->session) + "\r\n";
    EXPECT_EQ(co_await self.ask(mine, std::string(kMessageMax + 5000, 'x')), 413);
    EXPECT_EQ(co_await self.ask(mine, "rubbish"), 400);
    const PostParcel empty{.number = 1};
    const std::string proper = encode_parcel(empty);
    EXPECT_EQ(co_await self.ask(mine, proper), 404) << "it has ended";
    auto written = co_await (*honest)->write("hello");
    EXPECT_TRUE(written);
    auto echoed = co_await (*honest)->read();
    EXPECT_TRUE(echoed && *echoed == "hello");
    EXPECT_EQ(self.posts_->sessions(), 1u);
  };
  run(test(*this));
}

TEST_F(PostTest, AcknowledgingWhatWasNeverSentEndsTheSession) {
  open();
  const auto test = [](PostTest& self) -> awaitable<void> {
    ConnectReport report;
    auto channel = co_await dial_hub(address_of(*self.hub_), {}, &report);
    std::string opening = "POST /sync/v1 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
    auto opened = co_await exchange(channel->stream, std::move(opening), 4096, seconds(10));
    auto terms = decode_terms(opened->answer.body);
    EXPECT_TRUE(terms);
    const std::string mine =
        "Authorization: Duhui-Session " + to_base64url(terms->session) + "\r\n";
    const PostParcel lie{.number = 1, .acknowledged = 1};
    const std::string body = encode_parcel(lie);
    EXPECT_EQ(co_await self.ask(mine, body), 400);
  };
  run(test(*this));
}

TEST_F(PostTest, AFullHubSaysWhenToComeBack) {
  open({.sessions_max = 1, .retry_after = seconds(77)});
  const auto test = [](PostTest& self) -> awaitable<void> {
    auto first = co_await self.connect();
    EXPECT_TRUE(first);
    auto second = co_await self.connect();
    EXPECT_FALSE(second);
    EXPECT_EQ(self.report_.retry_after, seconds(77));
    EXPECT_EQ(self.report_.obstacle, Obstacle::post_refused);
  };
  run(test(*this));
}

TEST_F(PostTest, AWriterIsHeldWhileTheDeviceFetchesNothing) {
  open({.unsent_bytes_max = 1000});
  int written = 0;
  const auto session = [&written](std::unique_ptr<MessageStream> stream) -> awaitable<void> {
    for (int i = 0; i < 10; ++i) {
      auto done = co_await stream->write(std::string(600, 'x'));
      EXPECT_TRUE(done);
      ++written;
    }
    auto hello = co_await stream->read();
    EXPECT_TRUE(hello && *hello == "hello");
    auto end = co_await stream->read();
    EXPECT_FALSE(end);
  };
  const auto test = [](PostTest& self, int& count) -> awaitable<void> {
    auto stream = co_await self.connect();
    EXPECT_TRUE(stream);
    if (!stream) co_return;
    auto sent = co_await (*stream)->write("hello");
    EXPECT_TRUE(sent);
    EXPECT_EQ(count, 2);
    for (int i = 0; i < 10; ++i) {
      auto message = co_await (*stream)->read();
      EXPECT_TRUE(message && message->size() == 600);
    }
    EXPECT_EQ(count, 10);
    co_await (*stream)->close("done");
  };
  run(test(*this, written), session);
}

}  // namespace
}  // namespace duhui::net
