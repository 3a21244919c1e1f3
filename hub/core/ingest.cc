#include "hub/core/ingest.h"

#include <algorithm>
#include <utility>

#include "duhui/store/v1/store.pb.h"
#include "hub/core/audit.h"
#include "hub/core/blob_links.h"
#include "hub/core/device_audit.h"
#include "shared/base/check.h"
#include "shared/base/scope.h"
#include "shared/crypto/signing.h"
#include "shared/merge/effective_time.h"
#include "shared/merge/hybrid_clock.h"
#include "shared/sync/limits.h"
#include "shared/sync/stamps.h"
#include "shared/sync/stream_chain.h"

namespace duhui::hub {
namespace {

bool may_write(const std::vector<std::string>& granted, std::string_view scope) {
  return std::any_of(granted.begin(), granted.end(),
                     [&](const std::string& g) { return scope_writable(g, scope); });
}

}  // namespace

sync::v1::Note note_of(std::uint64_t seq, std::string_view kind, const std::string& detail) {
  sync::v1::Note note;
  note.set_seq(seq);
  note.set_kind(kind == kOrphanKind ? sync::v1::Note::KIND_ORPHAN
                                    : sync::v1::Note::KIND_QUARANTINED);
  note.set_detail(detail.empty() ? std::string(kind) : std::string(kind) + ": " + detail);
  return note;
}

Result<BatchOutcome> Ingest::take(const IncomingBatch& incoming, const CheckedBatch* ahead) {
  const sync::v1::Batch& batch = incoming.batch;
  BatchOutcome outcome;
  const auto origin = Origin::from_bytes(batch.origin());
  if (!origin || batch.first_seq() == 0 || batch.chain().size() != 32) {
    outcome.refused = "batch: malformed";
    return outcome;
  }
  if (!streams_.contains(*origin)) {
    DUHUI_TRY(row, tx_.streams().get(*origin));
    streams_[*origin] = row.value_or(
        StreamRow{.origin = *origin, .device = incoming.device, .chain = empty_chain()});
  }
  StreamRow& stream = streams_[*origin];
  outcome.through = stream.head;
  outcome.chain = stream.chain;
  if (stream.device != incoming.device) {
    outcome.refused = "batch: stream of another device";
    return outcome;
  }
  const std::uint64_t last = batch.first_seq() + batch.count() - 1;
  if (batch.first_seq() > stream.head + 1) return outcome;  // sent too early: it will come again
  if (last <= stream.head) {
    DUHUI_TRY(chain, ops_.chain_at(tx_, stream, last));
    outcome.fork = !chain || *chain != batch.chain();
    return outcome;
  }
  std::optional<CheckedBatch> here;
  if (ahead == nullptr)
    here = check_batch(ops_.codec(), batch, incoming.device, incoming.public_key, hub_key_);
  const CheckedBatch* checked = here ? &*here : ahead;
  if (!checked->refused.empty()) {
    outcome.refused = checked->refused;
    return outcome;
  }
  const std::uint64_t first_new = stream.head + 1;
  std::string chain = stream.chain;
  for (std::uint64_t seq = first_new; seq <= last; ++seq) {
    chain = extend_chain(chain, checked->digests[seq - batch.first_seq()]);
  }
#if defined(DUHUI_BUG) && DUHUI_BUG == 3  // takes a copied device's stream for the original's
  chain = batch.chain();
#endif
  if (chain != batch.chain()) {
    outcome.fork = true;
    return outcome;
  }
  // Before it is stored: its later ops may need the state that its earlier ones made.
  ops_.keep(checked->unpacked);
  DUHUI_CHECK_OK(take_ops(incoming, *checked, first_new, outcome));
  DUHUI_CHECK_OK(store_batch(*checked, checked->exact.value_or(batch), first_new, stream, outcome));
  outcome.through = stream.head;
  outcome.chain = stream.chain;
  return outcome;
}

Status Ingest::store_batch(const CheckedBatch& checked,
                           const sync::v1::Batch& batch,
                           std::uint64_t first_new,
                           StreamRow& stream,
                           const BatchOutcome& outcome) {
  const UnpackedBatch& unpacked = *checked.unpacked;
  BatchRow row{.origin = unpacked.origin,
               .first_seq = first_new,
               .count = batch.count(),
               .encoding = batch.encoding(),
               .dictionary = batch.dictionary(),
               .raw_bytes = batch.raw_bytes(),
               .payload = batch.payload(),
               .chain = batch.chain(),
               .signature = batch.signature(),
               .stamps = {},
               .received_at = now_};
  if (first_new != unpacked.first_seq) {
    // The beginning is known already: keep the rest, the ops' own bytes untouched.
    const std::uint64_t skip = first_new - unpacked.first_seq;
    const std::vector<std::string_view> rest(
        unpacked.ops.begin() + static_cast<std::ptrdiff_t>(skip), unpacked.ops.end());
    sync::v1::Batch again;
    ops_.codec().pack(rest, kEveryPacking, &again);
    row.count = again.count();
    row.encoding = again.encoding();
    row.dictionary = again.dictionary();
    row.raw_bytes = again.raw_bytes();
    row.payload = again.payload();
  }
  if (!outcome.stamps.empty()) {
    store::v1::Stamps stamps;
    for (const sync::v1::Stamp& stamp : outcome.stamps) *stamps.add_runs() = stamp;
    row.stamps = stamps.SerializeAsString();
  }
  DUHUI_CHECK_OK(tx_.streams().add_batch(row));
  stream.head = first_new + row.count - 1;
  stream.chain = row.chain;
  return tx_.streams().put(stream);
}

Status Ingest::take_ops(const IncomingBatch& incoming,
                        const CheckedBatch& checked,
                        std::uint64_t first_new,
                        BatchOutcome& outcome) {
  const UnpackedBatch& unpacked = *checked.unpacked;
  StampRuns runs;
  sync::v1::Op op;  // one for all: what it has allocated serves the next
  DUHUI_TRY(revoked, revoked_sender(incoming));
  const std::uint64_t end = unpacked.first_seq + unpacked.ops.size();
  for (std::uint64_t seq = first_new; seq < end; ++seq) {
    const Dot dot{unpacked.origin, seq};
    const std::string_view bytes = unpacked.ops[seq - unpacked.first_seq];
    if (revoked) {
      DUHUI_CHECK_OK(keep_aside(dot, bytes, *revoked, incoming, runs));
      outcome.notes.push_back(note_of(seq, kRevokedKind, {}));
      continue;
    }
    std::string kind;
    std::string detail;
    if (!op.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      kind = "malformed";
      detail = "not parsable";
    } else if (auto sound = check_op(dot, op); !sound) {
      kind = "malformed";
      detail = sound.error().detail;
    }
    Touched* touched = nullptr;
    if (kind.empty()) {
      DUHUI_TRY(found, touch(*RecordId::from_bytes(op.record_id())));
      touched = found;
      DUHUI_TRY(judged, judge(dot, op, incoming, touched));
      kind = std::move(judged);
    }
    if (!kind.empty()) {
      DUHUI_CHECK_OK(tx_.review().add_quarantine({dot, kind, detail, std::string(bytes), now_}));
      outcome.notes.push_back(note_of(seq, kind, detail));
      continue;
    }
    const EffectiveTime time =
        effective_time(op.time(), incoming.device_clock, incoming.hub_clock, now_);
    const bool is_audit = is_device_audit(op);
    if (is_audit) DUHUI_CHECK_OK(append_audit(tx_, device_audit(op, incoming.device, time.time)));
    DUHUI_TRY(person, standing_of(op.person()));
    const std::string_view scope = op.creates() ? op.scope() : touched->row.scope;
    const Judgement judgement = rules_.judge(*person, incoming.scopes, time.time, scope, op);
    const OpStamp stamp{.effective_ms = time.time.ms,
                        .quality = time.quality,
                        .rank = std::min(op.rank(), judgement.rank),
                        .at_hub = false,
                        .proposal = judgement.proposal && !is_audit};
    append_stamp(&runs, seq, op, stamp);
    DUHUI_CHECK_OK(
        add_op(dot, op_checksum(checked.digests[seq - unpacked.first_seq]), op, stamp, *touched));
    if (stamp.proposal) {
      DUHUI_CHECK_OK(tx_.review().add_quarantine(
          {dot, std::string(kProposalKind), op.person(), std::string(bytes), now_}));
    }
  }
  DUHUI_CHECK_OK(flush_feed(unpacked.origin));
  outcome.stamps.assign(runs.begin(), runs.end());
  return Done{};
}

Result<std::string> Ingest::judge(const Dot& dot,
                                  const sync::v1::Op& op,
                                  const IncomingBatch& incoming,
                                  Touched* touched) {
  const RecordRow& row = touched->row;
  const bool known = !row.ops.empty();
  // The type says how an op is judged and merged: only the record's own.
  if (row.born && op.record_type() != row.type) return std::string("malformed");
  const bool of_hub = rules_.is_made_at_hub(op.record_type());
  if (op.creates()) {
    if (!is_scope(op.scope())) return std::string("malformed");
    if (!known && is_device_audit(op)) return std::string();
    if (of_hub || !may_write(incoming.scopes, op.scope())) return std::string("forbidden");
    // Two devices may make the same record, in one place.
    if (row.born && row.scope != op.scope()) return std::string("forbidden");
    return std::string();
  }
  if (known) {
    const std::string& scope = touched->row.scope;
    if (!scope.empty() && !may_write(incoming.scopes, scope)) return std::string("forbidden");
    return std::string();
  }
  if (of_hub) return std::string("orphan");
  const auto born = read_dot(op.born(), dot.origin);
  if (born) {
    std::uint64_t head = 0;
    if (const auto at = streams_.find(born->origin); at != streams_.end()) {
      head = at->second.head;
    } else {
      DUHUI_TRY(stream, tx_.streams().get(born->origin));
      if (stream) head = stream->head;
    }
    // The creating op was received and the record is not here: it was archived or never accepted.
    if (born->seq <= head || (born->origin == dot.origin && born->seq < dot.seq)) {
      return std::string(kOrphanKind);
    }
  }
  return std::string();  // a hidden shell until the creating op arrives
}

Result<Ingest::Touched*> Ingest::touch(const RecordId& id) {
  const auto [at, added] = touched_.try_emplace(id);
  if (!added) return &at->second;
  auto row = tx_.records().get(id);
  if (!row) {
    touched_.erase(at);
    return std::move(row).error();
  }
  if (*row) {
    at->second.row = std::move(**row);
    at->second.existed = true;
  } else {
    at->second.row.id = id;
  }
  return &at->second;
}

Status Ingest::need_state(Touched& touched) {
  if (touched.state) return Done{};
  DUHUI_TRY(loaded, ops_.load(tx_, touched.row));
  touched.state = std::move(loaded);
  touched.summary.reset();
  return Done{};
}

Status Ingest::drop_strangers(const std::string& scope, Touched& touched) {
  std::vector<OpRef> kept;
  for (const OpRef& early : touched.row.ops) {
    DUHUI_TRY(stream, tx_.streams().get(early.dot.origin));
    const auto device = stream ? stream->device : streams_[early.dot.origin].device;
    DUHUI_TRY(row, tx_.devices().get(device));
    if (!row || may_write(row->scopes, scope)) {
      kept.push_back(early);
      continue;
    }
    DUHUI_TRY(bytes, ops_.op(tx_, early.dot));
    DUHUI_CHECK_OK(tx_.review().add_quarantine(
        {early.dot, "forbidden", "before the record was known", std::string(bytes), now_}));
  }
  if (kept.size() == touched.row.ops.size()) return Done{};
  touched.row.ops = std::move(kept);
  touched.state.reset();
  touched.row.checksum = 0;
  for (const OpRef& early : touched.row.ops) {
    DUHUI_TRY(bytes, ops_.op(tx_, early.dot));
    touched.row.checksum += scope_checksum(op_checksum(bytes), early.stamp);
  }
  return Done{};
}

Status Ingest::add_op(const Dot& dot,
                      std::uint64_t checksum,
                      const sync::v1::Op& op,
                      const OpStamp& stamp,
                      Touched& touched) {
  RecordRow& row = touched.row;
  DUHUI_CHECK_OK(link_files(tx_, op));
  const bool becomes_known = op.creates() && !row.born;
  if (becomes_known) {
    DUHUI_CHECK_OK(drop_strangers(op.scope(), touched));
    row.scope = op.scope();
    row.born = true;
  }
  if (becomes_known || !row.born) row.type = op.record_type();
  checksum = scope_checksum(checksum, stamp);
  if (row.ops.empty() && op.creates() && !touched.state && !stamp.proposal) {
    row.ops.push_back({dot, stamp});
    touched.summary = rules_.summarize_new(dot, op);
  } else {
    DUHUI_CHECK_OK(need_state(touched));
    auto applied = touched.state->apply(dot, op, stamp);
    if (!applied) return std::move(applied).error();
    row.ops.push_back({dot, stamp});
    if (becomes_known) {
      // The ops that waited for the scope enter its feed now.
      for (std::size_t n = 0; n + 1 < row.ops.size(); ++n) {
        DUHUI_TRY(early, ops_.op(tx_, row.ops[n].dot));
        early_[row.ops[n].dot.origin].push_back(
            {row.scope, row.ops[n].dot.seq, scope_checksum(op_checksum(early), row.ops[n].stamp)});
      }
    }
  }
  row.checksum += checksum;
  if (!touched.dirty) {
    touched.dirty = true;
    dirty_.push_back(row.id);
  }
  if (!touched.changed) {
    touched.changed = true;
    changed_.push_back(row.id);
  }
  if (!row.scope.empty()) feed(row.scope, dot.seq, checksum);
  return Done{};
}

void Ingest::feed(const std::string& scope, std::uint64_t seq, std::uint64_t checksum) {
  std::vector<FeedRun>& runs = pending_feed_[scope];
  if (!runs.empty() && runs.back().first_seq + runs.back().count == seq) {
    ++runs.back().count;
    runs.back().checksum += checksum;
  } else {
    runs.push_back({seq, 1, checksum});
  }
}

Status Ingest::flush_feed(const Origin& origin) {
  for (const auto& [scope, runs] : pending_feed_) {
    for (const FeedRun& run : runs) DUHUI_CHECK_OK(append_feed(scope, origin, run));
  }
  pending_feed_.clear();
  for (const auto& [early_origin, entries] : early_) {
    for (const EarlyOp& entry : entries) {
      DUHUI_CHECK_OK(append_feed(entry.scope, early_origin, {entry.seq, 1, entry.checksum}));
    }
  }
  early_.clear();
  return Done{};
}

Status Ingest::append_feed(const std::string& scope, const Origin& origin, const FeedRun& run) {
  if (!feeds_.contains(scope)) {
    DUHUI_TRY(head, tx_.feed().head(scope));
    feeds_[scope] = head;
  }
  FeedHead& head = feeds_[scope];
  const FeedRow row{.scope = scope,
                    .first = head.through + 1,
                    .count = run.count,
                    .origin = origin,
                    .first_seq = run.first_seq,
                    .checksum_after = head.checksum + run.checksum};
  DUHUI_CHECK_OK(tx_.feed().append(row));
  head.through += run.count;
  head.checksum = row.checksum_after;
  return Done{};
}

Result<const Standing*> Ingest::standing_of(const std::string& person) {
  if (const auto at = standings_.find(person); at != standings_.end()) return &at->second;
  DUHUI_TRY(standing, rules_.standing_of(*this, person));
  return &(standings_[person] = std::move(standing));
}

}  // namespace duhui::hub
