#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "duhui/sync/v1/frame.pb.h"
#include "shared/base/audit_entry.h"
#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/merge/op_stamp.h"

namespace duhui::hub {

/// One stream as the hub holds it.
struct StreamRow {
  Origin origin{};
  DeviceId device{};
  std::uint64_t head = 0;       // newest durable seq; 0: none
  std::string chain{};          // H(head), 32 bytes; empty at 0
  std::uint64_t backed_up = 0;  // covered by a verified backup

  friend bool operator==(const StreamRow&, const StreamRow&) = default;
};

/// A batch of ops as received (payload compressed, bytes untouched).
struct BatchRow {
  Origin origin{};
  std::uint64_t first_seq = 0;
  std::uint32_t count = 0;
  sync::v1::Encoding encoding = sync::v1::ENCODING_PLAIN;
  std::uint32_t dictionary = 0;
  std::uint32_t raw_bytes = 0;
  std::string payload{};
  std::string chain{};      // H(last), 32 bytes
  std::string signature{};  // may be empty for the hub's own stream
  std::string stamps{};     // serialized duhui.store.v1.Stamps, one run per change
  WallTime received_at{};

  friend bool operator==(const BatchRow&, const BatchRow&) = default;
};

/// Where an op of a record is, and how it was stamped.
struct OpRef {
  Dot dot{};
  OpStamp stamp{};

  friend bool operator==(const OpRef&, const OpRef&) = default;
};

/// One record: the list of its ops is its state; the columns are for queries.
struct RecordRow {
  RecordId id{};
  std::uint32_t type = 0;  // 0 until any op told it
  std::string scope{};     // empty: shell
  bool born = false;
  bool deleted = false;
  std::string school_id{};
  std::string date{};   // business date, ISO 8601; empty: none
  std::string state{};  // folded state
  std::uint32_t open_conflicts = 0;
  std::uint64_t checksum = 0;  // additive, over the record's ops
  std::vector<OpRef> ops{};    // in order of arrival

  friend bool operator==(const RecordRow&, const RecordRow&) = default;
};

/// A run of one stream's ops in one scope's feed: positions [first, first + count).
struct FeedRow {
  std::string scope{};
  std::uint64_t first = 0;
  std::uint32_t count = 0;
  Origin origin{};
  std::uint64_t first_seq = 0;       // ops first_seq .. first_seq + count - 1
  std::uint64_t checksum_after = 0;  // additive, over positions 1 .. first + count - 1

  friend bool operator==(const FeedRow&, const FeedRow&) = default;
};

struct FeedHead {
  std::uint64_t through = 0;
  std::uint64_t checksum = 0;

  friend bool operator==(const FeedHead&, const FeedHead&) = default;
};

struct DeviceRow {
  DeviceId id{};
  std::string public_key{};  // Ed25519, 32 bytes
  std::string name{};
  std::vector<std::string> scopes{};  // what it may read and write; each with its ancestors
  bool revoked = false;
  std::string flags{};  // comma separated: clock_skew, rollback_detected, fork_detected,
                        // hub_was_behind, ops_lost
  WallTime enrolled_at{};
  WallTime last_seen_at{};
  std::int64_t clock_offset_ms = 0;  // device minus hub at the last connection
  Origin current_origin{};
  std::string software{};

  friend bool operator==(const DeviceRow&, const DeviceRow&) = default;
};

/// A field that waits for a person's decision.
struct ConflictRow {
  RecordId record{};
  std::uint32_t record_type = 0;
  std::uint32_t field = 0;
  std::string key{};
  std::string scope{};
  WallTime opened_at{};

  friend bool operator==(const ConflictRow&, const ConflictRow&) = default;
};

/// Kind of the quarantine rows that a person has decided to keep and not to merge.
inline constexpr std::string_view kSetAsideKind = "set_aside";

/// An op that could not be merged (yet): malformed, unknown type of record, forbidden, orphan.
struct QuarantineRow {
  Dot dot{};
  std::string kind{};  // malformed, orphan, revoked, ...
  std::string detail{};
  std::string op{};  // exact bytes
  WallTime received_at{};

  friend bool operator==(const QuarantineRow&, const QuarantineRow&) = default;
};

/// An entry of the audit log, chained to the one before it (shared/crypto/audit_chain.h).
struct AuditRow {
  std::uint64_t seq = 0;  // from 1, without a gap
  AuditEntry entry{};
  std::string chain{};  // H(seq), 32 bytes

  friend bool operator==(const AuditRow&, const AuditRow&) = default;
};

struct AuditHead {
  std::uint64_t seq = 0;  // 0: empty
  std::string chain{};    // H(seq); empty at 0

  friend bool operator==(const AuditHead&, const AuditHead&) = default;
};

/// The hub's word on how long the log was: a log that ends before it has lost its tail.
struct AuditCheckpoint {
  std::uint64_t seq = 0;
  std::string chain{};
  WallTime at{};
  std::string signature{};

  friend bool operator==(const AuditCheckpoint&, const AuditCheckpoint&) = default;
};

class StreamTable {
 public:
  virtual ~StreamTable() = default;
  virtual Result<std::optional<StreamRow>> get(const Origin& origin) = 0;
  /// In origin order.
  virtual Result<std::vector<StreamRow>> of_device(const DeviceId& device) = 0;
  virtual Status put(const StreamRow& row) = 0;
  /// Appends a batch. One that overlaps a batch the stream already has is a `conflict`; a gap
  /// before it is allowed (destroyed ranges are declared elsewhere).
  virtual Status add_batch(const BatchRow& row) = 0;
  /// The batch that holds `seq`; empty optional: none.
  virtual Result<std::optional<BatchRow>> batch_at(const Origin& origin, std::uint64_t seq) = 0;
  /// Replaces the stamps of the batch that begins at `first_seq`. `not_found`: none does.
  virtual Status restamp(const Origin& origin,
                         std::uint64_t first_seq,
                         std::string_view stamps) = 0;
};

class RecordTable {
 public:
  virtual ~RecordTable() = default;
  virtual Result<std::optional<RecordRow>> get(const RecordId& id) = 0;
  /// The rows of `ids`, in the order asked, absent ones empty. In a writing transaction the rows
  /// are locked in id order until its end, so that hub nodes that share records never deadlock: a
  /// committer asks for all the records of its commit at once, before it puts any.
  virtual Result<std::vector<std::optional<RecordRow>>> get_many(
      const std::vector<RecordId>& ids) = 0;
  /// Inserts or replaces. The row is seen by every later call of this transaction; an
  /// implementation may hold it back until then, so a failing disk may be reported by a later call.
  virtual Status put(const RecordRow& row) = 0;
  struct Query {
    std::uint32_t type = 0;      // 0: any
    std::string scope_prefix{};  // the scope itself and all below it; empty: any
    bool below = true;           // false: not what is below it
    std::string school_id{};     // empty: any
    std::string state{};         // empty: any
    std::string date_from{};     // inclusive; empty: any. Compared byte by byte.
    std::string date_to{};       // inclusive; empty: any. A bound excludes rows without a date.
    bool only_conflicts = false;
    RecordId after{};  // resume after this id
    std::uint32_t limit = 100;
  };
  /// In id order.
  virtual Result<std::vector<RecordRow>> find(const Query& query) = 0;
  /// Ids in (after, ...] of exactly `scope`, in id order: the state walk.
  virtual Result<std::vector<RecordRow>> walk(std::string_view scope,
                                              const RecordId& after,
                                              std::uint32_t limit) = 0;
  /// Links "record `from` refers to `to`" under `name` ("notice_id"); idempotent.
  virtual Status link(const RecordId& from, std::string_view name, std::string_view to) = 0;
  /// In id order.
  virtual Result<std::vector<RecordId>> linked_to(std::string_view name, std::string_view to) = 0;
};

class FeedTable {
 public:
  virtual ~FeedTable() = default;
  virtual Result<FeedHead> head(std::string_view scope) = 0;
  /// Appends after the head; a `row.first` other than head.through + 1 is a `conflict`. In a
  /// writing transaction `head` and `append` lock the scope until its end.
  virtual Status append(const FeedRow& row) = 0;
  /// Rows that hold positions > `after`, in order, at most `limit`.
  virtual Result<std::vector<FeedRow>> read(std::string_view scope,
                                            std::uint64_t after,
                                            std::uint32_t limit) = 0;
  /// Oldest position still readable (1: nothing was trimmed; head.through + 1: everything was).
  virtual Result<std::uint64_t> first_kept(std::string_view scope) = 0;
  /// Forgets the rows that hold only positions <= `through`; the head stays.
  virtual Status trim(std::string_view scope, std::uint64_t through) = 0;
  /// All scopes that have a feed, ordered.
  virtual Result<std::vector<std::string>> scopes() = 0;
};

class DeviceTable {
 public:
  virtual ~DeviceTable() = default;
  virtual Result<std::optional<DeviceRow>> get(const DeviceId& id) = 0;
  /// In id order.
  virtual Result<std::vector<DeviceRow>> all() = 0;
  virtual Status put(const DeviceRow& row) = 0;
};

class ReviewTable {
 public:
  virtual ~ReviewTable() = default;
  /// Replaces the open conflicts of one record by `rows`.
  virtual Status set_conflicts(const RecordId& record, const std::vector<ConflictRow>& rows) = 0;
  /// Those of the scope itself and all below it (empty: any), oldest first; ties by record, field
  /// and key.
  virtual Result<std::vector<ConflictRow>> conflicts(std::string_view scope_prefix,
                                                     std::uint32_t limit) = 0;
  /// One row per dot: the newest replaces.
  virtual Status add_quarantine(const QuarantineRow& row) = 0;
  /// For an op that could be processed after all; unknown dots are no error.
  virtual Status drop_quarantine(const Dot& dot) = 0;
  /// Oldest first; ties by dot. All that wait: without those that were set aside.
  virtual Result<std::vector<QuarantineRow>> quarantine(std::uint32_t limit) = 0;
  /// Those of one kind (kSetAsideKind, too), in the same order.
  virtual Result<std::vector<QuarantineRow>> quarantine_of(std::string_view kind,
                                                           std::uint32_t limit) = 0;
  virtual Result<std::optional<QuarantineRow>> quarantined(const Dot& dot) = 0;
};

/// Small named values: epoch, hub id, tickets, counters ("ticket/ab12", "number/430202/2025").
class SettingTable {
 public:
  virtual ~SettingTable() = default;
  virtual Result<std::optional<std::string>> get(std::string_view key) = 0;
  virtual Status put(std::string_view key, std::string_view value) = 0;
  virtual Status erase(std::string_view key) = 0;
  /// Keys that start with `prefix`, in order.
  virtual Result<std::vector<std::pair<std::string, std::string>>> list(
      std::string_view prefix) = 0;
};

/// Who did what. Nothing in it is ever changed or removed, by anyone.
class AuditTable {
 public:
  virtual ~AuditTable() = default;
  virtual Result<AuditHead> head() = 0;
  /// `conflict`: its seq does not follow the head.
  virtual Status append(const AuditRow& row) = 0;
  /// Entries with seq > `after`, in order.
  virtual Result<std::vector<AuditRow>> read(std::uint64_t after, std::uint32_t limit) = 0;
  /// `conflict`: not of the head, or there already.
  virtual Status add_checkpoint(const AuditCheckpoint& checkpoint) = 0;
  /// Those with seq > `after`, in order.
  virtual Result<std::vector<AuditCheckpoint>> checkpoints(std::uint64_t after,
                                                           std::uint32_t limit) = 0;
};

/// The tables inside one transaction.
class HubTransaction {
 public:
  virtual ~HubTransaction() = default;
  virtual StreamTable& streams() = 0;
  virtual RecordTable& records() = 0;
  virtual FeedTable& feed() = 0;
  virtual DeviceTable& devices() = 0;
  virtual ReviewTable& review() = 0;
  virtual SettingTable& settings() = 0;
  virtual AuditTable& audit() = 0;
};

/// Where the hub keeps everything. Calls block; run them on the storage thread. `work` must not
/// call the store itself.
///
/// Errors of every method: `storage_failed` (the disk or the database refused; nothing of the
/// transaction is kept), `corrupt_data` (what is stored is damaged), `limit_exceeded` (see
/// store_limits.h), `unavailable` (busy for too long; try again), `refused` (a change in a read).
class HubStore {
 public:
  virtual ~HubStore() = default;

  /// Runs `work` in one transaction. An error from `work` rolls back and is returned. Success means
  /// the commit is on disk. With several hub nodes the implementation may run `work` again after a
  /// serialization failure, so it must have no effects of its own.
  virtual Status write(const std::function<Status(HubTransaction&)>& work) = 0;

  /// Runs `work` on one consistent snapshot; changing calls return `refused`.
  virtual Status read(const std::function<Status(HubTransaction&)>& work) = 0;
};

}  // namespace duhui::hub
