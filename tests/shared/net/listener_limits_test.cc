#include <chrono>
#include <string>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "shared/net/deadline.h"
#include "tests/shared/net/loop.h"

namespace duhui::net {
namespace {

using boost::asio::experimental::awaitable_operators::operator||;
using boost::asio::ip::tcp;
using Clock = std::chrono::steady_clock;
constexpr auto kNoThrow = boost::asio::as_tuple(boost::asio::use_awaitable);

// Each test makes one limit short; what is over long before the others was ended by that one.
constexpr Duration kShort = milliseconds(400);
constexpr auto kFarBelowTheOthers = std::chrono::seconds(8);

ListenerOptions patient() {
  ListenerOptions options;
  options.http.goodbye = kShort;
  return options;
}

/// Counts what reaches it, and tells what it read.
struct Handler {
  std::vector<std::string> seen{};

  HttpHandler function() {
    return [this](HttpRequest request) { return answer(std::move(request)); };
  }
  awaitable<HttpResponse> answer(HttpRequest request) {
    seen.push_back(request.method + " " + request.target);
    co_return HttpResponse{.content_type = "text/plain", .body = "<" + request.body + ">"};
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

/// All that comes until the other side closes.
awaitable<std::string> read_all(tcp::socket& socket) {
  std::string all;
  std::string part(4096, '\0');
  for (;;) {
    auto [failed, count] = co_await socket.async_read_some(boost::asio::buffer(part), kNoThrow);
    all.append(part, 0, count);
    if (failed) co_return all;
  }
}

awaitable<void> ask(std::uint16_t port, std::string bytes, std::string* answer) {
  auto socket = co_await connect_raw(port);
  co_await send_all(socket, std::move(bytes));
  *answer = co_await read_all(socket);
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

/// Sends `begin`, then one byte at a time for ever; returns when the listener closes.
awaitable<void> drip(std::uint16_t port, std::string begin, std::string* answer) {
  const auto started = Clock::now();
  auto socket = co_await connect_raw(port);
  co_await send_all(socket, std::move(begin));
  for (;;) {
    auto ended = co_await (read_all(socket) || expire_after(milliseconds(30)));
    if (ended.index() == 0) {
      *answer = std::get<0>(ended);
      break;
    }
    if (!co_await send_all(socket, "x")) break;
  }
  EXPECT_LT(Clock::now() - started, kFarBelowTheOthers);
}

class ListenerLimits : public testing::Test {
 protected:
  std::uint16_t serve(ListenerOptions options) {
    return loop_
        .serve(Listener::on_tcp(loop_.executor(), "127.0.0.1", 0, std::move(options)),
               handler_.function(), {})
        .port();
  }

  /// What comes back for `bytes`, until the listener closes.
  std::string told(ListenerOptions options, std::string bytes) {
    const std::uint16_t port = serve(std::move(options));
    loop_.run(ask(port, std::move(bytes), &answer_));
    return answer_;
  }

  Handler handler_;
  Loop loop_;
  std::string answer_;
};

TEST_F(ListenerLimits, AHeadThatDripsInIsCutOff) {
  ListenerOptions options = patient();
  options.http.head_timeout = kShort;
  loop_.run(drip(serve(options), "GET / HTTP/1.1\r\nX-Slow: ", &answer_));
  EXPECT_EQ(answer_, "");
  EXPECT_TRUE(handler_.seen.empty());
}

TEST_F(ListenerLimits, ABodyThatDripsInIsCutOff) {
  ListenerOptions options = patient();
  options.http.body_timeout = kShort;
  loop_.run(drip(serve(options), "POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n", &answer_));
  EXPECT_EQ(answer_, "");
  EXPECT_TRUE(handler_.seen.empty());
}

TEST_F(ListenerLimits, AConnectionThatIsIdleAfterAnAnswerIsClosed) {
  ListenerOptions options = patient();
  options.http.keep_alive = kShort;
  const auto started = Clock::now();
  EXPECT_EQ(count_of(told(options, "GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 200"), 1u);
  EXPECT_LT(Clock::now() - started, kFarBelowTheOthers);
}

TEST_F(ListenerLimits, ASecondHeadThatDripsInIsCutOff) {
  ListenerOptions options = patient();
  options.http.keep_alive = kShort;
  const std::string begin = "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nX-Slow: ";
  loop_.run(drip(serve(options), begin, &answer_));
  EXPECT_EQ(handler_.seen.size(), 1u);
}

TEST_F(ListenerLimits, AnAnswerThatNobodyTakesIsGivenUp) {
  ListenerOptions options = patient();
  options.http.body_timeout = kShort;
  options.http.keep_alive = kShort;
  const auto big = [](HttpRequest) -> awaitable<HttpResponse> {
    co_return HttpResponse{.content_type = "text/plain", .body = std::string(64 << 20, 'x')};
  };
  auto& listener =
      loop_.serve(Listener::on_tcp(loop_.executor(), "127.0.0.1", 0, options), big, {});
  const auto wait = [](Listener& served) -> awaitable<void> {
    const auto started = Clock::now();
    auto socket = co_await connect_raw(served.port());
    co_await send_all(socket, "GET / HTTP/1.1\r\n\r\n");
    while (served.connections() == 0) co_await expire_after(milliseconds(5));
    while (served.connections() > 0 && Clock::now() - started < kFarBelowTheOthers) {
      co_await expire_after(milliseconds(20));
    }
    EXPECT_EQ(served.connections(), 0u);
  };
  loop_.run(wait(listener));
}

TEST_F(ListenerLimits, RequestsOfOneConnectionAreAnsweredInTurnAndCounted) {
  ListenerOptions options = patient();
  options.http.requests_max = 3;
  std::string bytes;
  for (int n = 0; n < 10; ++n) bytes += "GET /" + std::to_string(n) + " HTTP/1.1\r\n\r\n";
  const std::string answer = told(options, bytes);
  const std::vector<std::string> wanted = {"GET /0", "GET /1", "GET /2"};
  EXPECT_EQ(handler_.seen, wanted);
  EXPECT_EQ(count_of(answer, "HTTP/1.1 200"), 3u);
  EXPECT_EQ(count_of(answer, "Connection: close"), 1u);
}

TEST_F(ListenerLimits, WhatIsInsideABodyIsNoRequest) {
  const std::string inner = "GET /inner HTTP/1.1\r\n\r\n";
  const std::string answer =
      told(patient(), "POST /outer HTTP/1.1\r\nConnection: close\r\nContent-Length: " +
                          std::to_string(inner.size()) + "\r\n\r\n" + inner);
  EXPECT_EQ(count_of(answer, "HTTP/1.1 200"), 1u);
  EXPECT_EQ(handler_.seen, std::vector<std::string>{"POST /outer"});
}

TEST_F(ListenerLimits, TwoLengthsEndTheConnectionBeforeTheSecondRequest) {
  const std::string answer =
      told(patient(),
           "POST /outer HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
           "0\r\n\r\nGET /inner HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << answer;
  EXPECT_EQ(count_of(answer, "HTTP/1.1"), 1u);
  EXPECT_TRUE(handler_.seen.empty());
}

TEST_F(ListenerLimits, ALineWithoutCarriageReturnIsAnsweredAtOnce) {
  const auto started = Clock::now();
  const std::string answer = told(patient(), "GET / HTTP/1.1\nHost: a\n\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << answer;
  EXPECT_LT(Clock::now() - started, kFarBelowTheOthers);
}

TEST_F(ListenerLimits, AHeadWithoutEndIsAnsweredWhenItIsTooLong) {
  const std::string answer = told(patient(), "GET / HTTP/1.1\r\nX: " + std::string(1 << 20, 'x'));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 431")) << answer;
}

TEST_F(ListenerLimits, ABodyOverTheLimitIsRefusedUnread) {
  ListenerOptions options = patient();
  options.http.body_bytes_max = 1000;
  const std::string answer = told(options, "POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413")) << answer;
  EXPECT_TRUE(handler_.seen.empty());
}

TEST_F(ListenerLimits, AChunkedBodyOverTheLimitIsRefusedToo) {
  ListenerOptions options = patient();
  options.http.body_bytes_max = 1000;
  std::string bytes = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int n = 0; n < 11; ++n) bytes += "64\r\n" + std::string(100, 'x') + "\r\n";
  const std::string answer = told(options, bytes + "0\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413")) << answer;
  EXPECT_TRUE(handler_.seen.empty());
}

TEST_F(ListenerLimits, TheGuardRefusesBeforeTheBodyIsRead) {
  ListenerOptions options = patient();
  options.guard = [](const HttpRequest& head) -> std::optional<HttpResponse> {
    EXPECT_EQ(head.header("x-who"), "me");
    EXPECT_NE(head.port, 0);
    EXPECT_FALSE(head.secure);
    return HttpResponse{.status = 403, .content_type = "text/plain", .body = "no\n"};
  };
  options.answer_headers = {{"X-Always", "here"}, {"Content-Type", "not/this"}};
  const std::string answer =
      told(options, "POST / HTTP/1.1\r\nX-Who: me\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 403")) << answer;
  EXPECT_NE(answer.find("X-Always: here\r\n"), std::string::npos);
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(answer.find("not/this"), std::string::npos) << "the answer's own comes first";
  EXPECT_TRUE(handler_.seen.empty());
}

TEST_F(ListenerLimits, EveryAnswerCarriesTheHeadersAlsoThatToGarbage) {
  ListenerOptions options = patient();
  options.answer_headers = {{"X-Always", "here"}};
  const std::string bytes = "GET / HTTP/1.1\r\n\r\nwhat is this\r\n\r\n";
  const std::string answer = told(options, bytes);
  EXPECT_EQ(count_of(answer, "HTTP/1.1 "), 2u);
  EXPECT_EQ(count_of(answer, "X-Always: here\r\n"), 2u);
}

TEST_F(ListenerLimits, APeerThatIsRefusedWhileItSendsStillReadsWhy) {
  ListenerOptions options = patient();
  options.http.goodbye = seconds(5);
  options.http.body_bytes_max = 1000;
  const std::string answer = told(
      options, "POST / HTTP/1.1\r\nContent-Length: 8000000\r\n\r\n" + std::string(8'000'000, 'x'));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413")) << answer.substr(0, 100);
}

TEST_F(ListenerLimits, APeerThatIsRefusedCannotStayBySendingOn) {
  ListenerOptions options = patient();
  loop_.run(drip(serve(options), "GET / HTTP/1.1\nx", &answer_));
}

awaitable<void> crowd_in(std::uint16_t port) {
  const auto started = Clock::now();
  auto one = co_await connect_raw(port);
  auto two = co_await connect_raw(port);
  auto three = co_await connect_raw(port);
  EXPECT_EQ(co_await read_all(three), "");
  EXPECT_LT(Clock::now() - started, kFarBelowTheOthers);
  one.close();
  std::string answer;
  for (int attempt = 0; attempt < 100 && answer.empty(); ++attempt) {
    co_await expire_after(milliseconds(10));
    co_await ask(port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", &answer);
  }
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << "a place became free";
}

TEST_F(ListenerLimits, OneAddressGetsOnlyItsShareOfConnections) {
  ListenerOptions options = patient();
  options.connections_per_address_max = 2;
  loop_.run(crowd_in(serve(options)));
}

}  // namespace
}  // namespace duhui::net
