#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/core/sync_session.h"
#include "shared/base/ids.h"
#include "shared/crypto/digest.h"
#include "shared/net/message_stream.h"
#include "shared/net/system_clock.h"

namespace duhui::agent {

/// What happens on a link, for whoever keeps more than the link. Called on the loop thread; must
/// not destroy the link.
class LinkEvents {
 public:
  virtual ~LinkEvents() = default;
  /// The hub has welcomed the device. `pin`: the whole pin of its key.
  virtual void welcomed(const Digest& pin, const std::string& device_name) = 0;
  /// The hub sent something about these records.
  virtual void records_changed(const std::vector<RecordId>& ids) = 0;
  /// Everything up to here is durable at the hub.
  virtual void acknowledged(std::uint64_t through) = 0;
  /// Other people may open the vault.
  virtual void vault_changed() {}
  /// A file that was asked for is here, or why it is not.
  virtual void file_fetched(const BlobName&, const Status&) {}
  /// Any frame was taken: perhaps everything is exchanged now.
  virtual void progressed() {}
  /// The hub has seen some more of a file.
  virtual void file_carried() {}
};

/// Why a connection ended, and when to try again.
struct LinkEnd {
  std::string reason;
  Duration retry_after{};
  bool at_once = false;
};

/// Bytes on the wire, with everything that TLS adds.
struct LinkBytes {
  std::uint64_t read = 0;
  std::uint64_t written = 0;

  LinkBytes& operator+=(LinkBytes other) {
    read += other.read;
    written += other.written;
    return *this;
  }
};

/// Joins one SyncSession to one open connection and performs its effects.
///
/// One reader, one writer behind a bounded queue, one timer. Lives on the coroutine frame that
/// awaits run(); all of its loops have ended when run() returns. A new connection is a new runner.
class LinkRunner {
 public:
  /// Everything passed by reference outlives the runner.
  LinkRunner(std::unique_ptr<net::MessageStream> stream,
             Replica& replica,
             const DeviceIdentity& identity,
             std::string software,
             const net::SystemClock& clock,
             LinkEvents& events,
             boost::asio::any_io_executor executor);

  boost::asio::awaitable<LinkEnd> run();

  /// Ops were saved on this device.
  void saved();
  /// Somebody wants to see a file that is not here. False: there is no hub now.
  bool fetch(const BlobName& name);
  /// Ends run() soon.
  void stop(LinkEnd why);
  bool live() const { return session_.state() == SyncSession::State::live; }
  bool caught_up() const { return session_.caught_up(); }
  bool revoked() const { return session_.revoked(); }
  /// Whether the hub has said anything at all.
  bool heard() const { return heard_; }
  LinkBytes bytes() const { return {stream_->bytes_read(), stream_->bytes_written()}; }

 private:
  using Queue = boost::asio::experimental::channel<void(boost::system::error_code, std::string)>;

  boost::asio::awaitable<void> read_loop();
  boost::asio::awaitable<void> write_loop();
  boost::asio::awaitable<void> timer_loop();
  /// False: the connection is to end.
  bool perform(std::vector<Effect> effects);
  void tell(const FileFetched& fetched);

  std::unique_ptr<net::MessageStream> stream_;
  const net::SystemClock& clock_;
  LinkEvents& events_;
  Traffic& traffic_;
  SyncSession session_;
  Queue outbound_;
  std::deque<std::string> bulk_;  // pieces of files: when nothing else waits to be written
  boost::asio::steady_timer timer_;
  bool welcomed_ = false;
  bool heard_ = false;
  std::optional<LinkEnd> end_;
};

}  // namespace duhui::agent
