#include <optional>
#include <string>
#include <vector>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tests/shared/net/loop.h"

namespace duhui::net {
namespace {

StreamLimits limits_of_test() { return {.message_bytes_max = 100'000}; }

ListenerOptions options_of_test() {
  ListenerOptions options;
  options.stream = limits_of_test();
  return options;
}

Listener& serve_sessions(Loop& loop,
                         SessionHandler on_session,
                         const TlsIdentity& identity = test_identity()) {
  return loop.serve(Listener::on_tls(loop.executor(), "127.0.0.1", 0, identity, options_of_test()),
                    not_found, std::move(on_session));
}

awaitable<void> talk(HubAddress hub, int messages) {
  auto stream = co_await connect_to_hub(hub, limits_of_test());
  EXPECT_TRUE(stream) << stream.error().detail;
  if (!stream) co_return;
  for (int i = 0; i < messages; ++i) {
    const std::string message(static_cast<std::size_t>(i) * 67 % 3000, static_cast<char>(i));
    auto written = co_await (*stream)->write(message);
    EXPECT_TRUE(written);
    auto answer = co_await (*stream)->read();
    EXPECT_TRUE(answer && *answer == message) << i;
  }
  EXPECT_EQ((*stream)->server_pin(), test_identity().pin);
  EXPECT_GT((*stream)->bytes_written(), static_cast<std::uint64_t>(messages));
  EXPECT_GT((*stream)->bytes_read(), static_cast<std::uint64_t>(messages));
  co_await (*stream)->close("done");
}

TEST(WebSocket, EchoesAThousandMessages) {
  Loop loop;
  auto& hub = serve_sessions(loop, echo);
  loop.run(talk(address_of(hub), 1000));
  EXPECT_EQ(hub.connections(), 0u);
}

awaitable<void> talk_big(HubAddress hub) {
  auto stream = co_await connect_to_hub(hub, limits_of_test());
  EXPECT_TRUE(stream);
  for (const std::size_t size : {0u, 1u, 125u, 126u, 255u, 256u, 257u, 65535u, 65536u, 100'000u}) {
    std::string message(size, '\0');
    for (std::size_t i = 0; i < size; ++i) message[i] = static_cast<char>(i * 31 % 251);
    auto written = co_await (*stream)->write(message);
    EXPECT_TRUE(written);
    auto answer = co_await (*stream)->read();
    EXPECT_TRUE(answer && *answer == message) << size;
  }
}

TEST(WebSocket, CarriesEverySizeUpToTheLimit) {
  Loop loop;
  auto& hub = serve_sessions(loop, echo);
  loop.run(talk_big(address_of(hub)));
}

awaitable<void> connect_many(HubAddress hub, std::size_t count) {
  TaskScope scope(co_await boost::asio::this_coro::executor);
  for (std::size_t i = 0; i < count; ++i) scope.spawn(talk(hub, 3));
  co_await scope.wait();
}

TEST(WebSocket, ServesTwoHundredConnectionsAtOnce) {
  Loop loop;
  auto& hub = serve_sessions(loop, echo);
  loop.run(connect_many(address_of(hub), 200));
}

awaitable<void> expect_refused(HubAddress hub, ErrorCode code) {
  auto stream = co_await connect_to_hub(hub, limits_of_test());
  EXPECT_FALSE(stream);
  if (stream) co_return;
  EXPECT_EQ(stream.error().code, code) << stream.error().detail;
}

TEST(WebSocket, AnotherKeyThanThePinnedOneIsRefused) {
  Loop loop;
  auto& hub = serve_sessions(loop, echo);
  auto address = address_of(hub);
  address.pin = sha256("another key").str();
  loop.run(expect_refused(address, ErrorCode::refused));
}

TEST(WebSocket, NobodyThereIsUnavailable) {
  Loop loop;
  std::uint16_t port = 0;
  {
    auto gone = Listener::on_tcp(loop.executor(), "127.0.0.1", 0, {});
    port = (*gone)->port();
  }
  loop.run(expect_refused({"127.0.0.1", port, test_identity().pin.str()}, ErrorCode::unavailable));
}

awaitable<void> expect_welcome(HubAddress hub) {
  auto stream = co_await connect_to_hub(hub, limits_of_test());
  EXPECT_TRUE(stream) << stream.error().detail;
}

TEST(WebSocket, AnExpiredCertificateWithThePinnedKeyIsTrusted) {
  Loop loop;
  const TlsIdentity old =
      make_tls_identity("old hub", {"19990101000000Z", "19990201000000Z"}).value();
  auto& hub = serve_sessions(loop, echo, old);
  HubAddress address = address_of(hub);
  address.pin = old.pin.str();
  loop.run(expect_welcome(address));
}

awaitable<void> say_binding(std::unique_ptr<MessageStream> stream) {
  auto written = co_await stream->write(stream->channel_binding());
  EXPECT_TRUE(written);
  auto more = co_await stream->read();
  EXPECT_FALSE(more);
}

awaitable<void> compare_bindings(HubAddress hub) {
  auto one = co_await connect_to_hub(hub, limits_of_test());
  auto two = co_await connect_to_hub(hub, limits_of_test());
  auto seen = co_await (*one)->read();
  EXPECT_EQ(seen.value(), (*one)->channel_binding());
  EXPECT_EQ(seen->size(), 32u);
  EXPECT_NE(seen.value(), (*two)->channel_binding());
}

TEST(WebSocket, BothEndsOfAConnectionKnowTheSameBinding) {
  Loop loop;
  auto& hub = serve_sessions(loop, say_binding);
  loop.run(compare_bindings(address_of(hub)));
}

awaitable<void> send_too_much(HubAddress hub, std::string& why) {
  auto stream = co_await connect_to_hub(hub, limits_of_test());
  // May fail or not: the hub refuses as soon as it has seen the length.
  auto written = co_await (*stream)->write(std::string(100'001, 'x'));
  (void)written;
  auto answer = co_await (*stream)->read();
  EXPECT_FALSE(answer);
  if (!answer) why = answer.error().detail;
}

struct Received {
  std::optional<ErrorCode> failed;
  std::uint64_t bytes = 0;
};

awaitable<void> receive(std::unique_ptr<MessageStream> stream, Received& received) {
  auto message = co_await stream->read();
  if (!message) received.failed = message.error().code;
  received.bytes = stream->bytes_read();
}

TEST(WebSocket, AMessageOverTheLimitEndsTheConnectionCleanly) {
  Loop loop;
  Received received;
  auto on_session = [&received](std::unique_ptr<MessageStream> stream) {
    return receive(std::move(stream), received);
  };
  auto& hub = serve_sessions(loop, on_session);
  std::string why;
  loop.run(send_too_much(address_of(hub), why));
  EXPECT_EQ(received.failed, ErrorCode::limit_exceeded);
  EXPECT_FALSE(why.empty());
  EXPECT_LT(received.bytes, 60'000u) << "it read what it had to refuse";
}

awaitable<void> close_with_reason(std::unique_ptr<MessageStream> stream) {
  co_await stream->close("revoked");
}

awaitable<void> read_reason(HubAddress hub, std::string& why) {
  auto stream = co_await connect_to_hub(hub, limits_of_test());
  auto message = co_await (*stream)->read();
  EXPECT_FALSE(message);
  if (!message) why = message.error().detail;
}

TEST(WebSocket, ThePeerLearnsTheReasonOfAClose) {
  Loop loop;
  auto& hub = serve_sessions(loop, close_with_reason);
  std::string why;
  loop.run(read_reason(address_of(hub), why));
  EXPECT_EQ(why, "read: closed by the peer: revoked");
}

struct Clients {
  std::size_t connected = 0;
  std::size_t refused = 0;
  std::size_t ended = 0;
};

/// A client that has connected and then only waits for what the hub says.
awaitable<void> listen_quietly(HubAddress hub, Clients& count) {
  auto stream = co_await connect_to_hub(hub, limits_of_test());
  ++(stream ? count.connected : count.refused);
  if (!stream) co_return;
  auto message = co_await (*stream)->read();
  EXPECT_FALSE(message);
  ++count.ended;
}

/// Cancels the hub while its clients are idle. All of them have their session by then: a client
/// counts itself once the hub has answered its upgrade.
awaitable<void> stop_hub(Listener& hub, Clients& count) {
  const auto executor = co_await boost::asio::this_coro::executor;
  TaskScope server(executor);
  TaskScope clients(executor);
  server.spawn(hub.run(not_found, echo));
  for (int i = 0; i < 20; ++i) clients.spawn(listen_quietly(address_of(hub), count));
  boost::asio::steady_timer timer(executor);
  while (count.connected + count.refused < 20) {
    timer.expires_after(std::chrono::milliseconds(10));
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
  const auto begin = std::chrono::steady_clock::now();
  server.cancel();
  co_await server.wait();
  co_await clients.wait();  // each of them notices
  // Far from the deadlines that would end idle connections one day.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(WebSocket, CancellingTheListenerEndsItsConnectionsPromptly) {
  Loop loop;
  auto hub = Listener::on_tls(loop.executor(), "127.0.0.1", 0, test_identity(), options_of_test());
  Clients count;
  loop.run(stop_hub(**hub, count));
  EXPECT_EQ((*hub)->connections(), 0u);
  EXPECT_EQ(count.refused, 0u);
  EXPECT_EQ(count.ended, 20u);
}

awaitable<void> silent(std::unique_ptr<MessageStream> stream, std::string& why) {
  auto message = co_await stream->read();
  if (!message) why = message.error().detail;
}

awaitable<void> connect_and_say_nothing(HubAddress hub, int wait_ms) {
  auto stream = co_await connect_to_hub(hub, limits_of_test());
  EXPECT_TRUE(stream);
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                  std::chrono::milliseconds(wait_ms));
  // Not reading means not answering pings: as a machine that lost its power.
  co_await timer.async_wait(boost::asio::use_awaitable);
}

TEST(WebSocket, APeerThatNoLongerAnswersPingsIsGivenUp) {
  Loop loop;
  ListenerOptions options = options_of_test();
  options.stream.idle_timeout = milliseconds(400);
  std::string why;
  auto wait = [&why](std::unique_ptr<MessageStream> stream) {
    return silent(std::move(stream), why);
  };
  auto& hub = loop.serve(
      Listener::on_tls(loop.executor(), "127.0.0.1", 0, test_identity(), options), not_found, wait);
  loop.run(connect_and_say_nothing(address_of(hub), 1500));
  EXPECT_NE(why.find("read: "), std::string::npos);
  EXPECT_EQ(why.find("cancel"), std::string::npos) << why;
}

}  // namespace
}  // namespace duhui::net
