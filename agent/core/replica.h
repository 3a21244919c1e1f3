#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/delivery.h"
#include "agent/core/file_shelf.h"
#include "agent/core/hub_notes.h"
#include "agent/core/named_blobs.h"
#include "agent/core/traffic.h"
#include "agent/core/vault.h"
#include "agent/ports/journal.h"
#include "agent/ports/kv_store.h"
#include "duhui/store/v1/store.pb.h"
#include "duhui/sync/v1/frame.pb.h"
#include "shared/base/ids.h"
#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/merge/file_references.h"
#include "shared/merge/record_state.h"
#include "shared/sync/op_builder.h"
#include "shared/sync/payload_codec.h"

namespace duhui::agent {

class RecordBatch;

/// The records on this device: its own stream, everything the hub sent, and how both are kept.
///
/// A save is: build the ops, append them to the journal (synced), commit them with the records they
/// change (synced), and only then return. After any storage failure the replica reads again what is
/// really there and brings back what the journal holds; a save whose ops are found there succeeded.
///
/// Blocking, not thread-safe: one thread drives it. Reads no clock: time is an argument.
class Replica {
 public:
  struct OpenReport {
    bool fresh = false;                 // nothing was there
    std::uint64_t replayed = 0;         // ops the journal brought back
    std::uint64_t journal_damaged = 0;  // journal ranges that could not be read
    std::uint64_t lost = 0;             // own unacknowledged seqs found nowhere
  };
  struct OwnOp {
    std::uint64_t seq = 0;
    std::string op;  // as it is kept: perhaps locked
    std::string chain;
  };

  /// `store` and `journal` outlive the replica. `salvaged`: the store was damaged and holds only
  /// what could be saved of it, so everything is asked from the hub again.
  static Result<std::unique_ptr<Replica>> open(
      KvStore& store, Journal& journal, Random& random, const ClockReading& clock, bool salvaged);

  // --- people ---

  /// Saves `intents` together, in order. On success all are durable twice. `storage_failed`: none
  /// is known to be saved.
  Result<std::vector<Dot>> save(const std::vector<Intent>& intents, const ClockReading& clock);

  /// The record's state; empty optional: nothing known of it.
  Result<std::optional<RecordState>> record(const RecordId& id);
  /// Ids of one type (0: every type) after `after`, in id order.
  Result<std::vector<RecordId>> find(std::uint32_t type,
                                     const RecordId& after,
                                     std::uint32_t limit);
  std::string seen_token(const RecordId& id, const RecordState& state) const;
  Result<std::vector<store::v1::QuarantinedOp>> quarantine();
  /// How far what was saved here of `record`, as it is now, has come.
  Result<Delivery> delivery(const RecordId& id, const RecordState& record);

  // --- the vault ---

  Vault::State vault_state() const { return vault_.state(); }
  /// Null: not open.
  const VaultKey* vault_key() const { return vault_.key(); }
  const sync::v1::Vault& vault_keepers() const { return vault_.keepers(); }
  /// Somebody signed in. `not_found`: the hub gave this person no key (yet).
  Status unlock_vault(const SigningKey& person);
  /// The last of them has left.
  void lock_vault() { vault_.lock(); }
  /// Those whom the hub has given the key now.
  Status keep_vault(const sync::v1::Vault& vault);
  /// The op's exact bytes if the vault is open, else as it is kept.
  std::string as_readable(const std::string& kept) const;
  /// Records that the school may read while some of their ops are here locked: to be asked for as
  /// soon as the hub has all of it.
  struct HalfOpen {
    RecordId id;
    std::string scope;
  };
  Result<std::vector<HalfOpen>> half_open();

  /// What was sent and received, and what of it may still go this month.
  Traffic& traffic() { return traffic_; }
  /// The files that records saved here name.
  NamedBlobs& blobs() { return blobs_; }
  /// All files that any record here names; empty optional: some cannot be read now.
  Result<std::optional<std::set<Digest>>> named_files();
  /// A file came from the hub: it is locked if the school may not see it, as far as the vault is
  /// open.
  Status put_away_fetched(const BlobName& name);
  /// Where they are kept; both outlive the replica. Until then this device keeps none.
  void keep_files(BlobStore& files, BlobStore& locked) {
    shelf_.emplace(files, locked, store_, vault_);
  }
  /// Null: this device keeps no files.
  FileShelf* files() { return shelf_ ? &*shelf_ : nullptr; }

  // --- sync ---

  /// Recovers from an earlier storage failure, if there was one. A link begins with it.
  Status settle();
  const store::v1::AgentState& state() const { return state_; }
  const Origin& origin() const { return origin_; }
  std::uint64_t unacknowledged() const { return state_.head() - state_.acknowledged(); }
  const OpenReport& open_report() const { return report_; }

  /// The hub said that the stream forked: nothing is sent before the next welcome tells where.
  bool stream_in_doubt() const { return in_doubt_; }
  void doubt_stream(bool doubt) { in_doubt_ = doubt; }

  /// Own ops from `first` on, at least one if there is one, then up to the limits.
  Result<std::vector<OwnOp>> own_ops(std::uint64_t first,
                                     std::size_t bytes_aim,
                                     std::uint32_t ops_max);
  /// H(seq) of the own stream; empty optional: not held. seq 0 is the empty chain.
  Result<std::optional<std::string>> chain_at(std::uint64_t seq);

  /// The hub's welcome: a changed epoch takes back what was acknowledged.
  Status welcomed(const sync::v1::Welcome& welcome);
  /// A durable acknowledgement, with the hub's stamps.
  Status acknowledged(const sync::v1::Ack& ack);
  /// Applies a page of a scope's feed; returns the records that changed.
  Result<std::vector<RecordId>> apply(const sync::v1::FeedPage& page);
  Result<std::vector<RecordId>> apply(const sync::v1::WalkPage& page);
  Result<std::vector<RecordId>> apply(
      const std::string& scope,
      const google::protobuf::RepeatedPtrField<sync::v1::WalkedRecord>& records);
  std::vector<sync::v1::ScopeCursor> cursors() const;
  const std::map<std::string, store::v1::ScopeState>& scopes() const { return scopes_; }
  /// The hub's feed of `scope` holds exactly what this device holds: all of it is merged.
  Status same_as_hub(const std::string& scope);
  /// The hub's feed took another way: ask for the scope from its beginning.
  Status forget_cursor(const std::string& scope);

  /// Whether damage took own ops after `seq`: the stream cannot go on over them.
  Result<bool> has_gap_after(std::uint64_t seq);
  /// Starts a new incarnation: what is left after `common` is saved again under a new origin.
  /// Records whose creating op was destroyed are created by the first op left of them.
  Status reincarnate(std::uint64_t common);

  /// The hub's own ops in the answered range that this device holds and the answer lacks.
  Result<sync::v1::Refill> sealed_beyond(const sync::v1::RangeAnswer& answer);

  /// Additive checksum and number of records of `scope` with ids in [low, high].
  struct RangeSum {
    std::uint64_t checksum = 0;
    std::uint64_t records = 0;
    std::vector<RecordId> some;  // the first ids, for splitting
  };
  Result<RangeSum> range_sum(const std::string& scope, const RecordId& low, const RecordId& high);

 private:
  friend class RecordBatch;
  Replica(KvStore& store, Journal& journal, Random& random);

  Status load(const ClockReading& clock, bool salvaged);
  Status start_fresh();
  Status replay_journal();
  Status adopt_journal_stream(const Dot& first);
  /// Own ops that the salvaged store lacks and the journal has.
  Status fill_from_journal();
  Status settle_after_salvage();
  Status load_vault();
  /// Locks the new ops of `records` that the school may not read, and opens to it what it now may.
  Status put_away(RecordBatch& records, const std::vector<RecordId>& ids);
  /// The hub answered with all of it in hand. After a restore it may have less than this device.
  static bool covers(const sync::v1::WalkedRecord& answer, const store::v1::StoredRecord& record);
  /// The hub does not have all of it yet.
  bool waits_for_ack(const store::v1::StoredRecord& record) const;
  /// The files that an own op names, which the journal brought back. Of one that is locked, as soon
  /// as the vault is open.
  Status name_blobs(const Dot& dot, std::string_view kept, KvBatch* batch);
  Status name_waiting_blobs();
  /// Whether a record that the school may read, another than `than`, names the file.
  Result<bool> is_shown_elsewhere(const Digest& sha256, const RecordId& than);
  /// Opens those that the school may see since what was just saved.
  void show_files();
  /// Opens those that the school may see by now.
  Status open_shown_files();
  /// Locks the files that this record names, or opens them to the school.
  Status put_away_files(const RecordId& id, const std::vector<FileReference>& files, bool open);
  /// What was typed before there was a vault, the own log included.
  Status put_away_all();
  Status count_scopes(KvBatch& batch);
  /// After `storage_failed`: reads everything again.
  Status recover();
  Status commit(const KvBatch& batch);
  /// For what the hub would send again.
  Status commit_unsynced(const KvBatch& batch);
  void forget();
  /// Own ops after `seq`, past holes, in order.
  Result<std::vector<OwnOp>> held_after(std::uint64_t seq);
  Status count_boot(const ClockReading& clock);
  Result<std::vector<Dot>> try_save(const std::vector<Intent>& intents, const ClockReading& clock);
  Result<std::vector<RecordId>> apply_runs(
      const std::string& scope,
      const google::protobuf::RepeatedPtrField<sync::v1::Batch>& runs,
      RecordBatch& batch);
  /// An op of the own stream comes from the hub: is it ours? `conflict`: a copy of this device
  /// wrote it.
  Status check_own(std::uint64_t seq, std::string_view bytes);
  void keep_receipt(const sync::v1::Receipt& receipt);
  Status restamp(std::uint64_t first, const sync::v1::Ack& ack, RecordBatch& batch);
  void put_state(KvBatch& batch) const;

  KvStore& store_;
  Journal& journal_;
  Random& random_;
  PayloadCodec codec_;
  NamedBlobs blobs_{store_};
  HubNotes notes_{store_};
  Traffic traffic_{store_};
  Vault vault_;
  std::optional<FileShelf> shelf_;
  std::set<Digest> to_show_;  // once the save is durable
  store::v1::AgentState state_;
  Origin origin_;
  std::map<std::string, store::v1::ScopeState> scopes_;
  OpenReport report_;
  bool in_doubt_ = false;
  bool broken_ = false;  // a storage failure has not been recovered from yet
};

}  // namespace duhui::agent
