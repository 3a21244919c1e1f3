#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/app/link_runner.h"
#include "agent/app/road_memory.h"
#include "agent/core/replica.h"
#include "shared/base/random.h"
#include "shared/net/post_client.h"
#include "shared/net/system_clock.h"
#include "shared/net/websocket_client.h"
#include "shared/sync/backoff.h"

namespace duhui::agent {

/// Which roads a link takes.
struct LinkRoads {
  std::optional<Road> only{};              // empty: whichever works
  RoadMemory* memory = nullptr;            // outlives the link; null: forgets
  std::function<std::string()> network{};  // which network this is; empty: always the same
  /// Whether bytes cost nothing in that network; empty: they always count.
  std::function<bool(const std::string& network)> free{};
  std::uint16_t page_port = 80;  // where a network would show its sign-in page
};

/// What a road has carried since the start.
struct RoadFacts {
  std::optional<WallTime> last_success{};  // the last welcome or acknowledgement
  LinkBytes bytes{};
};

/// Keeps one device connected to its hub, over the road that works.
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
       std::string software,
       LinkRoads roads = {});

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
  /// Of the present connection; empty without one.
  std::optional<Road> road() const;
  RoadFacts facts(Road road) const;
  /// A name for what stands in the way now, or why this road was taken; empty: nothing does.
  const std::string& road_problem() const { return road_problem_; }
  /// Which network this is, as of the last attempt; empty: none yet.
  const std::string& network() const { return network_; }
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
  void file_carried() override;
  void vault_changed() override;
  void file_fetched(const BlobName& name, const Status& how) override;

  /// How an attempt over one road went.
  struct Attempt {
    net::Obstacle obstacle = net::Obstacle::none;
    Error error{};
    bool heard = false;  // the hub has said something: it is not the road
  };

  boost::asio::awaitable<void> connect_once();
  boost::asio::awaitable<Attempt> try_road(Road road, const std::string& network);
  boost::asio::awaitable<Result<std::unique_ptr<net::MessageStream>>> open_road(
      Road road, const std::string& network, net::ConnectReport* report);
  boost::asio::awaitable<Result<std::unique_ptr<net::MessageStream>>> open_trusted(
      Road road, const std::string& network, net::ConnectReport* report);
  boost::asio::awaitable<bool> run_on(std::unique_ptr<net::MessageStream> stream,
                                      Road road,
                                      const std::string& network);
  /// Whether it is a page for people that keeps us from the hub.
  boost::asio::awaitable<bool> meets_page(const Error& error, const net::ConnectReport& report);
  std::vector<Road> order(const std::string& network) const;
  /// The present road has led to a welcome.
  void worked();
  static std::size_t index_of(Road road) { return road == Road::websocket ? 0 : 1; }
  /// The hub shows another key than the pinned one: is it, by the word of the old key, its new one?
  boost::asio::awaitable<Status> follow_hub_key(net::ConnectReport* report);
  void enter(State state);
  /// Something a waiter may have waited for.
  void wake_waiters() { changed_.cancel(); }

  Parts parts_;
  net::HubAddress hub_;
  const std::string software_;
  const LinkRoads roads_;
  boost::asio::any_io_executor executor_;
  Backoff backoff_;
  Duration delay_{};
  boost::asio::steady_timer pause_;    // until the next connection
  boost::asio::steady_timer changed_;  // never expires; cancelled when something changed
  LinkRunner* runner_ = nullptr;       // on the frame of connect_once()
  std::array<RoadFacts, 2> by_road_;   // without the present connection
  Road road_ = Road::websocket;        // of runner_
  net::PostStream* posts_ = nullptr;   // the stream of runner_, if it is one
  std::string network_;                // of the present attempt
  bool others_failed_ = false;         // roads tried before this one
  bool carried_ = false;               // something arrived over runner_
  std::string road_problem_;
  bool enabled_ = true;
  bool revoked_ = false;
  State state_ = State::offline;
  WallTime since_;
  MonotonicTime page_asked_{};  // when a sign-in page was last looked for; 0: never
  std::string last_error_;
};

}  // namespace duhui::agent
