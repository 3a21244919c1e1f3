#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/crypto/digest.h"

namespace duhui::net {

constexpr std::string_view kSyncPath = "/sync/v1";
constexpr std::string_view kSyncProtocol = "duhui.sync.v1";

/// The limits and the three deadlines of one connection.
struct StreamLimits {
  std::size_t message_bytes_max = 1
                                  << 20;  // checked against the announced length, before allocation
  Duration connect_timeout = seconds(15);    // TCP, per address
  Duration handshake_timeout = seconds(20);  // TLS, and once more WebSocket
  Duration idle_timeout = seconds(120);      // silence of the peer; a ping goes out at half of it
};

/// Whole binary messages over one encrypted connection. Single thread.
///
/// One read and one write may be under way at the same time, never two of a kind. All methods must
/// have ended before the object dies; its destructor says goodbye if it can do so without waiting.
class MessageStream {
 public:
  virtual ~MessageStream() = default;

  /// The next message. limit_exceeded: over message_bytes_max (the connection is over, nothing was
  /// allocated for it). unavailable: closed, lost, idle too long or cancelled.
  virtual boost::asio::awaitable<Result<std::string>> read() = 0;

  /// Returns when the operating system has taken all of it. unavailable: the connection is lost.
  virtual boost::asio::awaitable<Status> write(std::string message) = 0;

  /// Tells the peer the reason (at most 123 bytes of it), waits a moment for its goodbye and
  /// closes. Precondition: no read or write is under way.
  virtual boost::asio::awaitable<void> close(std::string reason) = 0;

  /// 32 bytes that only the two ends of this very connection know (TLS exporter, RFC 5705 and
  /// 9266). A device signs them to prove that it is here and not replayed from elsewhere.
  virtual std::string channel_binding() const = 0;
  /// SHA-256 of the server's public key (SPKI). Zero on the server's side.
  virtual const Digest& server_pin() const = 0;
  /// "192.0.2.7:5123", for logs and limits.
  virtual const std::string& peer() const = 0;
  /// On the wire: with TLS, without TCP.
  virtual std::uint64_t bytes_read() const = 0;
  virtual std::uint64_t bytes_written() const = 0;
};

}  // namespace duhui::net
