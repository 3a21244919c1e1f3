#include "shared/net/http_server.h"

#include <algorithm>
#include <array>
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

#include "shared/net/acceptors.h"
#include "shared/net/connection_gate.h"
#include "shared/net/deadline.h"
#include "shared/net/endpoint_text.h"
#include "shared/net/http_body_stream.h"
#include "shared/net/http_head_reader.h"
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
  std::uint16_t port = 0;
  bool secure = false;
  bool from_owner = false;
};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

std::string_view view_of(boost::beast::string_view text) { return {text.data(), text.size()}; }

bool is_sync_upgrade(const Parser& parser) {
  const auto& head = parser.get();
  return parser.upgrade() && head.method() == http::verb::get &&
         view_of(head.target()) == kSyncPath;
}

bool names_our_protocol(const Parser& parser) {
  const http::token_list names(parser.get()[http::field::sec_websocket_protocol]);
  return std::ranges::any_of(names, [](auto name) { return view_of(name) == kSyncProtocol; });
}

HttpRequest read_request(const Parser& parser, const Service& service, const std::string& peer) {
  HttpRequest request;
  const auto& message = parser.get();
  request.method = std::string(view_of(message.method_string()));
  request.target = std::string(view_of(message.target()));
  for (const auto& field : message) {
    request.headers.emplace_back(lower(view_of(field.name_string())), view_of(field.value()));
  }
  request.peer = peer;
  request.port = service.port;
  request.secure = service.secure;
  request.from_owner = service.from_owner;
  return request;
}

HttpResponse plain(int status, std::string text) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = std::move(text)};
}

HttpResponse answer_to(error_code failed) {
  if (failed == http::error::body_limit) return plain(413, "the body is too long\n");
  return plain(400, "not understood\n");
}

/// Whether the peer sent something wrong, rather than nothing more.
bool deserves_an_answer(error_code failed) {
  return failed.category() == make_error_code(http::error::bad_method).category() &&
         failed != http::error::end_of_stream && failed != http::error::partial_message;
}

/// Takes the head out of `buffer`; it is there completely.
error_code parse_head(boost::beast::flat_buffer& buffer, Parser& parser) {
  error_code failed;
  while (!parser.is_header_done() && !failed) {
    buffer.consume(parser.put(buffer.data(), failed));
  }
  return failed;
}

/// A longer body is refused as announced, or as soon as it is.
std::optional<HttpResponse> limit_body(Parser& parser,
                                       const HttpRequest& head,
                                       const ListenerOptions& options,
                                       std::size_t bytes_max) {
  const bool streamed = options.streams && options.streams(head);
  const auto told = parser.content_length();
  if (streamed && !told && parser.chunked()) return plain(411, "the length is wanted\n");
  const std::uint64_t most = streamed ? options.http.streamed_bytes_max : bytes_max;
  if (told && *told > most) return answer_to(http::error::body_limit);
  parser.body_limit(bytes_max);
  return std::nullopt;
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

/// How an answer goes out.
struct Manner {
  unsigned version = 11;
  bool keep_alive = false;
  bool without_body = false;  // to HEAD
  Duration timeout{};         // zero: the same as for all
};

/// True: sent, and the connection may go on.
template <typename Stream>
asio::awaitable<bool> respond(Stream& stream,
                              HttpResponse answer,
                              const Service& service,
                              Manner manner) {
  http::response<http::string_body> response;
  response.version(manner.version);
  response.result(static_cast<unsigned>(answer.status));
  if (!answer.content_type.empty()) response.set(http::field::content_type, answer.content_type);
  for (const auto& [name, value] : answer.headers) response.insert(name, value);
  for (const auto& [name, value] : service.options.answer_headers) {
    if (response.find(name) == response.end()) response.insert(name, value);
  }
  response.keep_alive(manner.keep_alive);
  const std::uint64_t size = answer.outgoing ? answer.outgoing->size : answer.body.size();
  if (!manner.without_body) response.body() = std::move(answer.body);
  const bool bodiless = answer.status == 204 || answer.status == 304;
  if (bodiless || answer.outgoing) response.body().clear();
  if (!bodiless) response.content_length(size);
  const Duration timeout =
      manner.timeout.ms > 0 ? manner.timeout : service.options.http.body_timeout;
  auto ended = co_await (write_response(stream, response) || expire_after(timeout));
  const auto* failed = std::get_if<0>(&ended);
  if (failed == nullptr || *failed) co_return false;
  if (answer.outgoing && !bodiless && !manner.without_body) {
    const bool sent = co_await send_outgoing(stream, answer.outgoing, service.options.http);
    if (!sent) co_return false;
  }
  co_return manner.keep_alive;
}

tcp::socket& socket_of(TlsStream& stream) { return stream.socket(); }
template <typename Socket>
Socket& socket_of(Socket& socket) {
  return socket;
}

void end_writing(TlsStream& stream) { stream.say_goodbye({}); }
template <typename Socket>
void end_writing(Socket& socket) {
  error_code ignored;
  socket.shutdown(asio::socket_base::shutdown_send, ignored);
}

template <typename Socket>
asio::awaitable<void> throw_away(Socket& socket) {
  std::array<char, kReadStep> part;
  for (;;) {
    const auto [failed, count] = co_await socket.async_read_some(asio::buffer(part), kNoThrow);
    if (failed || count == 0) co_return;
  }
}

/// The last answer of a connection. Closing while the peer still sends would take it away again.
template <typename Stream>
asio::awaitable<void> refuse(Stream& stream,
                             HttpResponse why,
                             const Service& service,
                             bool without_body) {
  co_await respond(stream, std::move(why), service, {.without_body = without_body});
  end_writing(stream);
  co_await (throw_away(socket_of(stream)) || expire_after(service.options.http.goodbye));
}

std::string binding_of(const TlsStream& stream) { return stream.channel_binding(); }
template <typename Socket>
std::string binding_of(const Socket&) {
  return {};
}

/// One request whose handler takes the body piece by piece. False: the connection is over.
template <typename Stream>
asio::awaitable<bool> serve_streamed(Stream& stream,
                                     boost::beast::flat_buffer& buffer,
                                     Parser& parser,
                                     HttpRequest request,
                                     const Service& service,
                                     bool may_keep_alive) {
  IncomingBody<Stream> body(
      stream, buffer,
      {.size = parser.content_length().value_or(0),
       .wants_go_on = view_of(parser.get()[http::field::expect]) == "100-continue"},
      service.options.http);
  const Manner manner{.version = parser.get().version(),
                      .keep_alive = parser.get().keep_alive() && may_keep_alive};
  request.incoming = &body;
  request.channel_binding = binding_of(stream);
  HttpResponse answer = co_await service.on_request(std::move(request));
  if (body.left() > 0) {
    co_await refuse(stream, std::move(answer), service, false);
    co_return false;
  }
  co_return co_await respond(stream, std::move(answer), service, manner);
}

/// The body of one request and the answer. False: the connection is over.
template <typename Stream>
asio::awaitable<bool> serve_one(Stream& stream,
                                boost::beast::flat_buffer& buffer,
                                Parser& parser,
                                HttpRequest request,
                                const Service& service,
                                const HttpAllowance& allowed,
                                bool may_keep_alive) {
  if (service.options.streams && service.options.streams(request)) {
    co_return co_await serve_streamed(stream, buffer, parser, std::move(request), service,
                                      may_keep_alive);
  }
  const bool is_head = request.method == "HEAD";
  auto body = co_await (read_body(stream, buffer, parser) || expire_after(allowed.body_timeout));
  const auto* failed = std::get_if<0>(&body);
  if (failed == nullptr) co_return false;
  if (*failed) {
    if (deserves_an_answer(*failed)) {
      co_await refuse(stream, answer_to(*failed), service, is_head);
    }
    co_return false;
  }
  const Manner manner{.version = parser.get().version(),
                      .keep_alive = parser.get().keep_alive() && may_keep_alive,
                      .without_body = is_head,
                      .timeout = allowed.body_timeout};
  request.body = std::move(parser.get().body());
  request.channel_binding = binding_of(stream);
  HttpResponse answer = co_await service.on_request(std::move(request));
  co_return co_await respond(stream, std::move(answer), service, manner);
}

/// Serves requests until the connection is over, or returns the one that asks for an upgrade.
template <typename Stream>
asio::awaitable<std::optional<UpgradeRequest>> serve_http(Stream& stream,
                                                          const Service& service,
                                                          const std::string& peer) {
  const HttpLimits& limits = service.options.http;
  const HttpAllowance usual{limits.body_bytes_max, limits.body_timeout, limits.keep_alive};
  boost::beast::flat_buffer buffer;
  Duration patience = limits.head_timeout;
  std::size_t count = 0;
  for (;;) {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits.head_bytes_max + 1));
    parser.body_limit(boost::none);  // once the head is known, see limit_body()
    HttpAllowance allowed = usual;
    auto head = co_await (read_head(stream, buffer, limits) || expire_after(patience));
    const auto* read = std::get_if<0>(&head);
    if (read == nullptr || !(read->complete || read->fault)) co_return std::nullopt;
    std::optional<HttpResponse> refusal;
    HttpRequest request;
    if (read->fault) {
      refusal = plain(read->fault->status, std::string(read->fault->why));
    } else if (const error_code failed = parse_head(buffer, parser)) {
      refusal = answer_to(failed);
    } else {
      request = read_request(parser, service, peer);
      if (service.options.guard) refusal = service.options.guard(request);
      if (service.options.allow) allowed = service.options.allow(request).value_or(usual);
      if (!refusal) refusal = limit_body(parser, request, service.options, allowed.body_bytes_max);
      if (!refusal && is_sync_upgrade(parser) && service.on_session) {
        if (names_our_protocol(parser) && buffer.size() == 0) {
          co_return UpgradeRequest{
              http::request<http::empty_body>(http::request_header<>(parser.release().base()))};
        }
        refusal = plain(400, "the sub-protocol is not " + std::string(kSyncProtocol) + "\n");
      }
    }
    if (refusal) {
      co_await refuse(stream, std::move(*refusal), service, request.method == "HEAD");
      co_return std::nullopt;
    }
    if (allowed.body_bytes_max == usual.body_bytes_max) ++count;
    patience = allowed.keep_alive;
    const bool more = count < limits.requests_max;
    if (!co_await serve_one(stream, buffer, parser, std::move(request), service, allowed, more)) {
      co_return std::nullopt;
    }
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
  service.from_owner = true;
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
  auto session =
      co_await accept_websocket(std::move(stream), std::move(*request), service.options.stream,
                                std::move(peer), service.options.proxied_pin);
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
    const Service service{options_, on_request, on_session, port(), tls_ != nullptr};
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
        if (peer.empty()) continue;  // reset already: whatever it sent is nobody's
        address = peer.substr(0, peer.rfind(':'));
      }
      if constexpr (std::is_same_v<Protocol, UnixProtocol>) {
        if (!is_owner(socket)) continue;  // closes it
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

}  // namespace

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
  DUHUI_TRY(acceptor, open_owner_socket(std::move(executor), path));
  return std::unique_ptr<Listener>(std::make_unique<ProtocolListener<UnixProtocol>>(
      std::move(acceptor), nullptr, std::move(options)));
}

}  // namespace duhui::net
