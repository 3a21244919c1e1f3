#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/app/link_runner.h"
#include "agent/core/replica.h"
#include "shared/base/random.h"
#include "shared/net/system_clock.h"
#include "shared/net/websocket_client.h"
#include "shared/sync/backoff.h"

namespace duhui::agent {

/// Keeps one device connected to its hub.
///
///   disabled <--enable()--> offline --backoff over--> connecting --welcome--> live
///                              ^                          |                     |
///                              +--------------------------+---------------------+
///
/// Each connection is a new LinkRunner. Single thread: the loop that also drives the replica. Every
/// LinkEvents call is passed on to `events`.
class Link final : private LinkEvents {
 public:
  enum class State : std::uint8_t { disabled, offline, connecting, live };

  struct Parts {
    Replica& replica;
    DeviceIdentity& identity;
    Random& random;
    const net::SystemClock& clock;
    LinkEvents& events;
  };
  /// What `parts` refers to outlives this.
  Link(boost::asio::any_io_executor executor,
       Parts parts,
       net::HubAddress hub,
       std::string software);

  /// Connects, again and again, until cancelled.
  boost::asio::awaitable<void> run();

  /// Ops were saved on this device.
  void saved();
  /// Somebody wants to see a file that is not here; LinkEvents::file_fetched says how it ended.
  /// False: there is no hub now.
  bool fetch(const BlobName& name) { return runner_ != nullptr && runner_->fetch(name); }
  void enable(bool enabled);
  /// Ends the waiting between two connections.
  void connect_now();
  /// True as soon as everything is exchanged; false after `limit`, or once the link is disabled.
  boost::asio::awaitable<bool> wait_caught_up(Duration limit);

  State state() const { return state_; }
  WallTime since() const { return since_; }
  const std::string& last_error() const { return last_error_; }
  /// As the newest welcome said.
  bool revoked() const { return revoked_; }
  bool caught_up() const { return runner_ != nullptr && runner_->caught_up(); }
  /// Of the present connection; zero without one.
  LinkBytes bytes() const { return runner_ != nullptr ? runner_->bytes() : LinkBytes{}; }
  /// Of all connections that came up since the start, the present one included.
  LinkBytes bytes_total() const;

 private:
  void welcomed(const Digest& pin, const std::string& device_name) override;
  void records_changed(const std::vector<RecordId>& ids) override;
  void acknowledged(std::uint64_t through) override;
  void progressed() override;
  void vault_changed() override;
  void file_fetched(const BlobName& name, const Status& how) override;

  boost::asio::awaitable<void> connect_once();
  /// The hub shows another key than the pinned one: is it, by the word of the old key, its new one?
  boost::asio::awaitable<Status> follow_hub_key();
  void enter(State state);
  /// Something a waiter may have waited for.
  void wake_waiters() { changed_.cancel(); }

  Parts parts_;
  net::HubAddress hub_;
  const std::string software_;
  boost::asio::any_io_executor executor_;
  Backoff backoff_;
  Duration delay_{};
  boost::asio::steady_timer pause_;    // until the next connection
  boost::asio::steady_timer changed_;  // never expires; cancelled when something changed
  LinkRunner* runner_ = nullptr;       // on the frame of connect_once()
  LinkBytes bytes_earlier_;            // of the connections that have ended
  bool enabled_ = true;
  bool revoked_ = false;
  State state_ = State::offline;
  WallTime since_;
  std::string last_error_;
};

}  // namespace duhui::agent
