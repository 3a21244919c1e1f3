// What the hub has signed, and what it has merged.

#include <set>
#include <utility>

#include "agent/core/keys.h"
#include "agent/core/record_batch.h"
#include "agent/core/replica.h"
#include "shared/crypto/signing.h"
#include "shared/sync/stream_chain.h"

namespace duhui::agent {

Result<Delivery> Replica::delivery(const RecordId& id, const RecordState& record) {
  DUHUI_TRY(held, notes_.of_record(id));
  return delivery_of(record, state_, std::move(held));
}

Status Replica::same_as_hub(const std::string& scope) {
  DUHUI_TRY(held, notes_.all());
  if (held.empty()) return Done{};
  std::set<RecordId> there;
  RecordBatch records(store_, scopes_);
  for (const HubNotes::Held& one : held) {
    DUHUI_TRY(stored, records.find(one.record));
    if (stored != nullptr && stored->scope() == scope) there.insert(one.record);
  }
  KvBatch batch;
  DUHUI_CHECK_OK(notes_.merged([&](const RecordId& id) { return there.contains(id); }, &batch));
  return batch.empty() ? Status(Done{}) : commit_unsynced(batch);
}

void Replica::keep_receipt(const sync::v1::Receipt& receipt) {
  // A receipt that does not hold is worth nothing, and the ack stands without it.
  const auto hub = HubId::from_bytes(receipt.hub_id());
  const auto key = PublicKey::from_bytes(state_.hub_key());
  if (!hub || !key || receipt.hub_id() != state_.hub_id() || receipt.origin() != origin_.view())
    return;
  const std::string said =
      receipt_statement(*hub, Dot{origin_, receipt.seq()}, receipt.chain(), receipt.hub_time_ms());
  if (verify(*key, said, receipt.signature())) {
    *state_.mutable_receipt() = receipt;
    ++traffic_.counters().op_receipts;
  }
}

}  // namespace duhui::agent
