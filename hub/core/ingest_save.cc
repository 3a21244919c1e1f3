// The other half of an ingest: the hub's own ops, the rules, and writing what changed.

#include <algorithm>
#include <utility>

#include "duhui/store/v1/store.pb.h"
#include "hub/core/ingest.h"
#include "shared/base/scope.h"
#include "shared/domain/school_part.h"
#include "shared/merge/hybrid_clock.h"
#include "shared/sync/limits.h"
#include "shared/sync/stamps.h"
#include "shared/sync/stream_chain.h"

namespace duhui::hub {
namespace {

// Rules that never settle are a bug; people's work must still be stored.
constexpr int kRuleRoundsMax = 8;
constexpr std::size_t kSaltSize = 8;  // of Op.salt

}  // namespace

Result<std::vector<Dot>> Ingest::save(const Origin& hub_origin,
                                      std::uint64_t& hlc,
                                      const std::vector<Intent>& intents) {
  std::vector<Dot> dots;
  if (intents.empty()) return dots;
  if (!streams_.contains(hub_origin)) {
    DUHUI_TRY(row, tx_.streams().get(hub_origin));
    streams_[hub_origin] =
        row.value_or(StreamRow{.origin = hub_origin, .device = {}, .chain = empty_chain()});
  }
  StreamRow& stream = streams_[hub_origin];
  HybridClock clock(hlc);
  std::string chain = stream.chain;
  std::vector<std::string> bytes;
  StampRuns runs;
  // The ops are in the batch being built: records that need them replay from their state instead.
  for (const Intent& intent : intents) {
    const Dot dot{hub_origin, stream.head + dots.size() + 1};
    DUHUI_TRY(touched, touch(intent.record));
    if (touched->row.ops.empty()) {
      touched->state.emplace();
    } else {
      DUHUI_CHECK_OK(need_state(*touched));
    }
    if (intent.creates && !is_scope(intent.scope)) {
      return Error{ErrorCode::invalid_input, "scope: " + intent.scope};
    }
    DUHUI_TRY(op, build_op(intent, *touched->state, dot));
    op.mutable_time()->set_hlc(clock.tick(now_));
    op.mutable_time()->set_hub_seen_ms(static_cast<std::uint64_t>(now_.ms));
    // From nothing but the hub's key and the dot: a run of this transaction anew says the same.
    if (is_lockable(Schema::instance().find(op.record_type()))) {
      op.set_salt(hub_key_.sign("duhui salt v1\n" + to_string(dot)).substr(0, kSaltSize));
    }
    DUHUI_CHECK_OK(check_op(dot, op));
    OpStamp stamp = default_stamp(op);
    stamp.at_hub = true;
    bytes.push_back(op.SerializeAsString());
    sync::v1::Stamp* run = runs.Add();
    run->set_first_seq(dot.seq);
    run->set_count(1);
    run->set_quality(stamp.quality);
    run->set_at_hub(true);
    run->set_seal(hub_key_.sign(seal_statement(dot, bytes.back())));
    if (bytes.back().size() > sync_limits::kOpBytesMax) {
      return Error{ErrorCode::limit_exceeded,
                   "op: " + std::to_string(bytes.back().size()) + " bytes"};
    }
    const Digest digest = sha256(bytes.back());
    chain = extend_chain(chain, digest);
    DUHUI_CHECK_OK(add_op(dot, op_checksum(digest), op, stamp, *touched));
    dots.push_back(dot);
  }
  DUHUI_CHECK_OK(flush_feed(hub_origin));
  hlc = clock.last();
  std::vector<std::string_view> views(bytes.begin(), bytes.end());
  sync::v1::Batch packed;
  ops_.codec().pack(views, kEveryPacking, &packed);
  store::v1::Stamps stamps;
  *stamps.mutable_runs() = runs;
  DUHUI_CHECK_OK(tx_.streams().add_batch({.origin = hub_origin,
                                          .first_seq = stream.head + 1,
                                          .count = packed.count(),
                                          .encoding = packed.encoding(),
                                          .dictionary = packed.dictionary(),
                                          .raw_bytes = packed.raw_bytes(),
                                          .payload = packed.payload(),
                                          .chain = chain,
                                          .signature = {},
                                          .stamps = stamps.SerializeAsString(),
                                          .received_at = now_}));
  stream.head += packed.count();
  stream.chain = chain;
  DUHUI_CHECK_OK(tx_.streams().put(stream));
  return dots;
}

Result<bool> Ingest::take_back(const Dot& dot, std::string_view bytes, std::string_view seal) {
  sync::v1::Op op;
  if (!op.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !check_op(dot, op) ||
      !verify(hub_key_.public_key(), seal_statement(dot, bytes), seal)) {
    return Error{ErrorCode::invalid_input, "refill: seal does not hold"};
  }
  DUHUI_TRY(touched, touch(*RecordId::from_bytes(op.record_id())));
  for (const OpRef& known : touched->row.ops) {
    if (known.dot == dot) return false;
  }
  DUHUI_TRY(stored, tx_.streams().batch_at(dot.origin, dot.seq));
  if (stored) return false;
  OpStamp stamp = default_stamp(op);
  stamp.at_hub = true;
  store::v1::Stamps stamps;
  sync::v1::Stamp* run = stamps.add_runs();
  run->set_first_seq(dot.seq);
  run->set_count(1);
  run->set_quality(stamp.quality);
  run->set_at_hub(true);
  run->set_seal(std::string(seal));
  sync::v1::Batch packed;
  ops_.codec().pack({bytes}, kEveryPacking, &packed);
  DUHUI_CHECK_OK(tx_.streams().add_batch({.origin = dot.origin,
                                          .first_seq = dot.seq,
                                          .count = 1,
                                          .encoding = packed.encoding(),
                                          .dictionary = packed.dictionary(),
                                          .raw_bytes = packed.raw_bytes(),
                                          .payload = packed.payload(),
                                          // The run of that life is not whole here: no chain.
                                          .chain = empty_chain(),
                                          .signature = {},
                                          .stamps = stamps.SerializeAsString(),
                                          .received_at = now_}));
  DUHUI_CHECK_OK(add_op(dot, op_checksum(bytes), op, stamp, *touched));
  DUHUI_CHECK_OK(flush_feed(dot.origin));
  return true;
}

Status Ingest::finish(const Origin& hub_origin, std::uint64_t& hlc) {
  for (int round = 0; round < kRuleRoundsMax && !dirty_.empty(); ++round) {
    // In id order: several hub nodes lock rows in the same order.
    std::vector<RecordId> changed = std::exchange(dirty_, {});
    std::sort(changed.begin(), changed.end());
    std::vector<RecordId> followed;
    for (const RecordId& id : changed) {
      Touched& touched = touched_.at(id);
      DUHUI_TRY(follow_up, write_record(id, touched));
      if (follow_up) followed.push_back(id);
      touched.dirty = false;
    }
    if (followed.empty()) return Done{};
    DUHUI_TRY(intents, rules_.follow_ups(*this, followed, now_));
    DUHUI_TRY(dots, save(hub_origin, hlc, intents));
    static_cast<void>(dots);
  }
  for (const RecordId& id : dirty_) {
    DUHUI_TRY(follow_up, write_record(id, touched_.at(id)));
    static_cast<void>(follow_up);
  }
  return Done{};
}

Result<bool> Ingest::write_record(const RecordId& id, Touched& touched) {
  RecordRow& row = touched.row;
  const RecordSummary summary =
      touched.summary ? std::move(*touched.summary) : rules_.summarize(*touched.state);
  static const std::uint32_t credential = Schema::instance().find("credential")->rule.type();
  static const std::uint32_t assignment = Schema::instance().find("assignment")->rule.type();
  if (row.type == credential) people_.account_scopes.insert(row.scope);
  if (row.type == assignment) people_.postings = true;
  if (touched.state) DUHUI_CHECK_OK(drop_settled_proposals(*touched.state));
  const bool had_conflicts = row.open_conflicts != 0;
  row.school_id = summary.school_id;
  row.date = summary.date;
  row.state = summary.state;
  row.deleted = summary.deleted;
  row.open_conflicts = static_cast<std::uint32_t>(summary.conflicts.size());
  DUHUI_CHECK_OK(tx_.records().put(row));
  for (const auto& [name, to] : summary.links) DUHUI_CHECK_OK(tx_.records().link(id, name, to));
  if (!had_conflicts && summary.conflicts.empty()) return summary.follow_up;
  std::vector<ConflictRow> rows;
  for (const RegisterKey& key : summary.conflicts) {
    rows.push_back({id, row.type, key.field, key.key, row.scope, now_});
  }
  DUHUI_CHECK_OK(tx_.review().set_conflicts(id, rows));
  return summary.follow_up;
}

Status Ingest::drop_settled_proposals(const RecordState& state) {
  std::map<Dot, bool> waits;
  for (const auto& [key, write] : state.proposals()) {
    waits[write.dot] = waits[write.dot] || !state.is_dealt_with(key, write.dot);
  }
  for (const auto& [dot, still] : waits) {
    if (!still) DUHUI_CHECK_OK(tx_.review().drop_quarantine(dot));
  }
  return Done{};
}

Result<const RecordState*> Ingest::state(const RecordId& id) {
  DUHUI_TRY(touched, touch(id));
  if (touched->row.ops.empty()) return nullptr;
  DUHUI_CHECK_OK(need_state(*touched));
  return &*touched->state;
}

Result<std::vector<RecordId>> Ingest::linked_to(std::string_view name, std::string_view to) {
  return tx_.records().linked_to(name, to);
}

Result<std::optional<std::string>> Ingest::setting(std::string_view key) {
  return tx_.settings().get(key);
}

Status Ingest::set(std::string_view key, std::string_view value) {
  return tx_.settings().put(key, value);
}

}  // namespace duhui::hub
