#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/vault.h"
#include "agent/ports/kv_store.h"
#include "duhui/store/v1/store.pb.h"
#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/merge/record_state.h"
#include "shared/sync/stamps.h"

namespace duhui::agent {

/// Changes to several records that will be committed together: reads through to the store, keeps
/// what it changed, and writes it all into one KvBatch at the end. Lives for one commit.
class RecordBatch {
 public:
  RecordBatch(KvStore& store, std::map<std::string, store::v1::ScopeState>& scopes)
      : store_(store), scopes_(scopes) {}

  /// The record as it will be; null: unknown.
  Result<const store::v1::StoredRecord*> find(const RecordId& id);

  /// Adds an op to its record, or corrects its stamp if it is there; of a locked op (`kept`, see
  /// shared/sync/locked_op.h) the head is enough for `op`, and one that is less locked than the one
  /// that is there takes its place. `scope`: where the feed has it. Returns whether anything
  /// changed. A malformed op goes to quarantine.
  Result<bool> add(const Dot& dot,
                   std::string_view kept,
                   const sync::v1::Op& op,
                   const OpStamp& stamp,
                   const std::string& scope,
                   std::string_view seal = {});
  /// Takes an op out of its record: it is saved again under another dot. Not there: no effect.
  Status remove(const RecordId& id, const Dot& dot);
  /// Keeps it otherwise: locked, or no longer. Not there: no effect.
  Status keep(const RecordId& id, const Dot& dot, std::string kept);
  void quarantine(const Dot& dot, std::string_view op_bytes, std::string reason);
  /// The hub has answered for the record: what is locked now stays so.
  void settle_half_open(const RecordId& id);

  std::vector<RecordId> changed() const;
  /// Writes records, indexes, scope states. Once, right before the commit: the scopes' checksums
  /// change here.
  void write(KvBatch& batch);

 private:
  struct Entry {
    store::v1::StoredRecord record;
    bool existed = false;
    bool changed = false;
    bool grown = false;  // an op of it came, or came less locked
  };
  Result<Entry*> entry(const RecordId& id);
  void count(const std::string& scope, std::uint64_t checksum);

  KvStore& store_;
  std::map<std::string, store::v1::ScopeState>& scopes_;
  std::map<RecordId, Entry> records_;
  std::map<std::string, std::uint64_t> added_;  // to the checksums of scopes
  KvBatch extra_;
};

/// What a stored op adds to the checksum of its scope.
std::uint64_t checksum_of(const store::v1::StoredOp& stored);

/// Replays what can be read of a stored record. Ops of `own` after `acknowledged` are marked
/// provisional.
RecordState replay(const store::v1::StoredRecord& record,
                   const Vault& vault,
                   const Origin& own,
                   std::uint64_t acknowledged);

}  // namespace duhui::agent
