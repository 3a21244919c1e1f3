#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "shared/net/deadline.h"
#include "tests/shared/net/loop.h"

namespace duhui::net {
namespace {

using boost::asio::ip::tcp;
constexpr auto kNoThrow = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::size_t kPiece = 1000;
constexpr std::uint64_t kMebibyte = 1 << 20;

ListenerOptions streaming() {
  ListenerOptions options;
  options.streams = [](const HttpRequest& head) { return head.target.starts_with("/stream"); };
  options.http.body_bytes_max = 100;
  options.http.goodbye = milliseconds(200);
  return options;
}

/// Takes what comes in pieces, and tells how it ended.
struct Taker {
  std::uint64_t pause_at = ~0ull;  // takes no more from there on, until `go_on`
  bool go_on = false;
  std::uint64_t taken = 0;
  std::size_t longest = 0;
  std::size_t leave = 0;  // pieces that are left unread
  std::vector<std::string> ended{};

  HttpHandler function() {
    return [this](HttpRequest request) { return answer(std::move(request)); };
  }
  awaitable<HttpResponse> answer(HttpRequest request) {
    if (request.incoming == nullptr) {
      co_return HttpResponse{.content_type = "text/plain", .body = "whole " + request.body};
    }
    while (request.incoming->left() > leave * kPiece) {
      while (taken >= pause_at && !go_on) co_await expire_after(milliseconds(5));
      auto piece = co_await request.incoming->read(kPiece);
      if (!piece) {
        ended.push_back("cut");
        co_return HttpResponse{.status = 503, .content_type = "text/plain"};
      }
      taken += piece->size();
      longest = std::max(longest, piece->size());
    }
    ended.push_back("whole");
    co_return HttpResponse{.content_type = "text/plain", .body = "took " + std::to_string(taken)};
  }
};

awaitable<tcp::socket> connect_raw(std::uint16_t port) {
  tcp::socket socket(co_await boost::asio::this_coro::executor);
  const tcp::endpoint endpoint(boost::asio::ip::address_v4::loopback(), port);
  auto [failed] = co_await socket.async_connect(endpoint, kNoThrow);
  EXPECT_FALSE(failed);
  co_return socket;
}

awaitable<bool> send_all(tcp::socket& socket, std::string bytes) {
  auto [failed, count] =
      co_await boost::asio::async_write(socket, boost::asio::buffer(bytes), kNoThrow);
  co_return !failed;
}

/// All that comes until `end`, or until the other side closes.
awaitable<std::string> read_until(tcp::socket& socket, std::string end) {
  std::string all;
  std::string part(65'536, '\0');
  while (end.empty() || all.find(end) == std::string::npos) {
    auto [failed, count] = co_await socket.async_read_some(boost::asio::buffer(part), kNoThrow);
    all.append(part, 0, count);
    if (failed) break;
  }
  co_return all;
}

std::string head_of(std::uint64_t length, const std::string& more = {}) {
  return "PATCH /stream HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(length) + "\r\n" +
         more + "\r\n";
}

TEST(HttpStream, HandsOnALongBodyInPiecesAndKeepsTheConnection) {
  Loop loop;
  Taker taker;
  auto& listener = loop.serve(Listener::on_tcp(loop.executor(), "127.0.0.1", 0, streaming()),
                              taker.function(), {});
  std::string first;
  std::string second;
  const auto talk = [&]() -> awaitable<void> {
    auto socket = co_await connect_raw(listener.port());
    co_await send_all(socket, head_of(5 * kMebibyte) + std::string(5 * kMebibyte, 'x'));
    first = co_await read_until(socket, "took 5242880");
    co_await send_all(socket, "GET /other HTTP/1.1\r\nHost: x\r\n\r\n");
    second = co_await read_until(socket, "whole");
  };
  loop.run(talk());
  EXPECT_TRUE(first.starts_with("HTTP/1.1 200")) << first;
  EXPECT_TRUE(second.starts_with("HTTP/1.1 200")) << second;
  EXPECT_EQ(taker.longest, kPiece);
}

TEST(HttpStream, GoesOnOnlyWhenItIsAskedTo) {
  Loop loop;
  Taker taker;
  auto& listener = loop.serve(Listener::on_tcp(loop.executor(), "127.0.0.1", 0, streaming()),
                              taker.function(), {});
  std::string go_on;
  const auto talk = [&]() -> awaitable<void> {
    auto socket = co_await connect_raw(listener.port());
    co_await send_all(socket, head_of(4, "Expect: 100-continue\r\n"));
    go_on = co_await read_until(socket, "\r\n\r\n");
    co_await send_all(socket, "body");
    co_await read_until(socket, "took 4");
  };
  loop.run(talk());
  EXPECT_EQ(go_on, "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(taker.taken, 4u);
}

awaitable<void> send_much(std::uint16_t port, std::uint64_t size, std::uint64_t* sent) {
  auto socket = co_await connect_raw(port);
  co_await send_all(socket, head_of(size));
  const std::string part(65'536, 'x');
  while (*sent < size && co_await send_all(socket, part)) *sent += part.size();
  co_await read_until(socket, "took");
}

TEST(HttpStream, SlowsDownASenderInsteadOfHoldingWhatItSends) {
  Loop loop;
  Taker taker{.pause_at = kPiece};
  auto& listener = loop.serve(Listener::on_tcp(loop.executor(), "127.0.0.1", 0, streaming()),
                              taker.function(), {});
  constexpr std::uint64_t kSize = 256 * kMebibyte;
  std::uint64_t sent = 0;
  std::uint64_t held = 0;
  const auto watch = [&]() -> awaitable<void> {
    std::uint64_t before = ~0ull;  // until nothing moves any more
    for (int still = 0; still < 20; still = sent == before ? still + 1 : 0) {
      before = sent;
      co_await expire_after(milliseconds(10));
    }
    held = sent;
    taker.go_on = true;
  };
  const auto both = [&]() -> awaitable<void> {
    TaskScope scope(loop.executor());
    scope.spawn(watch());
    co_await send_much(listener.port(), kSize, &sent);
    co_await scope.wait();
  };
  loop.run(both());
  EXPECT_LT(held, 64 * kMebibyte);  // what the kernel holds for both ends
  EXPECT_EQ(taker.taken, kSize);
}

TEST(HttpStream, TellsTheHandlerThatABodyWasCutAndHandsOnWhatCame) {
  Loop loop;
  Taker taker;
  auto& listener = loop.serve(Listener::on_tcp(loop.executor(), "127.0.0.1", 0, streaming()),
                              taker.function(), {});
  const auto talk = [&]() -> awaitable<void> {
    auto socket = co_await connect_raw(listener.port());
    co_await send_all(socket, head_of(5000) + std::string(2500, 'x'));
    socket.shutdown(tcp::socket::shutdown_send);
    co_await read_until(socket, {});
  };
  loop.run(talk());
  EXPECT_EQ(taker.ended, std::vector<std::string>{"cut"});
  EXPECT_EQ(taker.taken, 2500u);
}

TEST(HttpStream, EndsASenderThatGoesToSleep) {
  Loop loop;
  Taker taker;
  auto options = streaming();
  options.http.piece_timeout = milliseconds(200);
  auto& listener =
      loop.serve(Listener::on_tcp(loop.executor(), "127.0.0.1", 0, options), taker.function(), {});
  const auto talk = [&]() -> awaitable<void> {
    auto socket = co_await connect_raw(listener.port());
    co_await send_all(socket, head_of(5000) + "x");
    co_await read_until(socket, {});
  };
  loop.run(talk());
  EXPECT_EQ(taker.ended, std::vector<std::string>{"cut"});
}

TEST(HttpStream, AnswersBeforeABodyThatNobodyWants) {
  Loop loop;
  Taker taker{.leave = 1'000'000};
  auto& listener = loop.serve(Listener::on_tcp(loop.executor(), "127.0.0.1", 0, streaming()),
                              taker.function(), {});
  std::string answer;
  const auto talk = [&]() -> awaitable<void> {
    auto socket = co_await connect_raw(listener.port());
    co_await send_all(socket, head_of(100 * kMebibyte) + std::string(1000, 'x'));
    answer = co_await read_until(socket, {});
  };
  loop.run(talk());
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
}

TEST(HttpStream, KeepsTheLimitsOfBothKindsOfBodies) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"PATCH /other HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n", "HTTP/1.1 413"},
      {head_of((2ull << 30) + 1), "HTTP/1.1 413"},
      {"PATCH /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
       "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
       "HTTP/1.1 411"},
      {"POST /other HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" +
           std::string(255, 'x') + "\r\n0\r\n\r\n",
       "HTTP/1.1 413"}};
  for (const auto& [request, status] : cases) {
    Loop loop;
    Taker taker;
    auto& listener = loop.serve(Listener::on_tcp(loop.executor(), "127.0.0.1", 0, streaming()),
                                taker.function(), {});
    std::string answer;
    const auto talk = [&]() -> awaitable<void> {
      auto socket = co_await connect_raw(listener.port());
      co_await send_all(socket, request);
      answer = co_await read_until(socket, {});
    };
    loop.run(talk());
    EXPECT_TRUE(answer.starts_with(status)) << answer;
    EXPECT_TRUE(taker.ended.empty());
  }
}

// --- answers ---

/// A body of `size` bytes, made as it is asked for; fails from `breaks_at` on.
std::shared_ptr<HttpOutgoing> made(std::uint64_t size,
                                   std::uint64_t* asked,
                                   std::uint64_t breaks_at = ~0ull) {
  auto body = std::make_shared<HttpOutgoing>();
  body->size = size;
  body->read = [asked, breaks_at](std::uint64_t offset,
                                  std::size_t count) -> awaitable<Result<std::string>> {
    *asked = offset + count;
    if (offset >= breaks_at) co_return Error{ErrorCode::storage_failed, "the disk"};
    co_return std::string(count, 'y');
  };
  return body;
}

HttpHandler giving(std::shared_ptr<HttpOutgoing> body) {
  return [body](HttpRequest) -> awaitable<HttpResponse> {
    HttpResponse answer{.content_type = "image/jpeg"};
    answer.outgoing = body;
    co_return answer;
  };
}

TEST(HttpStream, SendsALongAnswerInPiecesAndOnlyItsHeadToHead) {
  Loop loop;
  std::uint64_t asked = 0;
  constexpr std::uint64_t kSize = 3 * kMebibyte + 17;
  auto& listener = loop.serve(Listener::on_tcp(loop.executor(), "127.0.0.1", 0, streaming()),
                              giving(made(kSize, &asked)), {});
  std::string head;
  std::string whole;
  const auto talk = [&]() -> awaitable<void> {
    auto socket = co_await connect_raw(listener.port());
    co_await send_all(socket, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    head = co_await read_until(socket, "\r\n\r\n");
    EXPECT_EQ(asked, 0u);
    co_await send_all(socket, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    whole = co_await read_until(socket, {});
  };
  loop.run(talk());
  EXPECT_NE(head.find("Content-Length: " + std::to_string(kSize)), std::string::npos) << head;
  const std::size_t body = whole.find("\r\n\r\n") + 4;
  EXPECT_EQ(whole.size() - body, kSize);
  EXPECT_EQ(asked, kSize);
}

TEST(HttpStream, MakesNoMoreThanTheReceiverTakes) {
  Loop loop;
  std::uint64_t asked = 0;
  auto options = streaming();
  options.http.piece_timeout = milliseconds(300);
  auto& listener = loop.serve(Listener::on_tcp(loop.executor(), "127.0.0.1", 0, options),
                              giving(made(1024 * kMebibyte, &asked)), {});
  const auto talk = [&]() -> awaitable<void> {
    auto socket = co_await connect_raw(listener.port());
    co_await send_all(socket, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    while (listener.connections() > 0) co_await expire_after(milliseconds(10));
  };
  loop.run(talk());
  EXPECT_LT(asked, 64 * kMebibyte);
}

TEST(HttpStream, EndsTheConnectionWhereAnAnswerBreaks) {
  Loop loop;
  std::uint64_t asked = 0;
  auto& listener = loop.serve(Listener::on_tcp(loop.executor(), "127.0.0.1", 0, streaming()),
                              giving(made(kMebibyte, &asked, 200'000)), {});
  std::string whole;
  const auto talk = [&]() -> awaitable<void> {
    auto socket = co_await connect_raw(listener.port());
    co_await send_all(socket, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    whole = co_await read_until(socket, {});
  };
  loop.run(talk());
  EXPECT_GT(whole.size(), 100'000u);
  EXPECT_LT(whole.size(), kMebibyte);
}

}  // namespace
}  // namespace duhui::net
