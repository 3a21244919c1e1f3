#include "shared/net/websocket_client.h"

#include <optional>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "shared/net/deadline.h"
#include "shared/net/endpoint_text.h"
#include "shared/net/http_client.h"
#include "shared/net/tls_stream.h"
#include "shared/net/websocket_stream.h"

namespace duhui::net {

namespace asio = boost::asio;
using asio::experimental::awaitable_operators::operator||;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

struct Resolved {
  error_code failed;
  tcp::resolver::results_type addresses;
};

asio::awaitable<Resolved> resolve(std::string host, std::uint16_t port) {
  tcp::resolver resolver(co_await asio::this_coro::executor);
  Resolved resolved;
  std::tie(resolved.failed, resolved.addresses) = co_await resolver.async_resolve(
      host, std::to_string(port), tcp::resolver::numeric_service, kNoThrow);
  co_return resolved;
}

asio::awaitable<error_code> connect_one(tcp::socket& socket, tcp::endpoint address) {
  const auto [failed] = co_await socket.async_connect(address, kNoThrow);
  co_return failed;
}

asio::awaitable<Result<tcp::socket>> connect_any(const HubAddress& hub, Duration timeout) {
  const std::string what = "connect to " + hub.host + ":" + std::to_string(hub.port) + ": ";
  auto found = co_await (resolve(hub.host, hub.port) || expire_after(timeout));
  const auto* resolved = std::get_if<0>(&found);
  if (resolved == nullptr) co_return Error{ErrorCode::unavailable, what + "name lookup timed out"};
  if (resolved->failed) {
    co_return Error{ErrorCode::unavailable, what + resolved->failed.message()};
  }
  std::string why = "no address";
  for (const auto& entry : resolved->addresses) {
    tcp::socket socket(co_await asio::this_coro::executor);
    auto ended = co_await (connect_one(socket, entry.endpoint()) || expire_after(timeout));
    const auto* failed = std::get_if<0>(&ended);
    if (failed != nullptr && !*failed) co_return socket;
    why = failed == nullptr ? "timed out" : failed->message();
  }
  co_return Error{ErrorCode::unavailable, what + why};
}

/// Asks for `target` and reads to the end. Plain bytes: the connection serves this one question.
asio::awaitable<Result<std::string>> ask(TlsStream& stream,
                                         std::string request,
                                         std::size_t bytes_max) {
  for (std::size_t sent = 0; sent < request.size();) {
    const auto [failed, count] = co_await stream.async_write_some(
        asio::buffer(request.data() + sent, request.size() - sent), kNoThrow);
    if (failed) co_return Error{ErrorCode::unavailable, "ask for keys: " + failed.message()};
    sent += count;
  }
  std::string answer;
  std::string part(4096, '\0');
  for (;;) {
    const auto [failed, count] = co_await stream.async_read_some(asio::buffer(part), kNoThrow);
    if (failed || count == 0) co_return answer;
    if (answer.size() + count > bytes_max) {
      co_return Error{ErrorCode::limit_exceeded, "ask for keys: the answer is too long"};
    }
    answer.append(part, 0, count);
  }
}

}  // namespace

asio::awaitable<Result<FetchedKeys>> fetch_keys(HubAddress hub,
                                                StreamLimits limits,
                                                std::size_t bytes_max) {
  constexpr std::size_t kHeadMax = 16 << 10;
  auto socket = co_await connect_any(hub, limits.connect_timeout);
  if (!socket) co_return std::move(socket).error();
  TlsStream stream(std::move(socket).value(), TlsContext::for_clients());
  PinCheck check{.wanted = {}, .seen = {}, .any = true};
  auto ended = co_await (stream.connect(check) || expire_after(limits.handshake_timeout));
  auto* status = std::get_if<0>(&ended);
  if (status == nullptr) co_return Error{ErrorCode::unavailable, "TLS handshake: timed out"};
  if (!*status) co_return std::move(*status).error();
  std::string request = "GET " + std::string(kSyncKeysPath) + " HTTP/1.1\r\nHost: " + hub.host +
                        "\r\nConnection: close\r\n\r\n";
  auto answered = co_await (ask(stream, std::move(request), bytes_max + kHeadMax) ||
                            expire_after(limits.handshake_timeout));
  auto* text = std::get_if<0>(&answered);
  if (text == nullptr) co_return Error{ErrorCode::unavailable, "ask for keys: timed out"};
  if (!*text) co_return std::move(*text).error();
  auto answer = parse_http_answer(**text);
  if (!answer) co_return std::move(answer).error();
  if (answer->status != 200) {
    co_return Error{ErrorCode::unavailable,
                    "ask for keys: answered " + std::to_string(answer->status)};
  }
  if (answer->body.size() > bytes_max) {
    co_return Error{ErrorCode::limit_exceeded, "ask for keys: the answer is too long"};
  }
  co_return FetchedKeys{std::move(answer->body), check.seen};
}

asio::awaitable<Result<std::unique_ptr<MessageStream>>> connect_to_hub(HubAddress hub,
                                                                       StreamLimits limits) {
  auto socket = co_await connect_any(hub, limits.connect_timeout);
  if (!socket) co_return std::move(socket).error();
  const std::string peer = to_text(*socket);

  TlsStream stream(std::move(socket).value(), TlsContext::for_clients());
  PinCheck check{.wanted = hub.pin, .seen = {}};
  auto ended = co_await (stream.connect(check) || expire_after(limits.handshake_timeout));
  auto* status = std::get_if<0>(&ended);
  if (status == nullptr) co_return Error{ErrorCode::unavailable, "TLS handshake: timed out"};
  if (!*status) co_return std::move(*status).error();

  const std::string host = hub.host + ":" + std::to_string(hub.port);
  co_return co_await request_websocket(std::move(stream), host, limits, peer, check.seen);
}

}  // namespace duhui::net
