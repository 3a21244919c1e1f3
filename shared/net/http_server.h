#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "shared/base/result.h"
#include "shared/crypto/digest.h"
#include "shared/net/http.h"
#include "shared/net/message_stream.h"
#include "shared/net/task_scope.h"
#include "shared/net/tls_context.h"

namespace duhui::net {

struct ListenerOptions {
  std::size_t connections_max = 12'000;
  std::size_t connections_per_address_max = 2'000;  // a county's schools may share one address
  HttpLimits http{};
  StreamLimits stream{};  // of WebSockets
  HttpGuard guard{};      // empty: everything that is HTTP reaches the handler
  HttpStreams streams{};  // empty: every body is read completely
  HttpAllow allow{};      // empty: nobody may more than `http`
  /// Not zero: in front of this listener TLS ends at a proxy, which shows the key with this pin.
  /// Sessions are then bound to a nonce and that key (proxied_binding()).
  Digest proxied_pin{};
  HttpHeaders answer_headers{};  // of every answer that does not set them itself, also of refusals
  TaskScope::Report report{};    // what escaped from a handler
};

/// Takes ownership of one accepted WebSocket; the connection ends when the coroutine returns.
using SessionHandler = std::function<boost::asio::awaitable<void>(std::unique_ptr<MessageStream>)>;

/// An open port (or a unix socket) and the connections that came through it.
///
/// Plain or TLS HTTP/1.1 with keep-alive; over TLS, an upgrade on kSyncPath becomes a
/// MessageStream. Whatever arrives, only its own connection suffers.
class Listener {
 public:
  /// `port` 0: any free one.
  static Result<std::unique_ptr<Listener>> on_tcp(boost::asio::any_io_executor executor,
                                                  const std::string& address,
                                                  std::uint16_t port,
                                                  ListenerOptions options);
  static Result<std::unique_ptr<Listener>> on_tls(boost::asio::any_io_executor executor,
                                                  const std::string& address,
                                                  std::uint16_t port,
                                                  const TlsIdentity& identity,
                                                  ListenerOptions options);
  /// For this account and root only: mode 0600, and the kernel is asked who connects. Replaces a
  /// socket that a dead process left behind, not one that answers.
  static Result<std::unique_ptr<Listener>> on_unix(boost::asio::any_io_executor executor,
                                                   const std::string& path,
                                                   ListenerOptions options);
  virtual ~Listener() = default;

  /// Serves until cancelled; then cancels all connections and returns when all have ended.
  /// `on_session` may be empty where there is no TLS.
  virtual boost::asio::awaitable<void> run(HttpHandler on_request, SessionHandler on_session) = 0;

  virtual std::uint16_t port() const = 0;  // 0 for a unix socket
  virtual std::size_t connections() const = 0;
};

}  // namespace duhui::net
