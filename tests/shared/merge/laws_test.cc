// The numbered laws of docs/merge.md.
#include <limits>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "random_history.h"
#include "shared/merge/effective_time.h"
#include "shared/merge/hybrid_clock.h"

namespace duhui {
namespace {

using Steps = std::vector<Step>;

/// The same ops in an order drawn by rapidcheck.
std::vector<OpMaker> shuffled(const std::vector<OpMaker>& ops) {
  std::vector<OpMaker> left = ops, out;
  while (!left.empty()) {
    const auto at = *rc::gen::inRange<std::size_t>(0, left.size());
    out.push_back(left[at]);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return out;
}

std::vector<OpMaker> some_of(const std::vector<OpMaker>& ops) {
  std::vector<OpMaker> out;
  for (const OpMaker& op : ops) {
    if (*rc::gen::arbitrary<bool>()) out.push_back(op);
  }
  return out;
}

struct Named {
  RegisterKey key;
  Dot dot;
  auto operator<=>(const Named&) const = default;
};

/// (register, dot) of every write in `ops`, and of every replacement they name.
void list_writes(const std::vector<OpMaker>& ops,
                 std::set<Named>& writes,
                 std::set<Named>& replaced) {
  for (const OpMaker& op : ops) {
    for (const sync::v1::Write& write : op.op.writes()) {
      writes.insert({{write.field(), write.key()}, op.dot});
      for (const sync::v1::Dot& dot : write.replaces()) {
        replaced.insert({{write.field(), write.key()}, *read_dot(dot, op.dot.origin)});
      }
    }
  }
}

RC_GTEST_PROP(Laws, L1OrderDoesNotMatter, (const Steps& steps)) {
  const RandomHistory history(steps);
  RC_ASSERT(merged(shuffled(history.ops)) == merged(history.ops));
}

RC_GTEST_PROP(Laws, L2RepetitionDoesNotMatter, (const Steps& steps)) {
  const RandomHistory history(steps);
  std::vector<OpMaker> twice = history.ops;
  twice.insert(twice.end(), history.ops.begin(), history.ops.end());
  RC_ASSERT(merged(shuffled(twice)) == merged(history.ops));
}

RC_GTEST_PROP(Laws, L3BatchesMayBeCutAnywhereAndComeInAnyOrder, (const Steps& steps)) {
  const RandomHistory history(steps);
  const auto cut =
      static_cast<std::ptrdiff_t>(*rc::gen::inRange<std::size_t>(0, history.ops.size() + 1));
  RecordState state;
  for (auto op = history.ops.begin() + cut; op != history.ops.end(); ++op) apply(state, *op);
  for (auto op = history.ops.begin(); op != history.ops.begin() + cut; ++op) apply(state, *op);
  RC_ASSERT(state == merged(history.ops));
}

RC_GTEST_PROP(Laws, L4GapsCloseWhenTheMissingOpsArrive, (const Steps& steps)) {
  const RandomHistory history(steps);
  const std::vector<OpMaker> part = some_of(history.ops);
  RecordState state = merged(part);
  RC_ASSERT(state == merged(shuffled(part)));
  for (const OpMaker& op : history.ops) apply(state, op);
  RC_ASSERT(state == merged(history.ops));
}

RC_GTEST_PROP(Laws, L5AWriteIsLiveIffNoReceivedWriteReplacesIt, (const Steps& steps)) {
  const std::vector<OpMaker> ops = some_of(RandomHistory(steps).ops);
  std::set<Named> writes, replaced, live, history;
  list_writes(ops, writes, replaced);
  const RecordState state = merged(ops);
  for (const auto& [key, reg] : state.registers()) {
    for (const RegisterWrite& write : reg.live) live.insert({key, write.dot});
    for (const RegisterWrite& write : reg.history) history.insert({key, write.dot});
  }
  for (const Named& write : writes) {
    RC_ASSERT(live.contains(write) == !replaced.contains(write));
    RC_ASSERT(history.contains(write) == replaced.contains(write));
  }
  RC_ASSERT(live.size() + history.size() == writes.size());
}

RC_GTEST_PROP(Laws, L6NothingSavedIsEverLost, (const Steps& steps)) {
  const RandomHistory history(steps);
  const RecordState state = merged(history.ops);
  std::map<Named, std::string> saved, reachable;
  for (const OpMaker& op : history.ops) {
    for (const sync::v1::Write& write : op.op.writes()) {
      if (write.field() == kDeletedField) continue;
      saved[{{write.field(), write.key()}, op.dot}] = op.op.person() + write.value();
    }
  }
  std::size_t places = 0;
  const RecordView shown = seen(state);
  for (const ShownRegister& reg : shown.registers) {
    for (const auto* list : {&reg.shown, &reg.siblings, &reg.history, &reg.proposals}) {
      for (const AuthoredValue& value : *list) {
        reachable[{reg.key, value.dot}] = value.person + value.value.value_or("");
        ++places;
      }
    }
  }
  RC_ASSERT(reachable == saved);
  RC_ASSERT(places == saved.size());
}

RC_GTEST_PROP(Laws, L7PendingIsWhatWasNamedAndNotReceived, (const Steps& steps)) {
  const std::vector<OpMaker> ops = some_of(RandomHistory(steps).ops);
  std::set<Named> writes, replaced, pending;
  list_writes(ops, writes, replaced);
  const RecordState state = merged(ops);
  for (const auto& [key, reg] : state.registers()) {
    for (const PendingReplacement& entry : reg.pending) pending.insert({key, entry.dot});
  }
  for (const Named& write : writes) replaced.erase(write);
  RC_ASSERT(pending == replaced);
}

RC_GTEST_PROP(Laws, L8RestampingConverges, (const Steps& steps)) {
  const RandomHistory history(steps);
  RecordState state;
  for (OpMaker op : shuffled(history.ops)) {
    op.stamp = {.effective_ms = 7, .quality = sync::v1::TIME_QUALITY_PROVISIONAL};
    apply(state, op);
  }
  for (const OpMaker& op : shuffled(history.ops)) state.restamp(op.dot, op.stamp);
  state.restamp(dot_of(9, 9), {});
  RC_ASSERT(state == merged(history.ops));
}

RC_GTEST_PROP(Laws, L9UnknownFieldsSurviveByteForByte, (const Steps& steps)) {
  const RandomHistory history(steps);
  const RecordState state = merged(history.ops);
  const RecordView shown = seen(state);
  const ShownRegister* reg = shown.find(kUnknownRegister);
  const std::string kept = reg != nullptr ? reg->shown.front().value.value() : "";
  const Sheet sheet = parsed(shown);
  std::string unknown;
  RC_ASSERT(sheet.GetReflection()->GetUnknownFields(sheet).SerializeToString(&unknown));
  RC_ASSERT(unknown == kept);
}

RC_GTEST_PROP(Laws, L10TheViewIsAPureFunctionOfTheOps, (const Steps& steps)) {
  const RandomHistory history(steps);
  const RecordState state = merged(history.ops);
  const RecordState before = state;
  const std::string first = dump(seen(state));
  for (const auto& [key, reg] : state.registers()) explain(sheet_schema(), state, key, {});
  RC_ASSERT(dump(seen(state)) == first);
  RC_ASSERT(dump(seen(merged(shuffled(history.ops)))) == first);
  RC_ASSERT(state == before);
  RC_ASSERT(shown_message(sheet_schema(), state, {}).bytes == seen(state).message_bytes());
}

RC_GTEST_PROP(Laws, L11WhatAFreezingEventSawStaysShown, (const Steps& before, const Steps& after)) {
  Steps all = before;
  const RecordState submitted = merged(RandomHistory(before).ops);
  const std::vector<Dot> inside = submitted.frontier();
  const ViewOptions frozen{.override_policy = {}, .frozen_at = &inside};
  all.insert(all.end(), after.begin(), after.end());
  const RecordView shown = seen(submitted, frozen);
  RC_ASSERT(shown.message_bytes() == seen(submitted).message_bytes());
  RC_ASSERT(shown.amendments.empty());

  const RecordState later = merged(RandomHistory(all).ops);
  const RecordView now = seen(later, frozen);
  std::set<Named> waiting, late;
  for (const Amendment& amendment : now.amendments) {
    for (const RegisterKey& key : amendment.registers) waiting.insert({key, amendment.dot});
  }
  for (const auto& [key, reg] : later.registers()) {
    if (key.field == kDeletedField || key.field == 6) continue;
    const ShownRegister* then = shown.find(key);
    const std::vector<Dot> dots = then != nullptr ? dots_of(then->shown) : std::vector<Dot>{};
    RC_ASSERT(dots_of(now.find(key)->shown) == dots);
    for (const RegisterWrite& write : reg.live) {
      if (!std::binary_search(inside.begin(), inside.end(), write.dot))
        late.insert({key, write.dot});
    }
  }
  RC_ASSERT(waiting == late);
}

RC_GTEST_PROP(Laws, L12ADeletionStandsIffItSawEverythingLive, (const Steps& steps)) {
  const RecordState state = merged(RandomHistory(steps).ops);
  bool stands = false, any = false;
  if (const Register* deletions = state.find({kDeletedField, {}})) {
    for (const RegisterWrite& deletion : deletions->live) {
      const std::vector<Dot>& sees = state.op(deletion.dot)->sees;
      bool saw_all = true;
      for (const auto& [key, reg] : state.registers()) {
        for (const RegisterWrite& write : reg.live) {
          saw_all = saw_all && (key.field == kDeletedField ||
                                std::binary_search(sees.begin(), sees.end(), write.dot));
        }
      }
      any = true;
      stands = stands || saw_all;
    }
  }
  RC_ASSERT(seen(state).deleted == stands);
  RC_ASSERT(seen(state).restored.has_value() == (any && !stands));
}

RC_GTEST_PROP(Laws, L13IdenticalConcurrentValuesAreNoConflict, ()) {
  std::vector<OpMaker> ops{OpMaker(1, 1, "p0").creates()};
  const auto people = *rc::gen::inRange(2, 6);
  for (int person = 1; person <= people; ++person) {
    ops.push_back(OpMaker(person, 2, "p" + std::to_string(person))
                      .at(*rc::gen::inRange(0, 3))
                      .set(answered("A1", true, *rc::gen::element<std::string>("", "x", "y"))));
  }
  const RecordView shown = seen(merged(ops));
  RC_ASSERT(shown.open_conflicts() == 0u);
  RC_ASSERT(parsed(shown).answers().at("A1").value().truth());
}

RC_GTEST_PROP(Laws, L14AMalformedOpChangesNothing, (const Steps& steps)) {
  RecordState state = merged(RandomHistory(steps).ops);
  const RecordState before = state;
  OpMaker bad = OpMaker(4, 99, "p").set(titled("x"));
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      bad.op.set_record_id("x");
      break;
    case 1:
      bad.op.clear_born();
      break;
    case 2:
      bad.op.mutable_writes(0)->add_replaces();
      break;
    default:
      *bad.op.add_writes() = bad.op.writes(0);
      break;
  }
  RC_ASSERT(!state.apply(bad.dot, std::move(bad.op), bad.stamp));
  RC_ASSERT(state == before);
}

RC_GTEST_PROP(Laws, L15ExplainAgreesWithTheView, (const Steps& steps)) {
  const RecordState state = merged(RandomHistory(steps).ops);
  const RecordView shown = seen(state);
  for (const ShownRegister& reg : shown.registers) {
    const Explanation answer = explain(sheet_schema(), state, reg.key, {});
    std::set<Dot> shown_by_view, shown_by_answer;
    for (const AuthoredValue& value : reg.shown) shown_by_view.insert(value.dot);
    for (const Explanation::Entry& entry : answer.entries) {
      if (entry.shown) shown_by_answer.insert(entry.write.dot);
    }
    RC_ASSERT(shown_by_answer == shown_by_view);
    RC_ASSERT(answer.policy == reg.policy);
    RC_ASSERT((answer.rule == "conflict_open") == reg.in_conflict());
    RC_ASSERT(answer.entries.size() ==
              reg.shown.size() + reg.siblings.size() + reg.history.size() + reg.proposals.size());
  }
}

RC_GTEST_PROP(Laws, L16ShownFragmentsTogetherParse, (const Steps& steps)) {
  const RecordState state = merged(RandomHistory(steps).ops);
  const auto fragments = split(sheet_schema(), parsed(seen(state)));
  RC_ASSERT(fragments.has_value());
  for (const Fragment& fragment : *fragments) {
    RC_ASSERT(check_fragment(sheet_schema(), fragment.key, fragment.value).has_value());
    RC_ASSERT(state.find(fragment.key) != nullptr);
  }
}

RC_GTEST_PROP(Laws,
              L17TheHybridClockOnlyGoesForward,
              (std::uint64_t start, const std::vector<std::int64_t>& walls)) {
  HybridClock clock(start >> 1);
  std::uint64_t last = clock.last();
  for (const std::int64_t wall : walls) {
    const std::uint64_t far = static_cast<std::uint64_t>(wall) * 1'000'003;  // anywhere at all
    const std::uint64_t stamp = clock.tick(WallTime{static_cast<std::int64_t>(far)});
    RC_ASSERT(stamp > last);
    last = stamp;
  }
}

RC_GTEST_PROP(Laws,
              L18NoClockLeavesWhatTheHubKnows,
              (std::int64_t wall, std::uint64_t hub_seen, std::uint32_t boot)) {
  const std::int64_t now = *rc::gen::inRange<std::int64_t>(1, 4'000'000'000'000);
  const ClockReading reading{WallTime{wall}, MonotonicTime{5'000}, 1};
  const auto evidence = make_evidence(*rc::gen::arbitrary<std::uint64_t>(),
                                      {WallTime{wall}, MonotonicTime{1}, boot % 3},
                                      WallTime{static_cast<std::int64_t>(hub_seen >> 1)});
  const EffectiveTime time = effective_time(evidence, reading, WallTime{now}, WallTime{now});
  RC_ASSERT(time.time.ms <= now);
  RC_ASSERT(time.time.ms >= std::min(static_cast<std::int64_t>(hub_seen >> 1), now));
}

}  // namespace
}  // namespace duhui
