#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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

struct HttpLimits {
  std::size_t head_bytes_max = 16 * 1024;
  std::size_t body_bytes_max = 8 << 20;
  Duration head_timeout = seconds(15);  // from the first wait for a request to the end of its head
  Duration body_timeout = minutes(5);   // for the body in, and once more for the answer out
  Duration keep_alive = seconds(75);    // between two requests of one connection
};

}  // namespace duhui::net
