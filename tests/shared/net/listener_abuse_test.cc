#include <chrono>
#include <string>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "shared/base/random.h"
#include "shared/net/deadline.h"
#include "shared/net/tls_stream.h"
#include "tests/shared/net/loop.h"

namespace duhui::net {
namespace {

using boost::asio::ip::tcp;
constexpr auto kNoThrow = boost::asio::as_tuple(boost::asio::use_awaitable);

/// Long deadlines, as in the program: a slow machine must not meet them by accident.
ListenerOptions patient() {
  ListenerOptions options;
  options.http.head_bytes_max = 4096;
  options.stream.message_bytes_max = 100'000;
  return options;
}

// For tests that wait for a deadline: only that one is short. What takes this long did not wait
// for another one, which are all longer.
constexpr Duration kShort = milliseconds(500);
constexpr auto kFarBelowTheOthers = std::chrono::seconds(10);

ListenerOptions impatient_for_tls() {
  ListenerOptions options = patient();
  options.stream.handshake_timeout = kShort;
  return options;
}

ListenerOptions impatient_for_heads() {
  ListenerOptions options = patient();
  options.http.head_timeout = kShort;
  return options;
}

awaitable<tcp::socket> connect_raw(std::uint16_t port) {
  tcp::socket socket(co_await boost::asio::this_coro::executor);
  const tcp::endpoint endpoint(boost::asio::ip::address_v4::loopback(), port);
  auto [failed] = co_await socket.async_connect(endpoint, kNoThrow);
  EXPECT_FALSE(failed);
  co_return socket;
}

/// All that comes until the other side closes.
template <typename Stream>
awaitable<std::string> read_all(Stream& stream) {
  std::string all;
  std::string part(4096, '\0');
  for (;;) {
    auto [failed, count] = co_await stream.async_read_some(boost::asio::buffer(part), kNoThrow);
    all.append(part, 0, count);
    if (failed) co_return all;
  }
}

template <typename Stream>
awaitable<void> send_all(Stream& stream, std::string bytes) {
  co_await boost::asio::async_write(stream, boost::asio::buffer(bytes), kNoThrow);
}

/// An honest client tries again as the program does: on a busy machine it can run into the short
/// deadline too.
awaitable<void> still_serves(HubAddress hub) {
  auto stream = co_await connect_to_hub(hub, {});
  for (int attempt = 1; !stream && attempt < 20; ++attempt) {
    stream = co_await connect_to_hub(hub, {});
  }
  EXPECT_TRUE(stream) << "with the abuse: " << stream.error().detail;
  if (!stream) co_return;
  auto written = co_await (*stream)->write("hello");
  auto answer = co_await (*stream)->read();
  EXPECT_TRUE(written && answer && *answer == "hello");
}

awaitable<void> send_garbage(HubAddress hub, std::string bytes) {
  auto socket = co_await connect_raw(hub.port);
  co_await send_all(socket, std::move(bytes));
  co_await read_all(socket);  // returns because the hub gives up
}

awaitable<void> send_garbage_of_many_sizes(HubAddress hub) {
  SeededRandom random(4);
  TaskScope others(co_await boost::asio::this_coro::executor);
  for (std::size_t size : {1u, 5u, 100u, 3000u, 60'000u}) {
    std::string bytes(size, '\0');
    random.fill(bytes.data(), bytes.size());
    others.spawn(send_garbage(hub, std::move(bytes)));
  }
  co_await still_serves(hub);
  co_await others.wait();
  co_await still_serves(hub);
}

TEST(ListenerAbuse, GarbageInsteadOfTlsHurtsNobodyElse) {
  Loop loop;
  auto& hub = loop.serve(
      Listener::on_tls(loop.executor(), "127.0.0.1", 0, test_identity(), impatient_for_tls()),
      not_found, echo);
  loop.run(send_garbage_of_many_sizes(address_of(hub)));
}

awaitable<void> connect_and_wait(HubAddress hub) {
  const auto begin = std::chrono::steady_clock::now();
  auto socket = co_await connect_raw(hub.port);
  co_await read_all(socket);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kFarBelowTheOthers);
  co_await still_serves(hub);
}

TEST(ListenerAbuse, AConnectionThatSaysNothingIsClosed) {
  Loop loop;
  auto& hub = loop.serve(
      Listener::on_tls(loop.executor(), "127.0.0.1", 0, test_identity(), impatient_for_tls()),
      not_found, echo);
  loop.run(connect_and_wait(address_of(hub)));
}

awaitable<std::string> ask_over_tls(HubAddress hub, std::string bytes) {
  TlsStream stream(co_await connect_raw(hub.port), TlsContext::for_clients());
  PinCheck check{.wanted = hub.pin, .seen = {}};
  auto connected = co_await stream.connect(check);
  EXPECT_TRUE(connected);
  co_await send_all(stream, std::move(bytes));
  co_return co_await read_all(stream);
}

awaitable<void> drip(HubAddress hub) {
  using boost::asio::experimental::awaitable_operators::operator||;
  const auto begin = std::chrono::steady_clock::now();
  TlsStream stream(co_await connect_raw(hub.port), TlsContext::for_clients());
  PinCheck check{.wanted = hub.pin, .seen = {}};
  auto connected = co_await stream.connect(check);
  EXPECT_TRUE(connected);
  const std::string head = "GET / HTTP/1.1\r\nHost: hub\r\nX-Slow: " + std::string(200, 'x');
  bool closed = false;
  for (const char c : head) {
    auto ended = co_await (read_all(stream) || expire_after(milliseconds(50)));
    closed = ended.index() == 0;
    if (closed) break;
    co_await send_all(stream, std::string(1, c));
  }
  EXPECT_TRUE(closed);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kFarBelowTheOthers);
  co_await still_serves(hub);
}

TEST(ListenerAbuse, AHeadThatDripsInIsCutOff) {
  Loop loop;
  auto& hub = loop.serve(
      Listener::on_tls(loop.executor(), "127.0.0.1", 0, test_identity(), impatient_for_heads()),
      not_found, echo);
  loop.run(drip(address_of(hub)));
}

awaitable<void> send_bad_heads(HubAddress hub) {
  const std::string upgrade =
      "GET /sync/v1 HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  auto answer = co_await ask_over_tls(hub, "what is this\r\n\r\n");
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 400");
  answer = co_await ask_over_tls(
      hub, "GET / HTTP/1.1\r\nX-Long: " + std::string(5000, 'x') + "\r\n\r\n");
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 431");
  answer = co_await ask_over_tls(hub, upgrade + "\r\n");
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 400") << "no sub-protocol";
  answer = co_await ask_over_tls(hub, upgrade + "Sec-WebSocket-Protocol: duhui.sync.v9\r\n\r\n");
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 400") << "another sub-protocol";
  answer = co_await ask_over_tls(hub, "GET /x HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 404");
  EXPECT_NE(answer.find("no such page"), std::string::npos);
  co_await still_serves(hub);
}

TEST(ListenerAbuse, BadHeadsAreAnsweredAndClosed) {
  Loop loop;
  auto& hub =
      loop.serve(Listener::on_tls(loop.executor(), "127.0.0.1", 0, test_identity(), patient()),
                 not_found, echo);
  loop.run(send_bad_heads(address_of(hub)));
}

awaitable<void> send_bad_frames(HubAddress hub) {
  const std::string upgrade =
      "GET /sync/v1 HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Protocol: duhui.sync.v1\r\n\r\n";
  const std::vector<std::string> bad = {
      std::string("\x82\x01x", 3),                           // not masked
      std::string("\xff\xff", 2) + std::string(12, '\xff'),  // reserved bits
      std::string("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 10) + std::string(4, '\0'),  // 8 EiB
      std::string("\x81\x81\0\0\0\0x", 7),                                                 // text
      std::string("\x89\xfe\x01\x00", 4) + std::string(260, '\0'),  // a ping too long
      std::string("\x80\x80\0\0\0\0", 6),                           // continues nothing
  };
  for (const std::string& frame : bad) {
    TlsStream stream(co_await connect_raw(hub.port), TlsContext::for_clients());
    PinCheck check{.wanted = hub.pin, .seen = {}};
    auto connected = co_await stream.connect(check);
    EXPECT_TRUE(connected);
    co_await send_all(stream, upgrade);
    std::string head(12, '\0');
    co_await boost::asio::async_read(stream, boost::asio::buffer(head), kNoThrow);
    EXPECT_EQ(head, "HTTP/1.1 101");
    co_await send_all(stream, frame);
    co_await read_all(stream);  // returns because the hub gives up
  }
  co_await still_serves(hub);
}

TEST(ListenerAbuse, BadFramesEndTheirConnectionOnly) {
  Loop loop;
  auto& hub =
      loop.serve(Listener::on_tls(loop.executor(), "127.0.0.1", 0, test_identity(), patient()),
                 not_found, echo);
  loop.run(send_bad_frames(address_of(hub)));
}

awaitable<void> crowd_in(HubAddress hub) {
  auto one = co_await connect_raw(hub.port);
  auto two = co_await connect_raw(hub.port);
  auto three = co_await connect_raw(hub.port);
  const auto begin = std::chrono::steady_clock::now();
  const std::string answer = co_await read_all(three);
  EXPECT_EQ(answer, "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kFarBelowTheOthers);
}

TEST(ListenerAbuse, OneAddressGetsOnlyItsShareOfConnections) {
  Loop loop;
  ListenerOptions options = patient();
  options.connections_per_address_max = 2;
  auto& hub = loop.serve(
      Listener::on_tls(loop.executor(), "127.0.0.1", 0, test_identity(), options), not_found, echo);
  loop.run(crowd_in(address_of(hub)));
}

}  // namespace
}  // namespace duhui::net
