// How a replica finds its place again: at a start, after a storage failure, after a fork.

#include <algorithm>
#include <map>
#include <set>

#include "agent/core/keys.h"
#include "agent/core/record_batch.h"
#include "agent/core/replica.h"
#include "shared/base/scope.h"
#include "shared/merge/hybrid_clock.h"
#include "shared/sync/limits.h"
#include "shared/sync/locked_op.h"
#include "shared/sync/stream_chain.h"

namespace duhui::agent {
namespace {

/// Ops of the old stream become ops of the next one: everything they refer to keeps its meaning.
class Translation {
 public:
  explicit Translation(const Origin& old_origin) : old_origin_(old_origin) {}

  void add(std::uint64_t old_seq, std::uint64_t next_seq) { next_[old_seq] = next_seq; }
  bool holds(const sync::v1::Dot& dot) const { return is_own(dot) && next_.contains(dot.seq()); }
  bool is_own(const sync::v1::Dot& dot) const {
    return dot.origin().empty() || dot.origin() == old_origin_.view();
  }

  void apply(sync::v1::Op* op) const {
    if (op->has_born()) apply(op->mutable_born());
    for (sync::v1::Dot& dot : *op->mutable_sees()) apply(&dot);
    for (sync::v1::Write& write : *op->mutable_writes()) {
      for (sync::v1::Dot& dot : *write.mutable_replaces()) apply(&dot);
    }
  }

 private:
  void apply(sync::v1::Dot* dot) const {
    if (!is_own(*dot)) return;
    if (const auto at = next_.find(dot->seq()); at != next_.end()) {
      dot->clear_origin();
      dot->set_seq(at->second);
    } else {
      dot->set_origin(old_origin_.str());
    }
  }

  const Origin old_origin_;
  std::map<std::uint64_t, std::uint64_t> next_;  // old seq -> seq in the next stream
};

/// The ranges of (`common`, `head`] that `held` (ordered) lacks.
std::vector<sync::v1::Gap> gaps_between(const Origin& origin,
                                        std::uint64_t common,
                                        std::uint64_t head,
                                        const std::vector<Replica::OwnOp>& held) {
  std::vector<sync::v1::Gap> gaps;
  std::uint64_t next = common + 1;
  const auto note = [&](std::uint64_t end) {
    if (next >= end) return;
    sync::v1::Gap& gap = gaps.emplace_back();
    gap.set_origin(origin.str());
    gap.set_first_seq(next);
    gap.set_last_seq(end - 1);
  };
  for (const Replica::OwnOp& own : held) {
    note(own.seq);
    next = own.seq + 1;
  }
  note(head + 1);
  return gaps;
}

/// `state` remembers the stream it is in as a past one, and what of it is lost.
void end_stream(const Origin& origin,
                std::uint64_t common,
                const std::vector<Replica::OwnOp>& held,
                store::v1::AgentState* state) {
  store::v1::PastStream* past = state->add_past();
  past->set_origin(origin.str());
  past->set_head(state->head());
  past->set_common(common);
  if (state->has_receipt() && state->receipt().origin() == origin.view()) {
    *past->mutable_receipt() = state->receipt();
    past->set_epoch(state->epoch());
  }
  for (sync::v1::Gap& gap : gaps_between(origin, common, state->head(), held)) {
    // What a hub once had is with others.
    gap.set_first_seq(std::max(gap.first_seq(), state->ever_acknowledged() + 1));
    if (gap.first_seq() <= gap.last_seq()) *state->add_gaps() = std::move(gap);
  }
}

void begin_stream(const Origin& origin,
                  std::uint64_t head,
                  const std::string& chain,
                  store::v1::AgentState* state) {
  state->set_origin(origin.str());
  state->set_head(head);
  state->set_chain(chain);
  state->set_acknowledged(0);
  state->set_acknowledged_chain({});
  state->set_ever_acknowledged(0);
  state->set_own_log_from(1);
  state->set_has_holes(false);
}

}  // namespace

Status Replica::load(const ClockReading& clock, bool salvaged) {
  DUHUI_TRY(bytes, store_.get(keys::state()));
  scopes_.clear();
  if (bytes && state_.ParseFromString(*bytes)) {
    const auto origin = Origin::from_bytes(state_.origin());
    if (!origin) return Error{ErrorCode::corrupt_data, "agent state: origin"};
    origin_ = *origin;
  } else {
    report_.fresh = true;
    DUHUI_CHECK_OK(start_fresh());
  }
  auto scanned = store_.scan(keys::kScopes, {}, [&](std::string_view key, std::string_view value) {
    store::v1::ScopeState scope;
    if (scope.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      scopes_[std::string(key.substr(keys::kScopes.size()))] = scope;
    }
    return true;
  });
  if (!scanned) return scanned;
  DUHUI_CHECK_OK(load_vault());
  DUHUI_CHECK_OK(replay_journal());
  if (salvaged) {
    DUHUI_CHECK_OK(fill_from_journal());
    DUHUI_CHECK_OK(settle_after_salvage());
  }
  DUHUI_CHECK_OK(count_boot(clock));
  broken_ = false;
  return Done{};
}

Status Replica::start_fresh() {
  origin_ = Origin::random(random_);
  state_.Clear();
  state_.set_origin(origin_.str());
  state_.set_chain(empty_chain());
  state_.set_own_log_from(1);
  KvBatch batch;
  put_state(batch);
  return store_.commit(batch);
}

Status Replica::count_boot(const ClockReading& clock) {
  if (state_.boot() != 0 && state_.boot_mark() == clock.boot) return Done{};
  state_.set_boot(state_.boot() + 1);
  state_.set_boot_mark(clock.boot);
  KvBatch batch;
  put_state(batch);
  return store_.commit(batch);
}

Status Replica::recover() {
  const ClockReading same_boot{.wall = {}, .monotonic = {}, .boot = state_.boot_mark()};
  return load(same_boot, false);
}

Status Replica::replay_journal() {
  struct Found {
    std::string op;
    std::string chain;
  };
  // The newest entry of a seq is the one whose save went on; an older one was never reported saved.
  std::map<Dot, Found> found;
  Origin newest_stream;
  DUHUI_TRY(damaged, journal_.replay([&](const Journal::Entry& entry) {
    found[entry.dot] = {std::string(entry.op), std::string(entry.chain)};
    newest_stream = entry.dot.origin;
  }));
  report_.journal_damaged = damaged;
  if (found.empty()) return Done{};
  if (state_.head() == 0 && report_.fresh) {
    // The database is gone, the journal is not: go on with the stream the journal tells of.
    const auto first = found.lower_bound(Dot{newest_stream, 0});
    DUHUI_CHECK_OK(adopt_journal_stream(first->first));
    state_.set_chain({});  // the first entry's predecessor is not known here
  }
  RecordBatch records(store_, scopes_);
  KvBatch batch;
  HybridClock hybrid(state_.hlc());
  std::uint64_t brought_back = 0;
  for (auto at = found.lower_bound(Dot{origin_, state_.head() + 1});
       at != found.end() && at->first.origin == origin_; ++at) {
    const auto& [dot, entry] = *at;
    if (dot.seq != state_.head() + 1) {
      if (damaged == 0) break;  // of a save that never went on
      // Torn out of the middle: what is behind goes on after the next hello.
      report_.lost += dot.seq - state_.head() - 1;
      state_.set_has_holes(true);
      state_.clear_chain();
    }
    const bool linked = state_.chain().empty() ||
                        extend_chain(state_.chain(), kept_digest(entry.op)) == entry.chain;
    sync::v1::Op op;
    if (!linked || !read_head(entry.op, &op)) break;
    auto added = records.add(dot, entry.op, op, default_stamp(op), op.scope());
    if (!added) return std::move(added).error();
    store::v1::OwnOp own;
    own.set_op(entry.op);
    own.set_chain(entry.chain);
    batch.put(keys::own_op(origin_, dot.seq), own.SerializeAsString());
    DUHUI_CHECK_OK(name_blobs(dot, entry.op, &batch));
    state_.set_head(dot.seq);
    state_.set_chain(entry.chain);
    state_.set_hlc(std::max<std::uint64_t>(state_.hlc(), op.time().hlc()));
    ++brought_back;
  }
  if (state_.chain().empty()) state_.set_chain(empty_chain());
  report_.replayed += brought_back;
  if (brought_back == 0) return Done{};
  put_state(batch);
  records.write(batch);
  return store_.commit(batch);
}

Status Replica::adopt_journal_stream(const Dot& first) {
  origin_ = first.origin;
  state_.Clear();
  state_.set_origin(origin_.str());
  state_.set_head(first.seq - 1);
  state_.set_own_log_from(first.seq);
  return Done{};
}

Status Replica::fill_from_journal() {
  std::map<std::uint64_t, OwnOp> found;
  DUHUI_TRY(damaged, journal_.replay([&](const Journal::Entry& entry) {
    const std::uint64_t seq = entry.dot.seq;
    if (entry.dot.origin != origin_ || seq <= state_.acknowledged() || seq > state_.head()) return;
    found[seq] = {seq, std::string(entry.op), std::string(entry.chain)};
  }));
  static_cast<void>(damaged);  // counted by replay_journal
  RecordBatch records(store_, scopes_);
  KvBatch batch;
  for (std::uint64_t seq = state_.acknowledged() + 1; seq <= state_.head(); ++seq) {
    DUHUI_TRY(stored, store_.get(keys::own_op(origin_, seq)));
    store::v1::OwnOp own;
    if (!stored || !own.ParseFromString(*stored)) {
      const auto at = found.find(seq);
      // Another chain at the head: of a save that never went on.
      if (at == found.end() || (seq == state_.head() && at->second.chain != state_.chain()))
        continue;
      own.set_op(at->second.op);
      own.set_chain(at->second.chain);
      batch.put(keys::own_op(origin_, seq), own.SerializeAsString());
    }
    sync::v1::Op op;
    if (!read_head(own.op(), &op)) continue;
    DUHUI_CHECK_OK(name_blobs(Dot{origin_, seq}, own.op(), &batch));
    // The record may have been lost without its log; not yet stamped, it is the same if it is
    // there.
    auto added = records.add(Dot{origin_, seq}, own.op(), op, default_stamp(op), op.scope());
    if (!added) return std::move(added).error();
  }
  records.write(batch);
  return batch.empty() ? Status(Done{}) : store_.commit(batch);
}

Status Replica::settle_after_salvage() {
  // Records may lack ops: everything comes again from the hub. The own log may have holes: what the
  // hub has not acknowledged and nobody holds any more is counted as lost.
  KvBatch batch;
  for (auto& [name, scope] : scopes_) {
    scope.Clear();
    batch.put(keys::scope(name), scope.SerializeAsString());
  }
  std::set<std::uint64_t> held;
  auto scanned =
      store_.scan(keys::own_log(origin_), {}, [&](std::string_view key, std::string_view value) {
        store::v1::OwnOp own;
        if (own.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
          held.insert(read_big_endian_64(key.substr(key.size() - 8)));
        }
        return true;
      });
  if (!scanned) return scanned;
  std::uint64_t from = state_.head() + 1;
  while (from > 1 && held.contains(from - 1)) --from;
  state_.set_own_log_from(from);
  for (std::uint64_t seq = state_.acknowledged() + 1; seq <= state_.head(); ++seq) {
    if (!held.contains(seq)) ++report_.lost;
  }
  state_.set_has_holes(state_.has_holes() || report_.lost > 0);
  // The sums are counted again from the records that are left.
  DUHUI_CHECK_OK(count_scopes(batch));
  put_state(batch);
  return store_.commit(batch);
}

Status Replica::count_scopes(KvBatch& batch) {
  auto scanned = store_.scan(keys::kRecords, {}, [&](std::string_view, std::string_view value) {
    store::v1::StoredRecord record;
    if (!record.ParseFromArray(value.data(), static_cast<int>(value.size()))) return true;
    if (record.scope().empty()) return true;
    store::v1::ScopeState& scope = scopes_[record.scope()];
    for (const store::v1::StoredOp& op : record.ops()) {
      scope.set_checksum(scope.checksum() + checksum_of(op));
    }
    return true;
  });
  if (!scanned) return scanned;
  for (const auto& [name, scope] : scopes_) batch.put(keys::scope(name), scope.SerializeAsString());
  return Done{};
}

Result<std::vector<Replica::OwnOp>> Replica::held_after(std::uint64_t seq) {
  std::vector<OwnOp> held;
  auto scanned = store_.scan(
      keys::own_log(origin_), keys::own_op(origin_, seq + 1),
      [&](std::string_view key, std::string_view value) {
        store::v1::OwnOp own;
        const std::uint64_t at = read_big_endian_64(key.substr(key.size() - 8));
        if (at > state_.head()) return false;
        if (own.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
          held.push_back({at, std::move(*own.mutable_op()), std::move(*own.mutable_chain())});
        }
        return true;
      });
  if (!scanned) return std::move(scanned).error();
  return held;
}

Result<bool> Replica::has_gap_after(std::uint64_t seq) {
  if (!state_.has_holes() || seq >= state_.head()) return false;
  DUHUI_TRY(held, held_after(seq));
  return held.size() < state_.head() - seq;
}

Status Replica::reincarnate(std::uint64_t common) {
  const Origin old_origin = origin_;
  const std::uint64_t old_head = state_.head();
  const Origin next = Origin::random(random_);
  DUHUI_TRY(held, held_after(common));
  Translation translation(old_origin);
  for (std::size_t n = 0; n < held.size(); ++n) translation.add(held[n].seq, n + 1);
  RecordBatch records(store_, scopes_);
  KvBatch batch;
  std::string chain = empty_chain();
  std::vector<std::string> bytes;
  std::vector<std::string> chains;
  std::map<RecordId, std::uint64_t> created_again;
  for (const OwnOp& own : held) {
    sync::v1::Op op;
    // Locked ones refer to others inside: they wait until somebody opens the vault.
    DUHUI_TRY(exact, vault_.exact(own.op));
    if (!op.ParseFromString(exact)) return Error{ErrorCode::corrupt_data, "own log: op"};
    const auto id = RecordId::from_bytes(op.record_id());
    if (!id) return Error{ErrorCode::corrupt_data, "own log: record id"};
    const Dot dot{next, bytes.size() + 1};
    DUHUI_TRY(stored, records.find(*id));
    const std::string scope = stored == nullptr ? std::string() : stored->scope();
    const bool was_created_here =
        op.has_born() && translation.is_own(op.born()) && op.born().seq() > common;
    const bool creator_is_lost = was_created_here && !translation.holds(op.born());
    translation.apply(&op);
    if (creator_is_lost && is_scope(scope)) {
      // Nobody will ever have the op that made the record: the first one left of it does that now.
      const auto [at, first] = created_again.emplace(*id, dot.seq);
      if (first) {
        op.clear_born();
        op.set_creates(true);
        op.set_scope(scope);
      } else {
        write_dot(Dot{next, at->second}, next, op.mutable_born());
      }
    }
    DUHUI_CHECK_OK(records.remove(*id, Dot{old_origin, own.seq}));
    exact = op.SerializeAsString();
    chain = extend_chain(chain, exact);
    chains.push_back(chain);
    const Openness readable = openness(own.op);
    bytes.push_back(readable == Openness::all
                        ? exact
                        : vault_.keep(exact, op, readable == Openness::part, random_));
    auto added = records.add(dot, bytes.back(), op, default_stamp(op), op.scope());
    if (!added) return std::move(added).error();
    store::v1::OwnOp kept;
    kept.set_op(bytes.back());
    kept.set_chain(chain);
    batch.put(keys::own_op(next, dot.seq), kept.SerializeAsString());
    batch.erase(keys::own_op(old_origin, own.seq));
  }
  std::vector<Journal::Entry> entries;
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    entries.push_back({Dot{next, n + 1}, bytes[n], chains[n]});
  }
  if (!entries.empty()) DUHUI_CHECK_OK(journal_.append(entries));
  end_stream(old_origin, common, held, &state_);
  origin_ = next;
  begin_stream(next, bytes.size(), chain, &state_);
  put_state(batch);
  records.write(batch);
  DUHUI_CHECK_OK(commit(batch));
  return journal_.drop_through(Dot{old_origin, old_head});
}

}  // namespace duhui::agent
