#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "shared/base/time.h"

namespace duhui::net {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// One request, read completely. Names of headers are in lower case.
struct HttpRequest {
  std::string method{};
  std::string target{};  // path and query, as sent
  HttpHeaders headers{};
  std::string body{};
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
  HttpHeaders headers{};  // further ones
};

/// Runs on the loop thread, one at a time for a connection; what blocks goes to run_blocking().
using HttpHandler = std::function<boost::asio::awaitable<HttpResponse>(HttpRequest)>;

/// Looks at a request whose body has not been read. What it answers ends the connection.
using HttpGuard = std::function<std::optional<HttpResponse>(const HttpRequest& head)>;

struct HttpLimits {
  std::size_t head_bytes_max = 16 * 1024;
  std::size_t target_bytes_max = 4 * 1024;
  std::size_t headers_max = 100;
  std::size_t body_bytes_max = 8 << 20;
  std::size_t requests_max = 1000;      // of one connection
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
