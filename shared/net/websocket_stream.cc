#include "shared/net/websocket_stream.h"

#include <algorithm>
#include <array>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "shared/crypto/system_random.h"
#include "shared/crypto/text.h"
#include "shared/net/channel_binding.h"
#include "shared/net/deadline.h"
#include "shared/net/upgrade_request.h"

namespace duhui::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;

// The two functions Beast asks of a stream type of our own.

void beast_close_socket(TlsStream& stream) { stream.close(); }

template <typename Handler>
void async_teardown(beast::role_type, TlsStream& stream, Handler&& handler) {
  stream.say_goodbye({});
  asio::post(stream.get_executor(),
             beast::bind_front_handler(std::forward<Handler>(handler), error_code{}));
}

namespace {

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr Duration kGoodbyeTime = seconds(1);  // how long close() waits for the peer
constexpr std::size_t kFirstRead = 256;        // all that an idle connection holds for reading
constexpr std::size_t kReadStepMin = 1024;
constexpr std::size_t kClientWriteBuffer = 16384;  // where masked bytes are made

std::string close_frame(beast::role_type role,
                        websocket::close_code code,
                        std::string_view reason) {
  reason = reason.substr(0, 123);
  std::string frame = "\x88";
  const bool masked = role == beast::role_type::client;
  frame += static_cast<char>((masked ? 0x80u : 0u) | (reason.size() + 2));
  if (masked) frame.append(4, '\0');  // a mask of zero: there is nothing to hide inside TLS
  frame += static_cast<char>(static_cast<unsigned>(code) >> 8);
  frame += static_cast<char>(static_cast<unsigned>(code) & 0xff);
  return frame.append(reason);
}

class WebSocketStream final : public MessageStream {
 public:
  WebSocketStream(TlsStream stream,
                  beast::role_type role,
                  const StreamLimits& limits,
                  std::string peer,
                  const Digest& server_pin)
      : socket_(std::move(stream)), role_(role), peer_(std::move(peer)), server_pin_(server_pin) {
    websocket::stream_base::timeout deadlines{};
    deadlines.handshake_timeout = std::chrono::milliseconds(limits.handshake_timeout.ms);
    deadlines.idle_timeout = std::chrono::milliseconds(limits.idle_timeout.ms);
    deadlines.keep_alive_pings = true;
    socket_.set_option(deadlines);
    socket_.read_message_max(limits.message_bytes_max);
    socket_.binary(true);
    socket_.auto_fragment(false);
    socket_.write_buffer_bytes(role == beast::role_type::client ? kClientWriteBuffer : 8);
  }

  ~WebSocketStream() override {
    if (socket_.is_open() && can_write_) {
      tls().say_goodbye(close_frame(role_, websocket::close_code::going_away, ""));
    }
    tls().close();
  }

  asio::awaitable<Status> accept(const UpgradeRequest& request, const Digest& proxied_pin) {
    std::string nonce;
    if (!proxied_pin.is_zero()) {
      nonce.resize(kNonceBytes);
      SystemRandom().fill(nonce.data(), nonce.size());
      proxied_binding_ = proxied_binding(nonce, proxied_pin);
    }
    auto name_protocol = [nonce](websocket::response_type& response) {
      response.set(beast::http::field::sec_websocket_protocol, kSyncProtocol);
      if (!nonce.empty()) response.set(kNonceHeader, to_base64url(nonce));
    };
    socket_.set_option(websocket::stream_base::decorator(name_protocol));
    const auto [failed] = co_await socket_.async_accept(request.head, kNoThrow);
    if (failed) co_return lost("accept websocket", failed);
    co_return Done{};
  }

  asio::awaitable<Status> request(const std::string& host) {
    auto name_protocol = [](websocket::request_type& request) {
      request.set(beast::http::field::sec_websocket_protocol, kSyncProtocol);
    };
    socket_.set_option(websocket::stream_base::decorator(name_protocol));
    websocket::response_type response;
    const std::string path(kSyncPath);
    const auto [failed] = co_await socket_.async_handshake(response, host, path, kNoThrow);
    if (failed == websocket::error::upgrade_declined) {
      co_return Error{ErrorCode::unavailable, "request websocket: the server answered " +
                                                  std::to_string(response.result_int())};
    }
    if (failed) co_return lost("request websocket", failed);
    if (response[beast::http::field::sec_websocket_protocol] != kSyncProtocol) {
      co_return Error{ErrorCode::unavailable, "request websocket: another protocol version"};
    }
    co_return take_nonce(response);
  }

  asio::awaitable<Result<std::string>> read() override {
    // Waits with a small buffer, so that 10,000 idle connections do not hold 10,000 big ones.
    std::array<char, kFirstRead> first;
    auto [failed, count] = co_await socket_.async_read_some(asio::buffer(first), kNoThrow);
    std::string message(first.data(), failed ? 0 : count);
    while (!failed && !socket_.is_message_done()) {
      // Grows with what has come, not with what was announced.
      const std::size_t size = message.size();
      const std::size_t room = std::clamp(socket_.read_size_hint(std::size_t{kReadStepMin}),
                                          std::size_t{1}, std::max(size, kReadStepMin));
      message.resize(size + room);
      const auto rest = asio::buffer(message.data() + size, room);
      std::tie(failed, count) = co_await socket_.async_read_some(rest, kNoThrow);
      message.resize(size + count);
    }
    if (failed) co_return read_error(failed);
    if (!socket_.got_binary()) co_return Error{ErrorCode::unavailable, "read: a text message"};
    co_return message;
  }

  asio::awaitable<Status> write(std::string message) override {
    can_write_ = false;  // until this one is out; stays so if it is cancelled half-way
    const auto [failed, count] = co_await socket_.async_write(asio::buffer(message), kNoThrow);
    if (failed) co_return lost("write", failed);
    can_write_ = true;
    co_return Done{};
  }

  asio::awaitable<void> close(std::string reason) override {
    using asio::experimental::awaitable_operators::operator||;
    if (!tls().socket().is_open()) co_return;
    if (socket_.is_open() && can_write_) {
      tls().say_goodbye(close_frame(role_, websocket::close_code::normal, reason));
      // A close with unread bytes would make TCP throw our goodbye away.
      co_await (drain() || expire_after(kGoodbyeTime));
    }
    tls().close();
  }

  std::string channel_binding() const override {
    if (!proxied_binding_.empty()) return proxied_binding_;
    return socket_.next_layer().channel_binding();
  }
  const Digest& server_pin() const override { return server_pin_; }
  const std::string& peer() const override { return peer_; }
  std::uint64_t bytes_read() const override { return socket_.next_layer().bytes_read(); }
  std::uint64_t bytes_written() const override { return socket_.next_layer().bytes_written(); }

 private:
  TlsStream& tls() { return socket_.next_layer(); }

  /// A hub behind a TLS proxy gives a nonce. Whoever gives one of another session gains nothing:
  /// what we sign with it holds only at a hub that was told to expect such a proxy.
  Status take_nonce(const websocket::response_type& response) {
    const auto field = response.find(kNonceHeader);
    if (field == response.end()) return Done{};
    const auto nonce = from_base64url({field->value().data(), field->value().size()});
    if (!nonce || nonce->size() != kNonceBytes) {
      return Error{ErrorCode::unavailable, "request websocket: a malformed nonce"};
    }
    proxied_binding_ = proxied_binding(*nonce, server_pin_);
    return Done{};
  }

  static Error lost(std::string_view what, error_code why) {
    return {ErrorCode::unavailable, std::string(what) + ": " + why.message()};
  }

  Error read_error(error_code why) const {
    if (why == websocket::error::message_too_big) {
      return {ErrorCode::limit_exceeded, "read: the message is over the limit"};
    }
    if (why == websocket::error::closed) {
      const auto& reason = socket_.reason().reason;
      return {ErrorCode::unavailable,
              "read: closed by the peer: " + std::string(reason.data(), reason.size())};
    }
    return lost("read", why);
  }

  /// Ends when the peer has closed its side.
  asio::awaitable<void> drain() {
    std::array<char, 1024> rubbish;
    for (;;) {
      const auto [failed, count] =
          co_await tls().socket().async_read_some(asio::buffer(rubbish), kNoThrow);
      if (failed) co_return;
    }
  }

  // false: without permessage-deflate and its code; batches are compressed above.
  websocket::stream<TlsStream, false> socket_;
  const beast::role_type role_;
  const std::string peer_;
  const Digest server_pin_;
  std::string proxied_binding_{};  // empty: the exporter of this connection binds
  bool can_write_ = true;
};

}  // namespace

asio::awaitable<Result<std::unique_ptr<MessageStream>>> accept_websocket(TlsStream stream,
                                                                         UpgradeRequest request,
                                                                         StreamLimits limits,
                                                                         std::string peer,
                                                                         Digest proxied_pin) {
  auto made = std::make_unique<WebSocketStream>(std::move(stream), beast::role_type::server, limits,
                                                std::move(peer), Digest{});
  auto status = co_await made->accept(request, proxied_pin);
  if (!status) co_return std::move(status).error();
  co_return std::unique_ptr<MessageStream>(std::move(made));
}

asio::awaitable<Result<std::unique_ptr<MessageStream>>> request_websocket(
    TlsStream stream, std::string host, StreamLimits limits, std::string peer, Digest server_pin) {
  auto made = std::make_unique<WebSocketStream>(std::move(stream), beast::role_type::client, limits,
                                                std::move(peer), server_pin);
  auto status = co_await made->request(host);
  if (!status) co_return std::move(status).error();
  co_return std::unique_ptr<MessageStream>(std::move(made));
}

}  // namespace duhui::net
