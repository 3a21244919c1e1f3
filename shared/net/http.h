#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "shared/base/result.h"
#include "shared/base/time.h"

namespace duhui::net {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// The body of a request while it comes in. Nothing is read ahead: a handler that takes its time
/// slows down the sender.
class HttpIncoming {
 public:
  virtual ~HttpIncoming() = default;

  /// What has not been read yet.
  virtual std::uint64_t left() const = 0;
  /// The next `size` bytes; fewer only at the end, or where the peer stopped. Then, or when the
  /// peer takes too long: unavailable.
  virtual boost::asio::awaitable<Result<std::string>> read(std::size_t size) = 0;
};

/// The body of an answer, made while it goes out.
struct HttpOutgoing {
  std::uint64_t size = 0;
  /// At least one byte and at most `size` from `offset`. An error ends the connection: the peer
  /// sees that something is missing.
  std::function<boost::asio::awaitable<Result<std::string>>(std::uint64_t offset, std::size_t size)>
      read{};
};

/// One request, read completely but for `incoming`. Names of headers are in lower case.
struct HttpRequest {
  std::string method{};
  std::string target{};  // path and query, as sent
  HttpHeaders headers{};
  std::string body{};
  /// Instead of a body, where the listener's HttpStreams wants it so; until the handler has
  /// answered. What the handler leaves unread ends the connection.
  HttpIncoming* incoming = nullptr;
  std::string peer{};             // "192.0.2.7:5123"; empty on a unix socket
  std::string channel_binding{};  // 32 bytes over TLS (see MessageStream); empty without
  std::uint16_t port = 0;         // of the listener; 0: a unix socket
  bool secure = false;            // came over TLS
  bool from_owner = false;        // came through a socket only the owner of the program can open

  /// Empty: no such header. `name` in lower case.
  std::string_view header(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body{};
  HttpHeaders headers{};                     // further ones
  std::shared_ptr<HttpOutgoing> outgoing{};  // instead of a body
};

/// Runs on the loop thread, one at a time for a connection; what blocks goes to run_blocking().
using HttpHandler = std::function<boost::asio::awaitable<HttpResponse>(HttpRequest)>;

/// Looks at a request whose body has not been read. What it answers ends the connection.
using HttpGuard = std::function<std::optional<HttpResponse>(const HttpRequest& head)>;

/// Whether the body of this request is for HttpRequest::incoming. Asked with the head only.
using HttpStreams = std::function<bool(const HttpRequest& head)>;

struct HttpLimits {
  std::size_t head_bytes_max = 16 * 1024;
  std::size_t target_bytes_max = 4 * 1024;
  std::size_t headers_max = 100;
  std::size_t body_bytes_max = 8 << 20;
  std::uint64_t streamed_bytes_max = 2ull << 30;  // of a body that is not held in memory
  std::size_t piece_bytes = 64 * 1024;            // of a body on its way out
  Duration piece_timeout = seconds(30);           // for each piece, in and out
  std::size_t requests_max = 1000;                // of one connection
  Duration head_timeout = seconds(15);  // from the first wait for a request to the end of its head
  Duration body_timeout = minutes(5);   // for the body in, and once more for the answer out
  Duration keep_alive = seconds(75);    // from one answer to the end of the next request's head
  Duration goodbye = seconds(2);        // what a refused peer still sends is thrown away this long
};

/// What one request may bring and take, and for how long its connection is kept afterwards.
struct HttpAllowance {
  std::size_t body_bytes_max;
  Duration body_timeout;
  Duration keep_alive;
};

/// Looks at a request whose body has not been read; empty: the limits of all hold. What is allowed
/// more does not count against `requests_max`.
using HttpAllow = std::function<std::optional<HttpAllowance>(const HttpRequest& head)>;

}  // namespace duhui::net
