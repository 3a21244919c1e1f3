#include "hub/core/vault_pages.h"

#include "shared/domain/school_part.h"
#include "shared/sync/limits.h"
#include "shared/sync/locked_op.h"

namespace duhui::hub {

Status VaultPages::lock(Runs* runs, int from) {
  for (int n = from; n < runs->size(); ++n) DUHUI_CHECK_OK(lock(*runs->Mutable(n)));
  return Done{};
}

Status VaultPages::lock(google::protobuf::RepeatedPtrField<sync::v1::WalkedRecord>* records) {
  for (sync::v1::WalkedRecord& record : *records) DUHUI_CHECK_OK(lock(record.mutable_runs()));
  return Done{};
}

Status VaultPages::lock(sync::v1::Batch& run) {
  DUHUI_TRY(raw, ops_.codec().unpack(packed_ops(run)));
  DUHUI_TRY(ops, PayloadCodec::split(raw, run.count()));
  std::vector<std::string> locked(ops.size());
  bool any = false;
  sync::v1::Op op;
  sync::v1::Op part;
  for (std::size_t n = 0; n < ops.size(); ++n) {
    // What nobody could parse is quarantined wherever it comes, and nobody can read it.
    if (!op.ParseFromArray(ops[n].data(), static_cast<int>(ops[n].size()))) continue;
    const RecordSchema* schema = Schema::instance().find(op.record_type());
    const auto id = RecordId::from_bytes(op.record_id());
    if (!id || !is_lockable(schema)) continue;
    DUHUI_TRY(open, is_open(schema, *id));
    const SchoolPart readable = school_part(schema, open, op, &part);
    if (readable == SchoolPart::all) continue;
    const bool beside =
        readable == SchoolPart::some && ops[n].size() <= sync_limits::kOpenPartBytesMax;
    locked[n] =
        lock_op(key_, ops[n], op, beside ? part.SerializeAsString() : std::string(), random_);
    ops[n] = locked[n];
    any = true;
  }
  if (any) ops_.codec().pack(ops, kEveryPacking, &run);
  return Done{};
}

Result<bool> VaultPages::is_open(const RecordSchema* schema, const RecordId& id) {
  if (const auto known = open_.find(id); known != open_.end()) return known->second;
  DUHUI_TRY(row, tx_.records().get(id));
  bool open = schema != nullptr && row && row->born && row->type == schema->rule.type() &&
              open_to_school(*schema, row->state, false);
  if (!open && schema != nullptr && row && row->born &&
      schema->rule.school_sight() == record::v1::SCHOOL_SIGHT_IN_STATES) {
    // Its row does not tell whether it was laid before the school.
    DUHUI_TRY(state, ops_.load(tx_, *row));
    open = open_to_school(*schema, row->state, is_presented(*schema, state));
  }
  open_.emplace(id, open);
  return open;
}

}  // namespace duhui::hub
