#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "hub/core/blob_exchange.h"
#include "hub/core/decisions.h"
#include "hub/core/jobs.h"
#include "hub/core/ticket_guard.h"
#include "shared/base/time.h"

namespace duhui::hub {

// Effects: what the shell must do next, in order.
struct SendTo {
  SessionId session = 0;
  std::string frame;
};
struct CloseSession {
  SessionId session = 0;
  std::string reason;
};
/// Replaces the session's timer.
struct ArmSessionTimer {
  SessionId session = 0;
  Duration delay;
};
struct RunJob {
  std::unique_ptr<Job> job;
};
/// A device finished greeting; the shell may log it.
struct DeviceConnected {
  SessionId session = 0;
  DeviceId device;
  std::string name;
};
using HubEffect = std::variant<SendTo, CloseSession, ArmSessionTimer, RunJob, DeviceConnected>;
using HubEffects = std::vector<HubEffect>;

struct HubLimits {
  std::size_t sessions_max = 20'000;
  /// Raw batch bytes waiting for a commit, over all sessions; beyond it nobody gets new credit.
  std::size_t pending_bytes_max = 48 << 20;
  /// Batches put into one transaction.
  /// What the batches of one commit take in memory (CommitJob::Item::weight).
  std::size_t commit_bytes_max = 16 << 20;
  /// Every record a commit touches may be in memory until it is done.
  std::size_t commit_ops_max = 4096;
  /// The same for what is checked ahead of its commit at a time, and for what may wait checked.
  std::size_t check_bytes_max = 4 << 20;
  std::size_t checked_bytes_max = 16 << 20;
};

/// The hub between its links and its database.
///
///   session:  opened --Hello--> greeting --HelloJob--> live --> closed
///   commits:  batches of all sessions queue up while one CommitJob runs, and CheckJobs do what
///             needs no database for them; then they go in together, in the order they came. An
///             Ack leaves only when the job that holds its ops has come back.
///
/// Sans-io and single-threaded: bytes, finished jobs and time in, effects out. Jobs run elsewhere;
/// writing jobs in the order they were issued.
class HubCore {
 public:
  /// What a Goodbye says to a device whose batch does not continue the stream.
  static constexpr std::string_view kForked = "the stream forked: say hello again";

  HubCore(const HubIdentity& identity, std::string software, HubLimits limits = {});

  /// `source`: the address it comes from, as far as it is told apart; empty: not known.
  HubEffects opened(SessionId session,
                    std::string channel_binding,
                    MonotonicTime now,
                    std::string source = {},
                    const Arrival& arrival = {});
  HubEffects received(SessionId session, std::string_view bytes, WallTime wall, MonotonicTime now);
  HubEffects timer_fired(SessionId session, MonotonicTime now);
  HubEffects closed(SessionId session);
  HubEffects job_done(std::unique_ptr<Job> job, WallTime wall, MonotonicTime now);
  /// Somebody at the hub saves; issue the job, read its result, and hand it back through job_done.
  std::unique_ptr<SaveJob> save(std::vector<Intent> intents, WallTime wall) const;
  /// The same for a decision about ops in quarantine.
  std::unique_ptr<DecideJob> decide(Decision decision,
                                    std::vector<Dot> dots,
                                    std::string person,
                                    WallTime wall) const;
  /// Clears up parts of files that are of no use any more. Now and then.
  HubEffects collect_files();
  /// Says goodbye to everyone; nothing new is taken.
  HubEffects shut_down();
  /// A device was revoked or its scopes changed: its sessions end and it says hello again.
  HubEffects drop_device(const DeviceId& device, const std::string& why);

  std::size_t sessions() const { return sessions_.size(); }
  bool idle() const { return !commit_running_ && queue_.empty(); }
  std::set<DeviceId> connected_devices() const;
  /// By device, since this started.
  const std::map<DeviceId, FileCounters>& file_counters() const { return file_counters_; }

 private:
  struct Feed {
    std::uint64_t through = 0;  // sent up to here
    std::uint64_t head = 0;     // known head
    bool walking = false;
    std::string walk_after;
  };
  struct Session {
    enum class State : std::uint8_t { opened, greeting, live, leaving };
    SessionId id = 0;
    State state = State::opened;
    std::string binding;
    std::string source;
    Arrival arrival;
    DeviceRow device;
    Origin origin;
    std::uint64_t own_log_from = 1;
    std::uint64_t own_through = 0;
    ClockReading device_clock;
    WallTime hub_clock;
    bool upload_only = false;
    bool revoked = false;   // what it sends is kept aside, and it gets nothing
    Packing packing;        // what the device unpacks
    sync::v1::Vault vault;  // who may open what it holds locked
    bool gap_told = false;
    bool fork_told = false;
    std::uint64_t credit_out = 0;        // downstream bytes the device will still take
    std::uint64_t credit_in = 0;         // upstream bytes it may still send
    std::vector<sync::v1::Batch> early;  // arrived before the welcome
    std::vector<std::size_t> early_bytes;
    std::map<std::string, Feed> feeds;
    bool feed_job_running = false;
    std::uint32_t questions_running = 0;
    MonotonicTime heard_at;
    bool pinged = false;
    std::optional<BlobExchange> files;  // once welcomed

    bool reads(std::string_view scope) const;
  };

  Session* find(SessionId id);
  void send(Session& session, const sync::v1::Frame& frame, HubEffects& effects);
  void goodbye(Session& session,
               sync::v1::Goodbye::Reason reason,
               std::string detail,
               HubEffects& effects,
               Duration retry_after = {});
  void on_hello(Session& session, const sync::v1::Hello& hello, WallTime wall, HubEffects& effects);
  void on_batch(Session& session,
                sync::v1::Batch&& batch,
                std::size_t bytes,
                WallTime wall,
                HubEffects& effects);
  void on_question(Session& session, sync::v1::Frame&& frame, HubEffects& effects);
  void on_file_frame(Session& session,
                     const sync::v1::Frame& frame,
                     MonotonicTime now,
                     HubEffects& effects);
  void perform(Session& session, BlobExchange::Out out, HubEffects& effects);
  void welcome(HelloJob& job, WallTime wall, MonotonicTime now, HubEffects& effects);
  void committed(CommitJob& job, WallTime wall, HubEffects& effects);
  void acknowledge(const CommitJob::Item& item,
                   const std::map<std::string, FeedHead>& grown,
                   WallTime wall,
                   HubEffects& effects);
  /// Once the hub is no longer behind, to those whose acks brought none.
  void return_credit(WallTime wall, HubEffects& effects);
  sync::v1::Receipt receipt(const Session& session,
                            std::uint64_t through,
                            const std::string& chain,
                            WallTime wall) const;
  void fed(FeedJob& job, WallTime wall, HubEffects& effects);
  void start_commit(WallTime wall, HubEffects& effects);
  /// Writes down who was here, if no batch of anybody does it on its way.
  void note_contacts(HubEffects& effects);
  void issue_commit(WallTime wall, HubEffects& effects);
  void check_ahead(HubEffects& effects);
  void checked(const CheckJob& job, WallTime wall, HubEffects& effects);
  /// Neither the front nor what is behind it may overtake what is being checked.
  bool front_is_free() const { return !queue_.empty() && (checked_ > 0 || checking_ == 0); }
  void wake(const std::map<std::string, FeedHead>& grown, WallTime wall, HubEffects& effects);
  /// Asks who may open the vaults of the devices at places of which an account changed; before
  /// their pages, so that nobody gets an account there without its key. Laptops say hello again
  /// when postings changed.
  void people_changed(const ChangedPeople& people, HubEffects& effects);
  void vault_found(VaultJob& job, HubEffects& effects);
  void feed_more(Session& session, WallTime wall, HubEffects& effects);
  void subscribe(Session& session,
                 const std::string& scope,
                 std::uint64_t through,
                 std::uint64_t head);

  const HubIdentity& identity_;
  const std::string software_;
  const HubLimits limits_;
  std::unordered_map<SessionId, Session> sessions_;
  TicketGuard ticket_guard_;
  std::map<std::string, std::set<SessionId>> subscribers_;
  std::set<std::string> known_scopes_;  // scopes whose first growth was announced
  // In the order they came: some checked, then those a CheckJob has, then the rest.
  std::deque<std::shared_ptr<CommitJob::Item>> queue_;
  std::size_t checked_ = 0;
  std::size_t checked_bytes_ = 0;  // weight of these
  std::size_t checking_ = 0;
  std::map<DeviceId, FileCounters> file_counters_;
  std::map<DeviceId, Contact> contacts_;  // the newest of each, not written yet
  std::size_t pending_bytes_ = 0;
  struct Durable {
    std::uint64_t through = 0;
    std::string chain;
  };
  std::map<SessionId, Durable> credit_withheld_;
  bool commit_running_ = false;
  bool shutting_down_ = false;
  bool collecting_ = false;
  mutable std::uint64_t hlc_ = 0;
};

}  // namespace duhui::hub
