#include "agent/core/replica.h"

#include <algorithm>
#include <cassert>
#include <set>

#include "agent/core/keys.h"
#include "agent/core/record_batch.h"
#include "shared/base/check.h"
#include "shared/crypto/signing.h"
#include "shared/merge/hybrid_clock.h"
#include "shared/sync/limits.h"
#include "shared/sync/locked_op.h"
#include "shared/sync/stream_chain.h"

namespace duhui::agent {

Replica::Replica(KvStore& store, Journal& journal, Random& random)
    : store_(store), journal_(journal), random_(random) {}

Result<std::unique_ptr<Replica>> Replica::open(
    KvStore& store, Journal& journal, Random& random, const ClockReading& clock, bool salvaged) {
  std::unique_ptr<Replica> replica(new Replica(store, journal, random));
  if (auto loaded = replica->load(clock, salvaged); !loaded) return std::move(loaded).error();
  DUHUI_CHECK_OK(replica->traffic_.load());
  return replica;
}

void Replica::put_state(KvBatch& batch) const {
  batch.put(keys::state(), state_.SerializeAsString());
}

std::string Replica::seen_token(const RecordId& id, const RecordState& state) const {
  return make_seen_token(id, state, Dot{origin_, state_.head()});
}

Result<std::optional<RecordState>> Replica::record(const RecordId& id) {
  RecordBatch batch(store_, scopes_);
  DUHUI_TRY(stored, batch.find(id));
  if (stored == nullptr) return std::optional<RecordState>{};
  return std::optional<RecordState>(replay(*stored, vault_, origin_, state_.acknowledged()));
}

Result<std::vector<RecordId>> Replica::find(std::uint32_t type,
                                            const RecordId& after,
                                            std::uint32_t limit) {
  std::vector<RecordId> ids;
  const std::string prefix = type == 0 ? std::string(keys::kRecords) : keys::type_index(type);
  const std::string from = after.is_zero() ? std::string() : prefix + after.str();
  auto scanned = store_.scan(prefix, from, [&](std::string_view key, std::string_view) {
    const auto id = RecordId::from_bytes(key.substr(prefix.size()));
    if (id && *id != after) ids.push_back(*id);
    return ids.size() < limit;
  });
  if (!scanned) return std::move(scanned).error();
  return ids;
}

Result<std::vector<store::v1::QuarantinedOp>> Replica::quarantine() {
  std::vector<store::v1::QuarantinedOp> all;
  auto scanned = store_.scan(keys::kQuarantine, {}, [&](std::string_view, std::string_view value) {
    store::v1::QuarantinedOp op;
    if (op.ParseFromArray(value.data(), static_cast<int>(value.size()))) all.push_back(op);
    return true;
  });
  if (!scanned) return std::move(scanned).error();
  return all;
}

Status Replica::settle() { return broken_ ? recover() : Status(Done{}); }

void Replica::forget() {
  broken_ = true;
  // Best now: whoever asks next for the state must not read what never reached the disk.
  static_cast<void>(recover().has_value());
}

Status Replica::commit(const KvBatch& batch) {
  auto committed = store_.commit(batch);
  if (!committed) forget();
  return committed;
}

Status Replica::commit_unsynced(const KvBatch& batch) {
  auto committed = store_.commit_unsynced(batch);
  if (!committed) forget();
  return committed;
}

// --- saving ---

Result<std::vector<Dot>> Replica::save(const std::vector<Intent>& intents,
                                       const ClockReading& clock) {
  DUHUI_CHECK_OK(settle());
  const std::uint64_t head_before = state_.head();
  const Origin origin_before = origin_;
  to_show_.clear();
  auto saved = try_save(intents, clock);
  if (saved) show_files();
  if (saved || saved.error().code != ErrorCode::storage_failed) return saved;

  // Nobody knows what reached the disk: look.
  broken_ = true;
  if (auto recovered = recover(); !recovered) return std::move(saved).error();
  if (origin_ != origin_before || state_.head() != head_before + intents.size()) {
    return std::move(saved).error();
  }
  std::vector<Dot> dots;
  for (std::size_t n = 1; n <= intents.size(); ++n) dots.push_back(Dot{origin_, head_before + n});
  return dots;
}

Result<std::vector<Dot>> Replica::try_save(const std::vector<Intent>& intents,
                                           const ClockReading& clock) {
  RecordBatch records(store_, scopes_);
  KvBatch batch;
  HybridClock hybrid(state_.hlc());
  std::string chain = state_.chain();
  std::vector<Dot> dots;
  std::vector<std::string> bytes;
  std::vector<std::string> chains;
  for (const Intent& intent : intents) {
    const Dot dot{origin_, state_.head() + dots.size() + 1};
    DUHUI_TRY(stored, records.find(intent.record));
    const RecordState current =
        stored == nullptr ? RecordState() : replay(*stored, vault_, origin_, state_.acknowledged());
    DUHUI_TRY(op, build_op(intent, current, dot));
    *op.mutable_time() = make_evidence(hybrid.tick(clock.wall), clock,
                                       WallTime{static_cast<std::int64_t>(state_.hub_seen_ms())});
    op.mutable_time()->set_boot(state_.boot());
    if (vault_.state() == Vault::State::open) op.set_salt(make_salt(random_));
    DUHUI_CHECK_OK(check_op(dot, op));
    DUHUI_CHECK_OK(NamedBlobs::name(op, &batch));
    bytes.push_back(op.SerializeAsString());
    if (bytes.back().size() > sync_limits::kOpBytesMax) {
      return Error{ErrorCode::limit_exceeded,
                   "op: " + std::to_string(bytes.back().size()) + " bytes"};
    }
    chain = extend_chain(chain, bytes.back());
    chains.push_back(chain);
    const std::string scope = stored == nullptr ? intent.scope : stored->scope();
    auto added = records.add(dot, bytes.back(), op, default_stamp(op), scope);
    if (!added) return std::move(added).error();
    dots.push_back(dot);
  }
  DUHUI_CHECK_OK(put_away(records, records.changed()));
  std::vector<Journal::Entry> entries;
  for (std::size_t n = 0; n < dots.size(); ++n) {
    DUHUI_TRY(stored, records.find(intents[n].record));
    const auto kept = std::ranges::find_if(stored->ops(), [&](const store::v1::StoredOp& op) {
      return op.seq() == dots[n].seq && op.origin() == origin_.view();
    });
    bytes[n] = kept->op();
    entries.push_back({dots[n], bytes[n], chains[n]});
    store::v1::OwnOp own;
    own.set_op(bytes[n]);
    own.set_chain(chains[n]);
    batch.put(keys::own_op(origin_, dots[n].seq), own.SerializeAsString());
  }
  DUHUI_CHECK_OK(journal_.append(entries));

  state_.set_head(dots.empty() ? state_.head() : dots.back().seq);
  state_.set_chain(chain);
  state_.set_hlc(hybrid.last());
  put_state(batch);
  records.write(batch);
  DUHUI_CHECK_OK(store_.commit(batch));
  return dots;
}

// --- the own stream ---

Result<std::vector<Replica::OwnOp>> Replica::own_ops(std::uint64_t first,
                                                     std::size_t bytes_aim,
                                                     std::uint32_t ops_max) {
  std::vector<OwnOp> ops;
  std::size_t total = 0;
  bool damaged = false;
  auto scanned = store_.scan(
      keys::own_log(origin_), keys::own_op(origin_, first),
      [&](std::string_view key, std::string_view value) {
        const std::uint64_t seq = read_big_endian_64(key.substr(key.size() - 8));
        store::v1::OwnOp own;
        if (seq > state_.head() || ops.size() == ops_max) return false;
        if (seq != first + ops.size() ||
            !own.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
          damaged = ops.empty();
          return false;
        }
        if (!ops.empty() && total + own.op().size() > bytes_aim) return false;
        total += own.op().size();
        ops.push_back({seq, std::move(*own.mutable_op()), std::move(*own.mutable_chain())});
        return true;
      });
  if (!scanned) return std::move(scanned).error();
  if (damaged) return Error{ErrorCode::corrupt_data, "own log: seq " + std::to_string(first)};
  return ops;
}

Result<std::optional<std::string>> Replica::chain_at(std::uint64_t seq) {
  if (seq == 0) return std::optional<std::string>(empty_chain());
  if (seq == state_.head()) return std::optional<std::string>(state_.chain());
  DUHUI_TRY(bytes, store_.get(keys::own_op(origin_, seq)));
  store::v1::OwnOp own;
  if (!bytes || seq > state_.head() || !own.ParseFromString(*bytes)) {
    return std::optional<std::string>{};
  }
  return std::optional<std::string>(own.chain());
}

// --- what the hub says ---

Status Replica::welcomed(const sync::v1::Welcome& welcome) {
  DUHUI_CHECK_OK(settle());
  const sync::v1::StreamHead& hub_head = welcome.hub_head();
  const bool new_life = hub_head.seq() < state_.acknowledged() ||
                        state_.epoch() != welcome.epoch() || !welcome.enrolment().empty() ||
                        state_.hub_id() != welcome.hub_id() ||
                        state_.hub_key() != welcome.hub_key();
  // A hub that forgot what it had acknowledged is sent everything after its head again. Where it
  // has more than we heard of, an Ack with the stamps follows.
  if (hub_head.seq() < state_.acknowledged()) {
    state_.set_acknowledged(hub_head.seq());
    state_.set_acknowledged_chain(hub_head.chain());
  }
  state_.set_epoch(welcome.epoch());
  if (!welcome.enrolment().empty()) state_.set_enrolment(welcome.enrolment());
  state_.set_hub_id(welcome.hub_id());
  state_.set_hub_key(welcome.hub_key());
  *state_.mutable_hub_dictionaries() = welcome.dictionaries();
  *state_.mutable_hub_encodings() = welcome.encodings();
  if (welcome.hub_time_ms() > 0) {
    state_.set_hub_seen_ms(static_cast<std::uint64_t>(welcome.hub_time_ms()));
  }
  KvBatch batch;
  if (new_life) DUHUI_CHECK_OK(blobs_.send_all_again(&batch));
  put_state(batch);
  DUHUI_CHECK_OK(new_life ? commit(batch) : commit_unsynced(batch));
  return welcome.has_vault() ? keep_vault(welcome.vault()) : Status(Done{});
}

Status Replica::acknowledged(const sync::v1::Ack& ack) {
  DUHUI_CHECK_OK(settle());
  if (ack.origin() != origin_.view() || ack.through() > state_.head()) {
    return Error{ErrorCode::invalid_input, "ack: of ops this device does not have"};
  }
  const std::uint64_t before = state_.acknowledged();
  if (ack.through() < before) return Done{};
  RecordBatch records(store_, scopes_);
  const bool seen_before = before < state_.ever_acknowledged();
  if (!ack.stamps().empty() || seen_before) {
    // A hub's second life may stamp otherwise than its first: follow it, like everyone else.
    DUHUI_CHECK_OK(restamp(before + 1, ack, records));
  }
  state_.set_acknowledged(ack.through());
#if defined(DUHUI_BUG) && DUHUI_BUG == 2  // takes an ack of something for an ack of everything
  state_.set_acknowledged(state_.head());
#endif
  state_.set_acknowledged_chain(ack.chain());
  if (ack.has_receipt()) keep_receipt(ack.receipt());
  state_.set_ever_acknowledged(std::max(state_.ever_acknowledged(), ack.through()));
  state_.set_backed_up(std::max(state_.backed_up(), ack.backed_up()));
  if (ack.hub_time_ms() > 0) state_.set_hub_seen_ms(static_cast<std::uint64_t>(ack.hub_time_ms()));
  KvBatch batch;
  DUHUI_CHECK_OK(notes_.keep(origin_, before, ack, &batch));
  put_state(batch);
  records.write(batch);
  // Forgotten in a power cut, it is said again at the next hello.
  DUHUI_CHECK_OK(commit_unsynced(batch));
  return journal_.drop_through(Dot{origin_, ack.through()});
}

Status Replica::restamp(std::uint64_t first, const sync::v1::Ack& ack, RecordBatch& records) {
  // Older ones than the log holds come with the feed, stamped.
  for (std::uint64_t seq = std::max(first, state_.own_log_from()); seq <= ack.through();) {
    DUHUI_TRY(ops, own_ops(seq, sync_limits::kBatchRawBytesMax, sync_limits::kBatchOpsMax));
    if (ops.empty()) break;
    for (const OwnOp& own : ops) {
      if (own.seq > ack.through()) return Done{};
      sync::v1::Op op;
      if (!read_head(own.op, &op)) return Error{ErrorCode::corrupt_data, "own log: op"};
      auto added =
          records.add(Dot{origin_, own.seq}, own.op, op, stamp_of(ack.stamps(), own.seq, op), {});
      if (!added) return std::move(added).error();
      seq = own.seq + 1;
    }
  }
  return Done{};
}

std::vector<sync::v1::ScopeCursor> Replica::cursors() const {
  std::vector<sync::v1::ScopeCursor> all;
  for (const auto& [name, scope] : scopes_) {
    if (scope.through() == 0) continue;
    sync::v1::ScopeCursor cursor;
    cursor.set_scope(name);
    cursor.set_through(scope.through());
    cursor.set_checksum(scope.feed_checksum());
    all.push_back(cursor);
  }
  return all;
}

Status Replica::forget_cursor(const std::string& scope) {
  store::v1::ScopeState& state = scopes_[scope];
  state.set_through(0);
  state.set_feed_checksum(0);
  state.clear_walk_after();
  KvBatch batch;
  batch.put(keys::scope(scope), state.SerializeAsString());
  DUHUI_CHECK_OK(commit(batch));
  return Done{};
}

Status Replica::check_own(std::uint64_t seq, std::string_view bytes) {
  const Error elsewhere{ErrorCode::conflict, "the own stream went on elsewhere"};
  if (seq > state_.head()) return elsewhere;
  DUHUI_TRY(stored, store_.get(keys::own_op(origin_, seq)));
  store::v1::OwnOp own;
  if (!stored || !own.ParseFromString(*stored)) return Done{};  // lost here, and now it comes back
  return kept_digest(own.op()) == kept_digest(bytes) ? Status(Done{}) : Status(elsewhere);
}

Result<std::vector<RecordId>> Replica::apply_runs(
    const std::string& scope,
    const google::protobuf::RepeatedPtrField<sync::v1::Batch>& runs,
    RecordBatch& batch) {
  sync::v1::Op op;  // one for all: what it has allocated serves the next
  for (const sync::v1::Batch& run : runs) {
    const auto origin = Origin::from_bytes(run.origin());
    if (!origin || run.first_seq() == 0) return Error{ErrorCode::invalid_input, "page: origin"};
    DUHUI_TRY(raw, codec_.unpack(packed_ops(run)));
    DUHUI_TRY(ops, PayloadCodec::split(raw, run.count()));
    std::uint64_t seq = run.first_seq();
    for (const std::string_view bytes : ops) {
      const Dot dot{*origin, seq++};
      if (dot.origin == origin_) DUHUI_CHECK_OK(check_own(dot.seq, bytes));
      if (!read_head(bytes, &op)) {
        batch.quarantine(dot, bytes, "not parsable");
        continue;
      }
      auto added = batch.add(dot, bytes, op, stamp_of(run.stamps(), dot.seq, op), scope,
                             seal_of(run.stamps(), dot.seq));
      if (!added) return std::move(added).error();
    }
  }
  return batch.changed();
}

Result<std::vector<RecordId>> Replica::apply(const sync::v1::FeedPage& page) {
  DUHUI_CHECK_OK(settle());
  if (scopes_[page.scope()].through() != page.after()) {
    // A page from before a reset of the cursor: the next one fits again.
    return std::vector<RecordId>{};
  }
  RecordBatch records(store_, scopes_);
  auto changed = apply_runs(page.scope(), page.runs(), records);
  if (!changed) {
    forget();  // scope sums were touched: read them again
    return changed;
  }
  KvBatch batch;
  records.write(batch);
  store::v1::ScopeState& scope = scopes_[page.scope()];
  scope.set_through(page.through());
  scope.set_feed_checksum(page.checksum());
  batch.put(keys::scope(page.scope()), scope.SerializeAsString());
  if (page.hub_time_ms() > 0) {
    state_.set_hub_seen_ms(static_cast<std::uint64_t>(page.hub_time_ms()));
    put_state(batch);
  }
  // Records and cursor stand or fall together.
  DUHUI_CHECK_OK(commit_unsynced(batch));
  return changed;
}

Result<std::vector<RecordId>> Replica::apply(const sync::v1::WalkPage& page) {
  RecordBatch records(store_, scopes_);
  for (const sync::v1::WalkedRecord& walked : page.records()) {
    if (auto applied = apply_runs(page.scope(), walked.runs(), records); !applied) {
      forget();
      return applied;
    }
  }
  KvBatch batch;
  records.write(batch);
  store::v1::ScopeState& scope = scopes_[page.scope()];
  if (page.last()) {
    scope.set_through(page.continue_after());
    scope.set_feed_checksum(page.checksum());
    scope.clear_walk_after();
  } else {
    scope.set_walk_after(page.through());
  }
  batch.put(keys::scope(page.scope()), scope.SerializeAsString());
  DUHUI_CHECK_OK(commit_unsynced(batch));
  return records.changed();
}

Result<std::vector<RecordId>> Replica::apply(
    const std::string& scope,
    const google::protobuf::RepeatedPtrField<sync::v1::WalkedRecord>& walked_records) {
  RecordBatch records(store_, scopes_);
  std::set<RecordId> covered;  // the hub has all that is here
  for (const sync::v1::WalkedRecord& walked : walked_records) {
    if (auto applied = apply_runs(scope, walked.runs(), records); !applied) {
      forget();
      return applied;
    }
    const auto id = RecordId::from_bytes(walked.record_id());
    if (!id) continue;
    DUHUI_TRY(stored, records.find(*id));
    if (stored == nullptr || !covers(walked, *stored)) continue;
    records.settle_half_open(*id);
    covered.insert(*id);
  }
  KvBatch batch;
  DUHUI_CHECK_OK(notes_.merged([&](const RecordId& id) { return covered.contains(id); }, &batch));
  records.write(batch);
  if (batch.empty()) return std::vector<RecordId>{};
  DUHUI_CHECK_OK(commit_unsynced(batch));
  return records.changed();
}

Result<sync::v1::Refill> Replica::sealed_beyond(const sync::v1::RangeAnswer& answer) {
  std::set<Dot> known;
  for (const sync::v1::WalkedRecord& record : answer.records()) {
    for (const sync::v1::Batch& run : record.runs()) {
      const auto origin = Origin::from_bytes(run.origin());
      for (std::uint32_t n = 0; origin && n < run.count(); ++n) {
        known.insert(Dot{*origin, run.first_seq() + n});
      }
    }
  }
  sync::v1::Refill refill;
  refill.set_scope(answer.scope());
  std::uint32_t offered = 0;
  const Packing known_to_hub =
      PayloadCodec::known_to(state_.hub_dictionaries(), state_.hub_encodings());
  auto scanned = store_.scan(
      keys::kRecords, std::string(keys::kRecords) + answer.low(),
      [&](std::string_view key, std::string_view value) {
        store::v1::StoredRecord record;
        if (key.substr(keys::kRecords.size()) > answer.high()) return false;
        if (!record.ParseFromArray(value.data(), static_cast<int>(value.size())) ||
            record.scope() != answer.scope()) {
          return true;
        }
        sync::v1::WalkedRecord* walked = nullptr;
        for (const store::v1::StoredOp& op : record.ops()) {
          const auto origin = Origin::from_bytes(op.origin());
          if (!origin || op.stamp().seal().empty() || known.contains(Dot{*origin, op.seq()}))
            continue;
          if (walked == nullptr) walked = refill.add_records();
          walked->set_record_id(std::string(key.substr(keys::kRecords.size())));
          sync::v1::Batch* run = walked->add_runs();
          run->set_origin(op.origin());
          run->set_first_seq(op.seq());
          codec_.pack({as_readable(op.op())}, known_to_hub, run);
          *run->add_stamps() = op.stamp();
          ++offered;
        }
        return offered < sync_limits::kRefillOpsMax;
      });
  if (!scanned) return std::move(scanned).error();
  return refill;
}

Result<Replica::RangeSum> Replica::range_sum(const std::string& scope,
                                             const RecordId& low,
                                             const RecordId& high) {
  RangeSum sum;
  auto scanned = store_.scan(
      keys::kRecords, keys::record(low), [&](std::string_view key, std::string_view value) {
        const auto id = RecordId::from_bytes(key.substr(keys::kRecords.size()));
        if (!id || high < *id) return false;
        store::v1::StoredRecord record;
        if (!record.ParseFromArray(value.data(), static_cast<int>(value.size()))) return true;
        if (record.scope() != scope) return true;
        for (const store::v1::StoredOp& op : record.ops()) sum.checksum += checksum_of(op);
        ++sum.records;
        if (sum.some.size() <= sync_limits::kRangeRecordsMax) sum.some.push_back(*id);
        return true;
      });
  if (!scanned) return std::move(scanned).error();
  return sum;
}

}  // namespace duhui::agent
