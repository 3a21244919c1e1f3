#include "shared/net/http_server.h"

#include <algorithm>
#include <optional>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "shared/net/connection_gate.h"
#include "shared/net/deadline.h"
#include "shared/net/endpoint_text.h"
#include "shared/net/tls_stream.h"
#include "shared/net/upgrade_request.h"
#include "shared/net/websocket_stream.h"

namespace duhui::net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::experimental::awaitable_operators::operator||;
using asio::ip::tcp;
using boost::system::error_code;
using UnixProtocol = asio::local::stream_protocol;

namespace {

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr Duration kPauseWhenOutOfHandles = milliseconds(100);

using Parser = http::request_parser<http::string_body>;

/// What a connection's coroutine needs, all outliving it.
struct Service {
  const ListenerOptions& options;
  const HttpHandler& on_request;
  const SessionHandler& on_session;
};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

std::string_view view_of(boost::beast::string_view text) { return {text.data(), text.size()}; }

/// "[::1]:80" -> "[::1]", "localhost:80" -> "localhost".
std::string without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const bool in_brackets = host.rfind(']') != std::string_view::npos && colon < host.rfind(']');
  return lower(colon == std::string_view::npos || in_brackets ? host : host.substr(0, colon));
}

bool host_is_ours(const Parser& parser, const std::vector<std::string>& hosts) {
  if (hosts.empty()) return true;
  const std::string host = without_port(view_of(parser.get()[http::field::host]));
  return std::ranges::find(hosts, host) != hosts.end();
}

bool is_sync_upgrade(const Parser& parser) {
  const auto& head = parser.get();
  return parser.upgrade() && head.method() == http::verb::get &&
         view_of(head.target()) == kSyncPath;
}

bool names_our_protocol(const Parser& parser) {
  const http::token_list names(parser.get()[http::field::sec_websocket_protocol]);
  return std::ranges::any_of(names, [](auto name) { return view_of(name) == kSyncProtocol; });
}

HttpRequest take_request(Parser& parser, const std::string& peer, std::string channel_binding) {
  HttpRequest request;
  auto& message = parser.get();
  request.method = std::string(view_of(message.method_string()));
  request.target = std::string(view_of(message.target()));
  for (const auto& field : message) {
    request.headers.emplace_back(lower(view_of(field.name_string())), view_of(field.value()));
  }
  request.body = std::move(message.body());
  request.peer = peer;
  request.channel_binding = std::move(channel_binding);
  return request;
}

HttpResponse plain(int status, std::string text) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = std::move(text)};
}

HttpResponse answer_to(error_code failed) {
  if (failed == http::error::header_limit) return plain(431, "the head is too long\n");
  if (failed == http::error::body_limit) return plain(413, "the body is too long\n");
  return plain(400, "not understood\n");
}

/// Whether the peer sent something wrong, rather than nothing more.
bool deserves_an_answer(error_code failed) {
  return failed.category() == make_error_code(http::error::bad_method).category() &&
         failed != http::error::end_of_stream && failed != http::error::partial_message;
}

template <typename Stream>
asio::awaitable<error_code> read_head(Stream& stream,
                                      boost::beast::flat_buffer& buffer,
                                      Parser& parser) {
  const auto [failed, count] = co_await http::async_read_header(stream, buffer, parser, kNoThrow);
  co_return failed;
}

template <typename Stream>
asio::awaitable<error_code> read_body(Stream& stream,
                                      boost::beast::flat_buffer& buffer,
                                      Parser& parser) {
  if (view_of(parser.get()[http::field::expect]) == "100-continue") {
    const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto [failed, count] = co_await asio::async_write(stream, asio::buffer(go_on), kNoThrow);
    if (failed) co_return failed;
  }
  const auto [failed, count] = co_await http::async_read(stream, buffer, parser, kNoThrow);
  co_return failed;
}

template <typename Stream>
asio::awaitable<error_code> write_response(Stream& stream,
                                           http::response<http::string_body>& response) {
  const auto [failed, count] = co_await http::async_write(stream, response, kNoThrow);
  co_return failed;
}

/// True: sent, and the connection may go on.
template <typename Stream>
asio::awaitable<bool> respond(Stream& stream,
                              HttpResponse answer,
                              unsigned version,
                              bool keep_alive,
                              bool without_body,
                              Duration timeout) {
  http::response<http::string_body> response;
  response.version(version);
  response.result(static_cast<unsigned>(answer.status));
  if (!answer.content_type.empty()) response.set(http::field::content_type, answer.content_type);
  for (const auto& [name, value] : answer.headers) response.insert(name, value);
  response.keep_alive(keep_alive);
  const std::size_t size = answer.body.size();
  if (!without_body) response.body() = std::move(answer.body);
  if (answer.status == 204 || answer.status == 304) {
    response.body().clear();
  } else {
    response.content_length(size);
  }
  auto ended = co_await (write_response(stream, response) || expire_after(timeout));
  const auto* failed = std::get_if<0>(&ended);
  co_return failed != nullptr && !*failed && keep_alive;
}

/// One request and its answer. False: the connection is over.
template <typename Stream>
asio::awaitable<bool> serve_one(Stream& stream,
                                boost::beast::flat_buffer& buffer,
                                Parser& parser,
                                const Service& service,
                                const std::string& peer,
                                std::string channel_binding) {
  const HttpLimits& limits = service.options.http;
  auto body = co_await (read_body(stream, buffer, parser) || expire_after(limits.body_timeout));
  const auto* failed = std::get_if<0>(&body);
  if (failed == nullptr) co_return false;
  if (*failed) {
    if (!deserves_an_answer(*failed)) co_return false;
    co_await respond(stream, answer_to(*failed), 11, false, false, limits.head_timeout);
    co_return false;
  }
  const bool keep_alive = parser.get().keep_alive();
  const unsigned version = parser.get().version();
  const bool is_head = parser.get().method() == http::verb::head;
  HttpRequest request = take_request(parser, peer, std::move(channel_binding));
  HttpResponse answer = co_await service.on_request(std::move(request));
  co_return co_await respond(stream, std::move(answer), version, keep_alive, is_head,
                             limits.body_timeout);
}

std::string binding_of(const TlsStream& stream) { return stream.channel_binding(); }
template <typename Socket>
std::string binding_of(const Socket&) {
  return {};
}

/// Serves requests until the connection is over, or returns the one that asks for an upgrade.
template <typename Stream>
asio::awaitable<std::optional<UpgradeRequest>> serve_http(Stream& stream,
                                                          const Service& service,
                                                          const std::string& peer) {
  const HttpLimits& limits = service.options.http;
  boost::beast::flat_buffer buffer;
  Duration patience = limits.head_timeout;
  for (;;) {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits.head_bytes_max));
    parser.body_limit(limits.body_bytes_max);
    auto head = co_await (read_head(stream, buffer, parser) || expire_after(patience));
    const auto* failed = std::get_if<0>(&head);
    if (failed == nullptr) co_return std::nullopt;
    std::optional<HttpResponse> refusal;
    if (*failed) {
      if (!deserves_an_answer(*failed)) co_return std::nullopt;
      refusal = answer_to(*failed);
    } else if (!host_is_ours(parser, service.options.hosts)) {
      refusal = plain(421, "this host is not served here\n");
    } else if (is_sync_upgrade(parser) && service.on_session) {
      if (names_our_protocol(parser) && buffer.size() == 0) {
        co_return UpgradeRequest{
            http::request<http::empty_body>(http::request_header<>(parser.release().base()))};
      }
      refusal = plain(400, "the sub-protocol is not " + std::string(kSyncProtocol) + "\n");
    }
    if (refusal) {
      co_await respond(stream, std::move(*refusal), 11, false, false, limits.head_timeout);
      co_return std::nullopt;
    }
    std::string binding = binding_of(stream);
    if (!co_await serve_one(stream, buffer, parser, service, peer, std::move(binding))) {
      co_return std::nullopt;
    }
    patience = limits.keep_alive;
  }
}

// One connection of each kind. The stream dies before the session runs, or moves into it.

asio::awaitable<void> serve_connection(tcp::socket socket, std::string peer, Service service) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  co_await serve_http(socket, service, peer);
}

asio::awaitable<void> serve_connection(UnixProtocol::socket socket,
                                       std::string peer,
                                       Service service) {
  co_await serve_http(socket, service, peer);
}

asio::awaitable<std::unique_ptr<MessageStream>> upgrade_tls(tcp::socket socket,
                                                            const TlsContext& context,
                                                            std::string peer,
                                                            Service service) {
  TlsStream stream(std::move(socket), context);
  auto ended = co_await (stream.accept() || expire_after(service.options.stream.handshake_timeout));
  const auto* status = std::get_if<0>(&ended);
  if (status == nullptr || !*status) co_return nullptr;
  auto request = co_await serve_http(stream, service, peer);
  if (!request) {
    stream.say_goodbye({});
    co_return nullptr;
  }
  auto session = co_await accept_websocket(std::move(stream), std::move(*request),
                                           service.options.stream, std::move(peer));
  if (!session) co_return nullptr;
  co_return std::move(session).value();
}

asio::awaitable<void> serve_tls(tcp::socket socket,
                                const TlsContext& context,
                                std::string peer,
                                Service service) {
  auto session = co_await upgrade_tls(std::move(socket), context, std::move(peer), service);
  if (session) {
    co_await service.on_session(std::move(session));
  }
}

template <typename Protocol>
class ProtocolListener final : public Listener {
 public:
  using Acceptor = typename Protocol::acceptor;
  using Socket = typename Protocol::socket;

  ProtocolListener(Acceptor acceptor, std::unique_ptr<TlsContext> tls, ListenerOptions options)
      : acceptor_(std::move(acceptor)),
        tls_(std::move(tls)),
        options_(std::move(options)),
        gate_(options_.connections_max, options_.connections_per_address_max) {}

  asio::awaitable<void> run(HttpHandler on_request, SessionHandler on_session) override {
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    const Service service{options_, on_request, on_session};
    TaskScope connections(acceptor_.get_executor(), options_.report);
    co_await accept_all(connections, service);
    connections.cancel();
    co_await connections.wait();
    co_await asio::this_coro::throw_if_cancelled(throws);
  }

  std::uint16_t port() const override {
    if constexpr (std::is_same_v<Protocol, tcp>) {
      error_code ignored;
      return acceptor_.local_endpoint(ignored).port();
    } else {
      return 0;
    }
  }

  std::size_t connections() const override { return gate_.total(); }

 private:
  asio::awaitable<void> accept_all(TaskScope& connections, const Service& service) {
    for (;;) {
      auto [failed, socket] = co_await acceptor_.async_accept(kNoThrow);
      const auto state = co_await asio::this_coro::cancellation_state;
      if (failed == asio::error::operation_aborted ||
          state.cancelled() != asio::cancellation_type::none) {
        co_return;
      }
      if (failed) {  // out of handles or memory: others must go first
        co_await expire_after(kPauseWhenOutOfHandles);
        continue;
      }
      std::string address;
      std::string peer;
      if constexpr (std::is_same_v<Protocol, tcp>) {
        peer = to_text(socket);
        address = peer.substr(0, peer.rfind(':'));
      }
      auto pass = gate_.enter(address);
      if (!pass) continue;  // closes it
      connections.spawn(serve(std::move(socket), std::move(peer), service, std::move(pass)));
    }
  }

  asio::awaitable<void> serve(Socket socket,
                              std::string peer,
                              Service service,
                              ConnectionGate::Pass) {
    if constexpr (std::is_same_v<Protocol, tcp>) {
      if (tls_) {
        co_await serve_tls(std::move(socket), *tls_, std::move(peer), service);
        co_return;
      }
    }
    // NOLINTNEXTLINE(bugprone-use-after-move): it does not see that co_return leaves
    co_await serve_connection(std::move(socket), std::move(peer), service);
  }

  Acceptor acceptor_;
  const std::unique_ptr<TlsContext> tls_;
  const ListenerOptions options_;
  ConnectionGate gate_;
};

Error cannot_listen(const std::string& where, error_code why) {
  return {ErrorCode::unavailable, "listen on " + where + ": " + why.message()};
}

Result<tcp::acceptor> open_port(asio::any_io_executor executor,
                                const std::string& address,
                                std::uint16_t port) {
  const std::string where = address + ":" + std::to_string(port);
  error_code failed;
  const auto ip = asio::ip::make_address(address, failed);
  if (failed) return cannot_listen(where, failed);
  const tcp::endpoint endpoint(ip, port);
  tcp::acceptor acceptor(executor);
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(tcp::acceptor::max_listen_connections, failed);
  if (failed) return cannot_listen(where, failed);
  return acceptor;
}

/// Whether a process still answers at `path`.
bool is_served(const asio::any_io_executor& executor, const std::string& path) {
  UnixProtocol::socket probe(executor);
  error_code failed;
  probe.connect(UnixProtocol::endpoint(path), failed);
  return !failed;
}

}  // namespace

std::vector<std::string> loopback_hosts() { return {"localhost", "127.0.0.1", "[::1]"}; }

Result<std::unique_ptr<Listener>> Listener::on_tcp(asio::any_io_executor executor,
                                                   const std::string& address,
                                                   std::uint16_t port,
                                                   ListenerOptions options) {
  DUHUI_TRY(acceptor, open_port(std::move(executor), address, port));
  return std::unique_ptr<Listener>(
      std::make_unique<ProtocolListener<tcp>>(std::move(acceptor), nullptr, std::move(options)));
}

Result<std::unique_ptr<Listener>> Listener::on_tls(asio::any_io_executor executor,
                                                   const std::string& address,
                                                   std::uint16_t port,
                                                   const TlsIdentity& identity,
                                                   ListenerOptions options) {
  DUHUI_TRY(context, TlsContext::for_server(identity));
  DUHUI_TRY(acceptor, open_port(std::move(executor), address, port));
  return std::unique_ptr<Listener>(std::make_unique<ProtocolListener<tcp>>(
      std::move(acceptor), std::move(context), std::move(options)));
}

Result<std::unique_ptr<Listener>> Listener::on_unix(asio::any_io_executor executor,
                                                    const std::string& path,
                                                    ListenerOptions options) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Error{ErrorCode::invalid_input, "listen on " + path + ": the path is too long"};
  }
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode) || is_served(executor, path)) {
      return Error{ErrorCode::conflict, "listen on " + path + ": it is in use"};
    }
    ::unlink(path.c_str());
  }
  error_code failed;
  UnixProtocol::acceptor acceptor(executor);
  acceptor.open(UnixProtocol(), failed);
  const mode_t before = ::umask(0177);  // nobody else, not even for an instant
  if (!failed) acceptor.bind(UnixProtocol::endpoint(path), failed);
  ::umask(before);
  if (!failed) acceptor.listen(UnixProtocol::acceptor::max_listen_connections, failed);
  if (failed) return cannot_listen(path, failed);
  return std::unique_ptr<Listener>(std::make_unique<ProtocolListener<UnixProtocol>>(
      std::move(acceptor), nullptr, std::move(options)));
}

}  // namespace duhui::net
