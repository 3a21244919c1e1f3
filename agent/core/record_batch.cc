#include "agent/core/record_batch.h"

#include <algorithm>

#include "agent/core/keys.h"
#include "shared/sync/locked_op.h"
#include "shared/sync/stream_chain.h"

namespace duhui::agent {
namespace {

StampRuns runs_of(const store::v1::StoredOp& stored) {
  StampRuns runs;
  if (stored.has_stamp()) *runs.Add() = stored.stamp();
  return runs;
}

void set_stamp(store::v1::StoredOp* stored,
               const sync::v1::Op& op,
               const OpStamp& stamp,
               std::string_view seal) {
  StampRuns runs;
  append_stamp(&runs, stored->seq(), op, stamp);
  stored->clear_stamp();
  if (!runs.empty()) *stored->mutable_stamp() = runs[0];
  if (!runs.empty() && !seal.empty()) stored->mutable_stamp()->set_seal(std::string(seal));
}

/// Some of its ops can be read by the school, others not at all: either the record is open to it
/// now and they came before, or the school wrote in a record that it may not read.
bool is_half_open(const store::v1::StoredRecord& record) {
  const auto readable = [](const store::v1::StoredOp& op) {
    return openness(op.op()) != Openness::nothing;
  };
  return std::ranges::any_of(record.ops(), readable) &&
         !std::ranges::all_of(record.ops(), readable);
}

}  // namespace

std::uint64_t checksum_of(const store::v1::StoredOp& stored) {
  sync::v1::Op op;
  const std::uint64_t sum = op_checksum(kept_digest(stored.op()));
  if (!read_head(stored.op(), &op)) return sum;
  return scope_checksum(sum, stamp_of(runs_of(stored), stored.seq(), op));
}

Result<RecordBatch::Entry*> RecordBatch::entry(const RecordId& id) {
  const auto [at, added] = records_.try_emplace(id);
  if (!added) return &at->second;
  auto bytes = store_.get(keys::record(id));
  if (!bytes) {
    records_.erase(at);
    return std::move(bytes).error();
  }
  if (*bytes) {
    if (!at->second.record.ParseFromString(**bytes)) {
      records_.erase(at);
      return Error{ErrorCode::corrupt_data, "record " + to_uuid_text(id.view()) + ": not parsable"};
    }
    at->second.existed = true;
  }
  return &at->second;
}

Result<const store::v1::StoredRecord*> RecordBatch::find(const RecordId& id) {
  auto found = entry(id);
  if (!found) return std::move(found).error();
  const Entry& e = **found;
  return e.record.ops_size() == 0 ? nullptr : &e.record;
}

void RecordBatch::count(const std::string& scope, std::uint64_t checksum) {
  if (!scope.empty()) added_[scope] += checksum;
}

Result<bool> RecordBatch::add(const Dot& dot,
                              std::string_view kept,
                              const sync::v1::Op& op,
                              const OpStamp& stamp,
                              const std::string& scope,
                              std::string_view seal) {
  if (auto checked = is_locked(kept) ? Status(Done{}) : check_op(dot, op); !checked) {
    quarantine(dot, kept, checked.error().detail);
    return false;
  }
  const Openness readable = openness(kept);
  const RecordId id = *RecordId::from_bytes(op.record_id());
  auto found = entry(id);
  if (!found) return std::move(found).error();
  Entry& e = **found;
  for (store::v1::StoredOp& stored : *e.record.mutable_ops()) {
    if (stored.seq() != dot.seq || stored.origin() != dot.origin.view()) continue;
    const bool opens = readable > openness(stored.op());
    if (opens) stored.set_op(kept.data(), kept.size());
    e.grown |= opens;
    e.changed |= opens;
    const OpStamp before = stamp_of(runs_of(stored), stored.seq(), op);
    const bool sealed = !seal.empty() && stored.stamp().seal().empty();
    if (sealed) set_stamp(&stored, op, before, seal);
    e.changed |= sealed;
    if (before == stamp) return opens || sealed;
    const std::uint64_t bytes_sum = op_checksum(kept_digest(stored.op()));
    count(e.record.scope(), scope_checksum(bytes_sum, stamp) - scope_checksum(bytes_sum, before));
    set_stamp(&stored, op, stamp, seal);
    e.changed = true;
    return true;
  }
  if (e.record.scope().empty()) {
    e.record.set_scope(op.creates() ? op.scope() : scope);
    // What came before the scope was known is counted now.
    for (const store::v1::StoredOp& stored : e.record.ops()) {
      count(e.record.scope(), checksum_of(stored));
    }
  }
  store::v1::StoredOp* stored = e.record.add_ops();
  stored->set_origin(dot.origin.bytes.data(), dot.origin.bytes.size());
  stored->set_seq(dot.seq);
  stored->set_op(kept.data(), kept.size());
  set_stamp(stored, op, stamp, seal);
  count(e.record.scope(), scope_checksum(op_checksum(kept_digest(kept)), stamp));
  e.grown = true;
  if (!e.existed) extra_.put(keys::type_entry(op.record_type(), id), {});
  e.changed = true;
  return true;
}

Status RecordBatch::remove(const RecordId& id, const Dot& dot) {
  auto found = entry(id);
  if (!found) return std::move(found).error();
  Entry& e = **found;
  auto* ops = e.record.mutable_ops();
  for (int at = 0; at < ops->size(); ++at) {
    const store::v1::StoredOp& stored = ops->Get(at);
    if (stored.seq() != dot.seq || stored.origin() != dot.origin.view()) continue;
    count(e.record.scope(), 0 - checksum_of(stored));
    ops->DeleteSubrange(at, 1);
    e.changed = true;
    break;
  }
  return Done{};
}

Status RecordBatch::keep(const RecordId& id, const Dot& dot, std::string kept) {
  auto found = entry(id);
  if (!found) return std::move(found).error();
  for (store::v1::StoredOp& stored : *(*found)->record.mutable_ops()) {
    if (stored.seq() != dot.seq || stored.origin() != dot.origin.view()) continue;
    stored.set_op(std::move(kept));
    (*found)->changed = true;
    break;
  }
  return Done{};
}

void RecordBatch::settle_half_open(const RecordId& id) {
  if (const auto at = records_.find(id); at != records_.end()) at->second.grown = false;
  extra_.erase(keys::half_open(id));
}

void RecordBatch::quarantine(const Dot& dot, std::string_view op_bytes, std::string reason) {
  store::v1::QuarantinedOp kept;
  kept.set_origin(dot.origin.str());
  kept.set_seq(dot.seq);
  kept.set_op(std::string(op_bytes));
  kept.set_reason(std::move(reason));
  extra_.put(keys::quarantined(dot), kept.SerializeAsString());
}

std::vector<RecordId> RecordBatch::changed() const {
  std::vector<RecordId> ids;
  for (const auto& [id, e] : records_) {
    if (e.changed) ids.push_back(id);
  }
  return ids;
}

void RecordBatch::write(KvBatch& batch) {
  for (const auto& [id, e] : records_) {
    if (!e.changed) continue;
    batch.put(keys::record(id), e.record.SerializeAsString());
    if (e.grown && is_half_open(e.record)) batch.put(keys::half_open(id), {});
  }
  for (const KvBatch::Change& change : extra_.changes) batch.changes.push_back(change);
  for (const auto& [scope, checksum] : added_) {
    store::v1::ScopeState& state = scopes_[scope];
    state.set_checksum(state.checksum() + checksum);
    batch.put(keys::scope(scope), state.SerializeAsString());
  }
  added_.clear();
}

RecordState replay(const store::v1::StoredRecord& record,
                   const Vault& vault,
                   const Origin& own,
                   std::uint64_t acknowledged) {
  RecordState state;
  for (const store::v1::StoredOp& stored : record.ops()) {
    sync::v1::Op op;
    const auto origin = Origin::from_bytes(stored.origin());
    if (!origin || !vault.read(stored.op(), &op)) continue;
    OpStamp stamp = stamp_of(runs_of(stored), stored.seq(), op);
    if (*origin == own && stored.seq() > acknowledged) {
      stamp.quality = sync::v1::TIME_QUALITY_PROVISIONAL;
    }
    const auto applied = state.apply(Dot{*origin, stored.seq()}, op, stamp);
    static_cast<void>(applied);
  }
  return state;
}

}  // namespace duhui::agent
