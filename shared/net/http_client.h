#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/net/http.h"

namespace duhui::net {

/// Asks a server of this machine and blocks until it has answered: for the command line, not for
/// the loop. One connection per request. Understands what our own server sends: Content-Length.
class HttpClient {
 public:
  static HttpClient over_unix(std::string path, Duration timeout = seconds(60));
  /// `address`: an IPv4 address.
  static HttpClient over_tcp(std::string address,
                             std::uint16_t port,
                             Duration timeout = seconds(60));

  /// `request.method`, `target`, `headers` and `body` are sent. unavailable: nobody answers there.
  Result<HttpResponse> send(const HttpRequest& request) const;

 private:
  HttpClient(std::string where, std::uint16_t port, Duration timeout)
      : where_(std::move(where)), port_(port), timeout_(timeout) {}

  std::string where_;   // a path, or an address
  std::uint16_t port_;  // 0: where_ is a path
  Duration timeout_;    // for each wait
};

/// A whole answer as our servers send it, read to the end of the connection. corrupt_data: it is
/// none.
Result<HttpResponse> parse_http_answer(std::string_view text);

}  // namespace duhui::net
