#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/core/blob_exchange.h"
#include "agent/core/replica.h"
#include "duhui/sync/v1/frame.pb.h"
#include "shared/base/ids.h"
#include "shared/base/time.h"
#include "shared/crypto/signing.h"
#include "shared/sync/limits.h"
#include "shared/sync/payload_codec.h"

namespace duhui::agent {

/// Who this device is; made at enrolment and kept beside the database.
struct DeviceIdentity {
  DeviceId id;
  SigningKey key;
  /// Present until the hub has confirmed the enrolment.
  std::string ticket;
};

// Effects: what the shell must do next, in order.
struct Send {
  std::string frame;
  /// A piece of a file: everything else goes before it.
  bool bulk = false;
};
/// Replaces the previous timer.
struct ArmTimer {
  Duration delay;
};
struct CloseLink {
  std::string reason;
  /// Connect again no sooner than this.
  Duration retry_after{};
  /// The device changed its stream: connect again at once.
  bool at_once = false;
};
/// These records now look different.
struct RecordsChanged {
  std::vector<RecordId> ids;
};
/// Something became durable at the hub: backoff starts anew, watermarks moved.
struct DurableAck {
  std::uint64_t through = 0;
};
/// The hub has seen some more of a file: nothing is signed, but the road carries.
struct FileCarried {};
/// Other people may open the vault now.
struct VaultChanged {};
/// A file that was asked for is here, or why it is not.
struct FileFetched {
  BlobName name;
  Status how;
};
using Effect = std::variant<Send,
                            ArmTimer,
                            CloseLink,
                            RecordsChanged,
                            DurableAck,
                            FileCarried,
                            VaultChanged,
                            FileFetched>;

/// The device's side of one link to the hub.
///
///   greeting --Welcome--> live --Goodbye, error, timeout--> closed
///       \--fork--> probing --common point found--> closed (and at once again, under a new origin)
///
/// Sans-io: bytes and time in, effects out. One object per connection. Not thread-safe.
/// Ops are sent at once, without waiting for Welcome, within the credit of the last session;
/// duplicates are free. Nothing counts as delivered before the hub's durable Ack.
class SyncSession {
 public:
  enum class State : std::uint8_t { greeting, live, probing, closed };

  /// `replica` and `identity` outlive the session.
  SyncSession(Replica& replica, const DeviceIdentity& identity, std::string software);

  /// The link is open. `channel_binding`: the TLS exporter's value for this channel.
  std::vector<Effect> link_up(std::string_view channel_binding, const ClockReading& clock);
  std::vector<Effect> received(std::string_view bytes, const ClockReading& clock);
  std::vector<Effect> timer_fired(const ClockReading& clock);
  /// Ops were saved on this device.
  std::vector<Effect> saved(const ClockReading& clock);

  /// Somebody wants to see a file that is not here. False: not now, there is no hub.
  bool fetch(const BlobName& name, std::vector<Effect>& effects);
  /// The link is gone: what came of a file is kept.
  std::vector<Effect> link_down(const ClockReading& clock);

  State state() const { return state_; }
  /// Everything saved is acknowledged, every announced scope was at its head, and no checksum waits
  /// to be explained.
  bool caught_up() const;
  const std::string& device_name() const { return device_name_; }
  /// The hub has revoked this device: it keeps what it is sent for a person to decide, and sends
  /// nothing.
  bool revoked() const { return revoked_; }

 private:
  void send(const sync::v1::Frame& frame, std::vector<Effect>& effects);
  /// A RangeRequest: nothing is certain before its answer is here.
  void ask(const sync::v1::Frame& frame, std::vector<Effect>& effects);
  void close(std::string reason,
             std::vector<Effect>& effects,
             bool at_once = false,
             Duration retry_after = {});
  void push_more(std::vector<Effect>& effects, const ClockReading& clock);
  void arm(std::vector<Effect>& effects);

  void on_welcome(const sync::v1::Welcome& welcome, std::vector<Effect>& effects);
  void on_ack(const sync::v1::Ack& ack, std::vector<Effect>& effects);
  void on_feed_page(const sync::v1::FeedPage& page,
                    std::size_t bytes,
                    std::vector<Effect>& effects);
  void on_walk_page(const sync::v1::WalkPage& page,
                    std::size_t bytes,
                    std::vector<Effect>& effects);
  void compare_postponed(std::vector<Effect>& effects);
  void on_range_answer(const sync::v1::RangeAnswer& answer,
                       std::size_t bytes,
                       std::vector<Effect>& effects);
  /// For records that the school may read now, in full.
  void ask_for_half_open(std::vector<Effect>& effects);
  /// What `exchange_` wants sent and told; an error of it ends the link.
  void perform(Status done, BlobExchange::Out out, std::vector<Effect>& effects);
  void on_file_frame(const sync::v1::Frame& frame, MonotonicTime now, std::vector<Effect>& effects);
  void pump_files(MonotonicTime now, std::vector<Effect>& effects);
  void count_received(const sync::v1::Frame& frame, std::size_t bytes);
  void count_batch(const std::vector<Replica::OwnOp>& ops, std::size_t bytes);
  void look_at_traffic(const ClockReading& clock, std::vector<Effect>& effects);
  void on_fork_point(const sync::v1::ForkPoint& point, std::vector<Effect>& effects);
  void probe(std::uint64_t low, std::uint64_t high, std::vector<Effect>& effects);
  void reincarnate(std::uint64_t common, std::vector<Effect>& effects);
  void not_applied(const Error& error, std::vector<Effect>& effects);
  void grant(const std::string& scope, std::size_t bytes, std::vector<Effect>& effects);
  void compare_checksum(const std::string& scope,
                        std::uint64_t through,
                        std::uint64_t checksum,
                        std::vector<Effect>& effects);

  struct InFlight {
    std::uint64_t last_seq = 0;
    MonotonicTime sent_at;
  };

  Replica& replica_;
  const DeviceIdentity& identity_;
  const std::string software_;
  PayloadCodec codec_;
  State state_ = State::greeting;
  std::uint64_t hello_head_ = 0;
  std::uint64_t next_unsent_at_hello_ = 1;
  std::uint64_t next_seq_ = 1;
  std::uint64_t credit_ = sync_limits::kInitialCredit;
  std::uint64_t sent_before_welcome_ = 0;
  std::deque<InFlight> in_flight_;
  std::size_t batch_aim_ = sync_limits::kBatchRawBytesFirst;
  std::uint64_t file_told_ = 0;  // bytes of the present file that the hub has seen, as told
  bool prompt_ = false;          // the newest acknowledgement came soon
  Packing packing_;              // what the hub unpacks
  bool ping_sent_ = false;
  MonotonicTime heard_at_;
  std::uint64_t ungranted_ = 0;
  std::map<std::string, bool> at_head_;
  std::map<std::string, std::uint64_t> checked_;  // scope -> feed position compared
  struct FeedSum {
    std::uint64_t through = 0;
    std::uint64_t checksum = 0;
  };
  std::map<std::string, FeedSum> postponed_;  // to be compared once nothing is on its way
  std::uint32_t questions_ = 0;               // RangeRequests without an answer
  std::set<RecordId> asked_;                  // half open records, not answered yet
  std::set<RecordId> answered_;               // nothing new has come since
  std::uint64_t probe_low_ = 0;               // known common
  std::uint64_t probe_high_ = 0;              // known different
  std::string device_name_;
  bool revoked_ = false;
  std::optional<BlobExchange> exchange_;  // once welcomed, where files are kept
};

}  // namespace duhui::agent
