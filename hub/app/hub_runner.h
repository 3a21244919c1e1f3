#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "hub/core/domain_rules.h"
#include "hub/core/hub_core.h"
#include "hub/core/hub_peer.h"
#include "shared/base/random.h"
#include "shared/net/blocking_pool.h"
#include "shared/net/message_stream.h"
#include "shared/net/system_clock.h"
#include "shared/net/task_scope.h"

namespace duhui::hub {

/// What the runner needs from outside; all of it outlives the runner.
struct RunnerParts {
  HubStore& store;
  const HubIdentity& identity;
  const net::SystemClock& clock;
  Random& writer_random;  // of the writing thread alone
  Random& reader_random;
  std::function<void(std::string_view)> log{};
  /// Run on the reading thread now and then, when commits have been made and none is under way.
  std::function<void()> tidy{};
  BlobStore* blobs = nullptr;  // null: this hub keeps no files
  BlobInventory* inventory = nullptr;
};

/// Joins HubCore to its connections, its clock and its storage threads, and performs its
/// effects. Everything runs on one loop thread, except the jobs: writing ones in order on one
/// thread, reading ones on another, those that need no database on a third, and files on a fourth.
///
///   connection --frames--> HubCore --RunJob--> storage thread --job_done--> HubCore --SendTo-->
///   out
///
/// An idle connection costs one waiting reader: writers exist only while there is something to
/// write, and one timer serves all sessions.
class HubRunner {
 public:
  HubRunner(boost::asio::any_io_executor loop, RunnerParts parts, std::string software);
  HubRunner(const HubRunner&) = delete;
  HubRunner& operator=(const HubRunner&) = delete;

  /// One device's connection, from its opening to its end.
  boost::asio::awaitable<void> serve_session(std::unique_ptr<net::MessageStream> stream,
                                             Arrival arrival = {});
  /// A conversation within this program; its peer is asked on a thread of its own, for it may read
  /// files. Returns what the peer made of it.
  boost::asio::awaitable<Status> converse(HubPeer& peer);
  /// Fires the sessions' timers; until cancelled.
  boost::asio::awaitable<void> run_timers();
  /// Calls `tidy`, and clears up files; until cancelled.
  boost::asio::awaitable<void> run_tidying();
  /// Says goodbye to everyone, waits for the sessions at most `patience` and for the running jobs.
  boost::asio::awaitable<void> stop(Duration patience);

  boost::asio::awaitable<Result<std::vector<Dot>>> save(std::vector<Intent> intents);
  boost::asio::awaitable<Result<Decided>> decide(Decision decision,
                                                 std::vector<Dot> dots,
                                                 std::string person);
  boost::asio::awaitable<Status> change(std::function<Status(HubTransaction&)> work);
  /// Tells the rules about templates that are stored already.
  boost::asio::awaitable<void> learn_templates();
  void drop_device(const DeviceId& device, const std::string& why);
  std::map<DeviceId, FileCounters> file_counters() const { return core_.file_counters(); }
  std::set<DeviceId> connected_devices() const { return core_.connected_devices(); }

 private:
  /// A storage thread with what belongs to it alone.
  struct Lane {
    Lane(HubStore& store, Random& random, const SigningKey& key, std::size_t kept_bytes)
        : ops(kept_bytes), context{store, ops, rules, random, key} {}
    OpReader ops;
    DomainRules rules;
    StorageContext context;
    net::BlockingPool pool{1};
  };

  /// One connection. Lives on the frame of serve_session.
  struct Link {
    enum class State : std::uint8_t {
      open,
      leaving,  // ends when what is queued has been written
      over,
    };
    Link(SessionId session, net::MessageStream& with, boost::asio::any_io_executor loop)
        : id(session), stream(with), tasks(std::move(loop)) {}
    const SessionId id;
    net::MessageStream& stream;
    net::TaskScope tasks;  // the reader, and a writer while there is something to write
    State state = State::open;
    bool writing = false;
    std::vector<std::string> outbound{};
    std::size_t outbound_bytes = 0;
    std::string reason{};
    std::optional<MonotonicTime> deadline{};
  };
  class Registration;  // takes a link out of the tables on every way out

  void perform(HubEffects effects);
  void perform(SendTo& effect);
  void perform(CloseSession& effect);
  void perform(ArmSessionTimer& effect);
  void perform(RunJob& effect);
  void perform(DeviceConnected& effect);

  boost::asio::awaitable<void> read_loop(Link& link);
  boost::asio::awaitable<void> write_loop(Link& link);
  boost::asio::awaitable<void> run_job(std::unique_ptr<Job> job);
  Lane& lane_of(const Job& job);
  Link* find(SessionId id);
  void end(Link& link, std::string reason);
  void disarm(Link& link);

  const boost::asio::any_io_executor loop_;
  const RunnerParts parts_;
  Lane writer_;
  Lane reader_;
  Lane checker_;  // never touches the store
  Lane files_;    // touches the files only
  HubCore core_;
  SessionId last_session_ = 0;
  std::unordered_map<SessionId, Link*> links_;
  std::set<std::pair<std::int64_t, SessionId>> deadlines_;  // monotonic ms
  boost::asio::steady_timer timer_;
  bool untidy_ = false;
  net::TaskScope jobs_;
};

}  // namespace duhui::hub
