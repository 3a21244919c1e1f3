#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/net/http_answer.h"
#include "shared/net/message_stream.h"
#include "shared/net/tls_stream.h"

namespace duhui::net {

/// A proxy that is asked for a connection with CONNECT; all it sees is where to.
struct HttpProxy {
  std::string host{};  // empty: none
  std::uint16_t port = 0;
  std::string user{};
  std::string password{};

  /// "proxy.example:3128": never the password.
  std::string text() const { return host + ":" + std::to_string(port); }
  friend bool operator==(const HttpProxy&, const HttpProxy&) = default;
};

/// Where a hub is, how to get there, and how to know it.
struct HubAddress {
  std::string host;
  std::uint16_t port = 0;
  std::string pin;  // SHA-256 of its SPKI, or the short form of a typed ticket
  HttpProxy proxy{};
};

/// What stood in the way of a connection, as far as can be told from here.
enum class Obstacle : std::uint8_t {
  none,
  unreachable,        // no network, no such name, nobody answers there
  proxy_unreachable,  // the proxy of the settings does not answer
  proxy_password,     // it wants another user or password (407)
  proxy_refused,      // it does not let us through
  sign_in_page,       // a page wants somebody to sign in before the network works
  intercepted,        // somebody in between shows a key of their own
  other_key,          // a hub answers, but not the one we mean
  upgrade_refused,    // the hub's place is there; a WebSocket does not come about
  post_refused,       // the same of POST
};

/// More than an error tells: for choosing another road, and for people.
struct ConnectReport {
  Obstacle obstacle = Obstacle::none;
  Duration retry_after{};  // somebody asked for it (Retry-After)
};

/// One end of an encrypted connection to a hub that has shown the right key.
struct HubChannel {
  TlsStream stream;
  std::string peer;
  Digest shown;  // the pin of the key it showed
};

/// TCP, or a proxy's CONNECT, to each address of the name in turn; then TLS.
/// refused: the key is not the pinned one. unavailable: try again later. `report` outlives the
/// call. `any_key`: only for what is public and proves itself.
boost::asio::awaitable<Result<HubChannel>> dial_hub(HubAddress hub,
                                                    StreamLimits limits,
                                                    ConnectReport* report,
                                                    bool any_key = false);

/// Sends one request as it stands and reads the answer. unavailable: the connection is lost or
/// `limit` is over; corrupt_data, limit_exceeded: what came is no answer.
struct Exchanged {
  HttpResponse answer;
  bool keeps_alive = false;
};
boost::asio::awaitable<Result<Exchanged>> exchange(TlsStream& stream,
                                                   std::string request,
                                                   std::size_t body_bytes_max,
                                                   Duration limit);

/// Whether an answer that should have been the hub's is a page for people, or leads to one.
bool is_page_for_people(const HttpResponse& answer);

/// Asks in plain HTTP at the hub's own address, saying nothing but its name: whether a page for
/// people answers there. For networks where the connection itself does not come about.
boost::asio::awaitable<bool> shows_sign_in_page(std::string host,
                                                std::uint16_t port,
                                                Duration limit);

}  // namespace duhui::net
