#include "shared/net/hub_dial.h"

#include <array>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "shared/crypto/text.h"
#include "shared/net/deadline.h"
#include "shared/net/endpoint_text.h"

namespace duhui::net {

namespace asio = boost::asio;
using asio::experimental::awaitable_operators::operator||;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadStep = 16 * 1024;
constexpr std::size_t kPageBytesMax = 256 * 1024;  // of a page nobody here reads

/// RFC 4648 section 4, with padding.
std::string to_base64(std::string_view bytes) {
  std::string text = to_base64url(bytes);
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

Error unavailable(std::string what) { return {ErrorCode::unavailable, std::move(what)}; }

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

asio::awaitable<Result<tcp::socket>> connect_any(std::string host,
                                                 std::uint16_t port,
                                                 Duration timeout) {
  const std::string what = "connect to " + host + ":" + std::to_string(port) + ": ";
  auto found = co_await (resolve(host, port) || expire_after(timeout));
  const auto* resolved = std::get_if<0>(&found);
  if (resolved == nullptr) co_return unavailable(what + "name lookup timed out");
  if (resolved->failed) co_return unavailable(what + resolved->failed.message());
  std::string why = "no address";
  for (const auto& entry : resolved->addresses) {
    tcp::socket socket(co_await asio::this_coro::executor);
    auto ended = co_await (connect_one(socket, entry.endpoint()) || expire_after(timeout));
    const auto* failed = std::get_if<0>(&ended);
    if (failed != nullptr && !*failed) co_return socket;
    why = failed == nullptr ? "timed out" : failed->message();
  }
  co_return unavailable(what + why);
}

template <typename Stream>
asio::awaitable<Result<Exchanged>> exchange_on(Stream& stream,
                                               std::string request,
                                               HttpAnswerReader reader) {
  const auto [failed, sent] = co_await asio::async_write(stream, asio::buffer(request), kNoThrow);
  // Whoever refuses early closes while we are still sending; the answer tells why.
  const bool cut = static_cast<bool>(failed);
  std::string part(kReadStep, '\0');
  while (!reader.done()) {
    const auto [lost, count] = co_await stream.async_read_some(asio::buffer(part), kNoThrow);
    if (lost || count == 0) {
      if (cut) co_return unavailable("send request: " + failed.message());
      if (lost != asio::error::eof && lost) co_return unavailable("read answer: " + lost.message());
      if (auto ended = reader.end(); !ended) co_return unavailable(ended.error().detail);
      break;
    }
    auto fed = reader.feed(std::string_view(part).substr(0, count));
    if (!fed) co_return std::move(fed).error();
  }
  co_return Exchanged{reader.take(), reader.keeps_alive() && !cut};
}

std::string authority_of(const std::string& host, std::uint16_t port) {
  const bool ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string connect_request(const HubAddress& hub) {
  const std::string target = authority_of(hub.host, hub.port);
  std::string text = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!hub.proxy.user.empty()) {
    text += "Proxy-Authorization: Basic " + to_base64(hub.proxy.user + ":" + hub.proxy.password) +
            "\r\n";
  }
  return text + "\r\n";
}

/// Asks the proxy for the way through. Afterwards the socket leads to the hub.
asio::awaitable<Status> ask_proxy(tcp::socket& socket,
                                  const HubAddress& hub,
                                  Duration limit,
                                  ConnectReport* report) {
  auto asked =
      co_await (exchange_on(socket, connect_request(hub), HttpAnswerReader(kPageBytesMax, true)) ||
                expire_after(limit));
  auto* told = std::get_if<0>(&asked);
  report->obstacle = Obstacle::proxy_refused;
  if (told == nullptr) co_return unavailable("ask proxy: timed out");
  if (!*told) co_return unavailable("ask proxy: " + told->error().detail);
  const HttpResponse& answer = (*told)->answer;
  if (answer.status >= 200 && answer.status < 300) {
    report->obstacle = Obstacle::none;
    co_return Done{};
  }
  report->retry_after = retry_after_of(answer);
  if (answer.status == 407 || answer.status == 401) {  // the second to a wrong one, by some
    report->obstacle = Obstacle::proxy_password;
  } else if (answer.status == 511 || (answer.status >= 300 && answer.status < 400)) {
    report->obstacle = Obstacle::sign_in_page;
  }
  co_return unavailable("ask proxy " + hub.proxy.text() + ": answered " +
                        std::to_string(answer.status));
}

asio::awaitable<Result<tcp::socket>> reach(HubAddress hub,
                                           Duration timeout,
                                           ConnectReport* report) {
  if (hub.proxy.host.empty()) {
    auto socket = co_await connect_any(hub.host, hub.port, timeout);
    if (!socket) report->obstacle = Obstacle::unreachable;
    co_return socket;
  }
  auto socket = co_await connect_any(hub.proxy.host, hub.proxy.port, timeout);
  if (!socket) {
    report->obstacle = Obstacle::proxy_unreachable;
    co_return unavailable("proxy: " + socket.error().detail);
  }
  auto through = co_await ask_proxy(*socket, hub, timeout, report);
  if (!through) co_return std::move(through).error();
  co_return socket;
}

}  // namespace

asio::awaitable<Result<HubChannel>> dial_hub(HubAddress hub,
                                             StreamLimits limits,
                                             ConnectReport* report,
                                             bool any_key) {
  auto socket = co_await reach(hub, limits.connect_timeout, report);
  if (!socket) co_return std::move(socket).error();
  std::string peer = to_text(*socket);
  TlsStream stream(std::move(socket).value(), TlsContext::for_clients());
  PinCheck check{.wanted = hub.pin, .seen = {}, .any = any_key};
  auto ended = co_await (stream.connect(check) || expire_after(limits.handshake_timeout));
  auto* status = std::get_if<0>(&ended);
  report->obstacle = Obstacle::unreachable;
  if (status == nullptr) co_return unavailable("TLS handshake: timed out");
  if (!*status) {
    if (status->error().code == ErrorCode::refused) {
      report->obstacle = check.as_hubs_make_them ? Obstacle::other_key : Obstacle::intercepted;
    }
    co_return std::move(*status).error();
  }
  report->obstacle = Obstacle::none;
  co_return HubChannel{std::move(stream), std::move(peer), check.seen};
}

asio::awaitable<Result<Exchanged>> exchange(TlsStream& stream,
                                            std::string request,
                                            std::size_t body_bytes_max,
                                            Duration limit) {
  auto asked =
      co_await (exchange_on(stream, std::move(request), HttpAnswerReader(body_bytes_max)) ||
                expire_after(limit));
  auto* told = std::get_if<0>(&asked);
  if (told == nullptr) co_return unavailable("read answer: timed out");
  co_return std::move(*told);
}

bool is_page_for_people(const HttpResponse& answer) {
  if (answer.status == 511) return true;
  if (answer.status >= 300 && answer.status < 400) return true;
  const std::string_view text = std::string_view(answer.content_type);
  return text.starts_with("text/html") || text.starts_with("application/xhtml");
}

namespace {

asio::awaitable<bool> ask_plainly(std::string host, std::uint16_t port, Duration limit) {
  auto socket = co_await connect_any(host, port, limit);
  if (!socket) co_return false;
  std::string request =
      "GET / HTTP/1.1\r\nHost: " + authority_of(host, port) + "\r\nConnection: close\r\n\r\n";
  auto told = co_await exchange_on(*socket, std::move(request), HttpAnswerReader(kPageBytesMax));
  co_return told&& is_page_for_people(told->answer) && told->answer.status != 400;
}

}  // namespace

asio::awaitable<bool> shows_sign_in_page(std::string host, std::uint16_t port, Duration limit) {
  auto asked = co_await (ask_plainly(std::move(host), port, limit) || expire_after(limit));
  const auto* shows = std::get_if<0>(&asked);
  co_return shows != nullptr&&* shows;
}

}  // namespace duhui::net
