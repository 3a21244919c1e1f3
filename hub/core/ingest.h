#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "duhui/sync/v1/frame.pb.h"
#include "hub/core/checked_batch.h"
#include "hub/core/op_reader.h"
#include "hub/core/record_rules.h"
#include "hub/ports/store.h"
#include "shared/base/time.h"
#include "shared/crypto/signing.h"
#include "shared/sync/stamps.h"

namespace duhui::hub {

/// Kind of the quarantine rows of ops that wait as proposals; they are part of their records.
inline constexpr std::string_view kProposalKind = "proposal";
/// Ops of a device that was revoked when it sent them.
inline constexpr std::string_view kRevokedKind = "revoked";
/// Ops on a record whose creating op is not merged.
inline constexpr std::string_view kOrphanKind = "orphan";

/// What a device is told of an op that was not merged.
sync::v1::Note note_of(std::uint64_t seq, std::string_view kind, const std::string& detail);

/// A batch that a session received, with what is known of its sender.
struct IncomingBatch {
  sync::v1::Batch batch;
  DeviceId device;
  std::string public_key;
  std::vector<std::string> scopes;
  ClockReading device_clock;  // at the connection
  WallTime hub_clock;         // at the same moment
  bool revoked = false;       // when it said hello; what the database says counts as well
};

/// What became of it.
struct BatchOutcome {
  /// Durable head of the stream afterwards.
  std::uint64_t through = 0;
  std::string chain;
  std::vector<sync::v1::Stamp> stamps;
  std::vector<sync::v1::Note> notes;
  /// The batch does not continue the stream: its sender must find the common point.
  bool fork = false;
  /// Not taken at all, for this reason.
  std::string refused;
};

/// What devices must be told of at once: who may open their vaults, and where laptops belong.
struct ChangedPeople {
  std::set<std::string> account_scopes{};  // places of which an account changed
  bool postings = false;
};

/// One transaction's work on streams, records and feeds. Made for one HubStore::write call and
/// thrown away with it: pure given the transaction, so it may be run again.
class Ingest final : public RecordLookup {
 public:
  Ingest(HubTransaction& tx,
         OpReader& ops,
         RecordRules& rules,
         const SigningKey& hub_key,
         WallTime now)
      : tx_(tx), ops_(ops), rules_(rules), hub_key_(hub_key), now_(now) {}

  /// `ahead`: null, or what check_batch said of it.
  Result<BatchOutcome> take(const IncomingBatch& incoming, const CheckedBatch* ahead);
  /// Saves intents of people at the hub (and of its rules) in the hub's own stream.
  Result<std::vector<Dot>> save(const Origin& hub_origin,
                                std::uint64_t& hlc,
                                const std::vector<Intent>& intents);
  /// Merges an op that a person lets out of quarantine, as if it had come now from a device that
  /// was never revoked, and then what waited for it. False: it waits on, as what its row now says.
  Result<bool> accept(const QuarantineRow& row);
  /// Takes back one of the hub's own ops from a device that holds it; false: it is here already.
  Result<bool> take_back(const Dot& dot, std::string_view bytes, std::string_view seal);
  /// Runs the domain's rules, then writes every changed record, feed and conflict row.
  Status finish(const Origin& hub_origin, std::uint64_t& hlc);

  /// Scopes whose feed grew, and their heads.
  const std::map<std::string, FeedHead>& grown_feeds() const { return feeds_; }
  const std::vector<RecordId>& changed_records() const { return changed_; }
  const ChangedPeople& changed_people() const { return people_; }

  Result<const RecordState*> state(const RecordId& id) override;
  Result<std::vector<RecordId>> linked_to(std::string_view name, std::string_view to) override;
  Result<std::optional<std::string>> setting(std::string_view key) override;
  Status set(std::string_view key, std::string_view value) override;

 private:
  struct Touched {
    RecordRow row;
    bool existed = false;
    bool changed = false;
    bool dirty = false;
    std::optional<RecordState> state;      // loaded when somebody needs it
    std::optional<RecordSummary> summary;  // new record, nothing but its creating op yet
  };
  struct FeedRun {
    std::uint64_t first_seq = 0;
    std::uint32_t count = 0;
    std::uint64_t checksum = 0;
  };

  struct EarlyOp {
    std::string scope;
    std::uint64_t seq = 0;
    std::uint64_t checksum = 0;
  };

  Result<Touched*> touch(const RecordId& id);
  Status need_state(Touched& touched);
  /// Ops that came before their record was known, by devices that may not write where it is.
  Status drop_strangers(const std::string& scope, Touched& touched);
  Status add_op(const Dot& dot,
                std::uint64_t checksum,
                const sync::v1::Op& op,
                const OpStamp& stamp,
                Touched& touched);
  /// Empty: taken. Otherwise the kind of quarantine.
  Result<std::string> judge(const Dot& dot,
                            const sync::v1::Op& op,
                            const IncomingBatch& incoming,
                            Touched* touched);
  /// Whether the sender was revoked, and how its ops are labelled then.
  Result<std::optional<DeviceRow>> revoked_sender(const IncomingBatch& incoming);
  Status keep_aside(const Dot& dot,
                    std::string_view bytes,
                    const DeviceRow& sender,
                    const IncomingBatch& incoming,
                    StampRuns& runs);
  Result<bool> merge_accepted(const QuarantineRow& row);
  Result<OpStamp> settle_stamp(const Dot& dot,
                               const sync::v1::Op& op,
                               std::string_view scope,
                               const std::vector<std::string>& device_scopes);
  Status take_ops(const IncomingBatch& incoming,
                  const CheckedBatch& checked,
                  std::uint64_t first_new,
                  BatchOutcome& outcome);
  Status store_batch(const CheckedBatch& checked,
                     const sync::v1::Batch& batch,
                     std::uint64_t first_new,
                     StreamRow& stream,
                     const BatchOutcome& outcome);
  void feed(const std::string& scope, std::uint64_t seq, std::uint64_t checksum);
  Status flush_feed(const Origin& origin);
  Status append_feed(const std::string& scope, const Origin& origin, const FeedRun& run);
  Status drop_settled_proposals(const RecordState& state);
  /// Whether the rules want to hear of it.
  Result<bool> write_record(const RecordId& id, Touched& touched);
  Result<const Standing*> standing_of(const std::string& person);

  HubTransaction& tx_;
  OpReader& ops_;
  RecordRules& rules_;
  const SigningKey& hub_key_;
  const WallTime now_;
  std::unordered_map<RecordId, Touched> touched_;
  std::vector<RecordId> dirty_;    // changed and not yet written
  std::vector<RecordId> changed_;  // each once, in order of arrival
  ChangedPeople people_;
  std::map<std::string, FeedHead> feeds_;
  std::map<std::string, std::vector<FeedRun>> pending_feed_;
  std::map<Origin, std::vector<EarlyOp>> early_;  // of shells whose scope just became known
  std::map<Origin, StreamRow> streams_;
  std::map<std::string, Standing> standings_;
  std::map<DeviceId, std::optional<DeviceRow>> devices_;
};

}  // namespace duhui::hub
