#include "agent/core/record_batch.h"

#include "agent/core/keys.h"
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

}  // namespace

std::uint64_t checksum_of(const store::v1::StoredOp& stored) {
  sync::v1::Op op;
  if (!op.ParseFromString(stored.op())) return op_checksum(stored.op());
  return scope_checksum(op_checksum(stored.op()), stamp_of(runs_of(stored), stored.seq(), op));
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
                              std::string_view op_bytes,
                              const sync::v1::Op& op,
                              const OpStamp& stamp,
                              const std::string& scope,
                              std::string_view seal) {
  if (auto checked = check_op(dot, op); !checked) {
    quarantine(dot, op_bytes, checked.error().detail);
    return false;
  }
  const RecordId id = *RecordId::from_bytes(op.record_id());
  auto found = entry(id);
  if (!found) return std::move(found).error();
  Entry& e = **found;
  for (store::v1::StoredOp& stored : *e.record.mutable_ops()) {
    if (stored.seq() != dot.seq || stored.origin() != dot.origin.view()) continue;
    const OpStamp before = stamp_of(runs_of(stored), stored.seq(), op);
    if (before == stamp) return false;
    const std::uint64_t bytes_sum = op_checksum(stored.op());
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
  stored->set_op(op_bytes.data(), op_bytes.size());
  set_stamp(stored, op, stamp, seal);
  count(e.record.scope(), scope_checksum(op_checksum(op_bytes), stamp));
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
    if (e.changed) batch.put(keys::record(id), e.record.SerializeAsString());
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
                   const Origin& own,
                   std::uint64_t acknowledged) {
  RecordState state;
  for (const store::v1::StoredOp& stored : record.ops()) {
    sync::v1::Op op;
    const auto origin = Origin::from_bytes(stored.origin());
    if (!origin || !op.ParseFromString(stored.op())) continue;  // was checked before it was stored
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
