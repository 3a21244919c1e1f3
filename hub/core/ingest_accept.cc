// What a revoked device sends is kept for a person to decide; what the person lets in is merged
// here.

#include <algorithm>
#include <utility>

#include "duhui/store/v1/store.pb.h"
#include "hub/core/ingest.h"
#include "shared/merge/effective_time.h"
#include "shared/sync/stream_chain.h"

namespace duhui::hub {
namespace {

/// Orphans looked through at a time for those that a record just accepted sets free.
constexpr std::uint32_t kOrphansMax = 10'000;

/// Runs that say of `seq` what `stamp` says, and of all others what they said.
StampRuns with_stamp(const StampRuns& runs,
                     std::uint64_t seq,
                     const sync::v1::Op& op,
                     const OpStamp& stamp) {
  std::vector<sync::v1::Stamp> parts;
  for (const sync::v1::Stamp& run : runs) {
    const std::uint64_t end = run.first_seq() + run.count();
    if (seq < run.first_seq() || seq >= end) {
      parts.push_back(run);
      continue;
    }
    sync::v1::Stamp part = run;
    part.set_count(static_cast<std::uint32_t>(seq - run.first_seq()));
    if (part.count() > 0) parts.push_back(part);
    part.set_first_seq(seq + 1);
    part.set_count(static_cast<std::uint32_t>(end - seq - 1));
    if (part.count() > 0) parts.push_back(part);
  }
  StampRuns own;
  append_stamp(&own, seq, op, stamp);
  parts.insert(parts.end(), own.begin(), own.end());
  std::sort(parts.begin(), parts.end(), [](const sync::v1::Stamp& a, const sync::v1::Stamp& b) {
    return a.first_seq() < b.first_seq();
  });
  StampRuns all;
  for (sync::v1::Stamp& part : parts) all.Add(std::move(part));
  return all;
}

}  // namespace

Result<std::optional<DeviceRow>> Ingest::revoked_sender(const IncomingBatch& incoming) {
  // As the database says in this transaction: a session may not have heard of it yet.
  if (!devices_.contains(incoming.device)) {
    DUHUI_TRY(row, tx_.devices().get(incoming.device));
    devices_[incoming.device] = std::move(row);
  }
  const std::optional<DeviceRow>& device = devices_[incoming.device];
  if (!incoming.revoked && !(device && device->revoked)) return std::optional<DeviceRow>{};
  DeviceRow sender = device.value_or(DeviceRow{});
  sender.id = incoming.device;
  return std::optional<DeviceRow>(std::move(sender));
}

Status Ingest::keep_aside(const Dot& dot,
                          std::string_view bytes,
                          const DeviceRow& sender,
                          const IncomingBatch& incoming,
                          StampRuns& runs) {
  sync::v1::Op op;
  std::string person;
  if (op.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) && check_op(dot, op)) {
    person = op.person();
    // The time can be told only now, by the clocks of this connection; rank and authority when a
    // person lets it in.
    const EffectiveTime time =
        effective_time(op.time(), incoming.device_clock, incoming.hub_clock, now_);
    OpStamp stamp = default_stamp(op);
    stamp.effective_ms = time.time.ms;
    stamp.quality = time.quality;
    append_stamp(&runs, dot.seq, op, stamp);
  }
  const std::string who = sender.name.empty() ? to_uuid_text(sender.id.view()) : sender.name;
  return tx_.review().add_quarantine(
      {dot, std::string(kRevokedKind), who + ", " + person, std::string(bytes), now_});
}

Result<OpStamp> Ingest::settle_stamp(const Dot& dot,
                                     const sync::v1::Op& op,
                                     std::string_view scope,
                                     const std::vector<std::string>& device_scopes) {
  DUHUI_TRY(batch, tx_.streams().batch_at(dot.origin, dot.seq));
  if (!batch) return Error{ErrorCode::corrupt_data, "op " + to_string(dot) + ": no batch holds it"};
  store::v1::Stamps stamps;
  if (!batch->stamps.empty() && !stamps.ParseFromString(batch->stamps)) {
    return Error{ErrorCode::corrupt_data, "batch: stamps"};
  }
  OpStamp stamp = stamp_of(stamps.runs(), dot.seq, op);
  DUHUI_TRY(person, standing_of(op.person()));
  const Judgement judgement =
      rules_.judge(*person, device_scopes, WallTime{stamp.effective_ms}, scope, op);
  stamp.rank = std::min(op.rank(), judgement.rank);
  stamp.proposal = judgement.proposal;
  *stamps.mutable_runs() = with_stamp(stamps.runs(), dot.seq, op, stamp);
  DUHUI_CHECK_OK(tx_.streams().restamp(dot.origin, batch->first_seq, stamps.SerializeAsString()));
  return stamp;
}

Result<bool> Ingest::merge_accepted(const QuarantineRow& row) {
  QuarantineRow left = row;
  sync::v1::Op op;
  if (!op.ParseFromString(row.op) || !check_op(row.dot, op)) {
    left.kind = "malformed";
    DUHUI_CHECK_OK(tx_.review().add_quarantine(left));
    return false;
  }
  DUHUI_TRY(stream, tx_.streams().get(row.dot.origin));
  DUHUI_TRY(device, tx_.devices().get(stream ? stream->device : DeviceId{}));
  IncomingBatch incoming;
  if (device) incoming.scopes = device->scopes;
  DUHUI_TRY(touched, touch(*RecordId::from_bytes(op.record_id())));
  DUHUI_TRY(kind, judge(row.dot, op, incoming, touched));
  if (!kind.empty()) {
    left.kind = std::move(kind);
    DUHUI_CHECK_OK(tx_.review().add_quarantine(left));
    return false;
  }
  const std::string scope = op.creates() ? op.scope() : touched->row.scope;
  DUHUI_TRY(stamp, settle_stamp(row.dot, op, scope, incoming.scopes));
  DUHUI_CHECK_OK(add_op(row.dot, op_checksum(row.op), op, stamp, *touched));
  DUHUI_CHECK_OK(flush_feed(row.dot.origin));
  if (!stamp.proposal) {
    DUHUI_CHECK_OK(tx_.review().drop_quarantine(row.dot));
    return true;
  }
  left.kind = kProposalKind;
  left.detail = op.person();
  DUHUI_CHECK_OK(tx_.review().add_quarantine(left));
  return true;
}

Result<bool> Ingest::accept(const QuarantineRow& row) {
  DUHUI_TRY(merged, merge_accepted(row));
  sync::v1::Op op;
  if (!merged || !op.ParseFromString(row.op) || !op.creates()) return merged;
  // Later ops of the record came while it was not here.
  DUHUI_TRY(orphans, tx_.review().quarantine_of(kOrphanKind, kOrphansMax));
  for (const QuarantineRow& orphan : orphans) {
    sync::v1::Op later;
    if (!later.ParseFromString(orphan.op) || later.record_id() != op.record_id()) continue;
    DUHUI_TRY(freed, merge_accepted(orphan));
    static_cast<void>(freed);
  }
  return true;
}

}  // namespace duhui::hub
