// What people without authority wrote: kept, shown as a proposal, replacing nothing.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "random_history.h"
#include "sample_record.h"
#include "shared/sync/op_builder.h"

namespace duhui {
namespace {

using Steps = std::vector<Step>;

OpMaker proposing(OpMaker maker) {
  maker.stamp.proposal = true;
  return maker;
}

const RegisterKey kTitle{1, {}};

TEST(Proposal, ReplacesNothingAndIsShownBesideWhatStands) {
  const RecordState state =
      state_of({OpMaker(1, 1, "wang").creates().set(titled("ours")),
                proposing(OpMaker(2, 1, "guest").set(titled("theirs"), {dot_of(1, 1)}))});
  const RecordView shown = seen(state);
  EXPECT_EQ(parsed(shown).title(), "ours");
  const ShownRegister* title = shown.find(kTitle);
  ASSERT_NE(title, nullptr);
  ASSERT_EQ(title->proposals.size(), 1u);
  EXPECT_EQ(title->proposals[0].person, "guest");
  EXPECT_TRUE(title->siblings.empty());
}

TEST(Proposal, StandsAloneWhereNobodyWrote) {
  const RecordState state = state_of(
      {OpMaker(1, 1, "wang").creates(), proposing(OpMaker(2, 1, "guest").set(titled("theirs")))});
  const RecordView shown = seen(state);
  EXPECT_EQ(parsed(shown).title(), "");
  ASSERT_NE(shown.find(kTitle), nullptr);
  EXPECT_EQ(shown.find(kTitle)->proposals.size(), 1u);
  const Explanation why = explain(sheet_schema(), state, kTitle, {});
  EXPECT_EQ(why.rule, "proposal_waiting");
  ASSERT_EQ(why.entries.size(), 1u);
  EXPECT_FALSE(why.entries[0].live);
}

TEST(Proposal, NeitherDeletesNorSubmits) {
  const RecordState state = state_of({OpMaker(1, 1, "wang").creates().set(titled("ours")),
                                      proposing(OpMaker(2, 1, "guest").removes({dot_of(1, 1)})),
                                      proposing(OpMaker(2, 2, "guest").set(event("submitted")))});
  const RecordView shown = seen(state);
  EXPECT_FALSE(shown.deleted);
  EXPECT_EQ(parsed(shown).events_size(), 0);
}

TEST(Proposal, IsDealtWithByWhoWritesAfterHavingSeenIt) {
  RecordState state = state_of({OpMaker(1, 1, "wang").creates().set(titled("ours")),
                                proposing(OpMaker(2, 1, "guest").set(titled("theirs")))});
  Intent intent;
  intent.record = *RecordId::from_bytes(std::string(16, 'r'));
  intent.type = 900;
  intent.person = "officer";
  intent.writes.push_back({kTitle, titled("theirs").SerializeAsString()});
  const auto op = build_op(intent, state, dot_of(3, 1));
  ASSERT_TRUE(op);
  ASSERT_TRUE(state.apply(dot_of(3, 1), *op, {}));
  const RecordView shown = seen(state);
  EXPECT_EQ(parsed(shown).title(), "theirs");
  EXPECT_TRUE(shown.find(kTitle)->proposals.empty());
  EXPECT_EQ(shown.find(kTitle)->shown[0].person, "officer");
  // Nothing that was ever typed is gone.
  EXPECT_EQ(shown.find(kTitle)->history.size(), 2u);
}

/// Some ops of a history by people without authority; never the creating one.
std::vector<OpMaker> with_guests(const Steps& steps) {
  std::vector<OpMaker> ops = RandomHistory(steps).ops;
  for (OpMaker& op : ops) op.stamp.proposal = !op.op.creates() && *rc::gen::arbitrary<bool>();
  return ops;
}

RC_GTEST_PROP(Proposal, IsInNoRegister, (const Steps& steps)) {
  const std::vector<OpMaker> ops = with_guests(steps);
  std::vector<OpMaker> ours;
  for (const OpMaker& op : ops) {
    if (!op.stamp.proposal) ours.push_back(op);
  }
  RC_ASSERT(merged(ops).registers() == merged(ours).registers());
}

RC_GTEST_PROP(Proposal, MayBecomeKnownAsOneLater, (const Steps& steps)) {
  const std::vector<OpMaker> ops = with_guests(steps);
  RecordState late;
  for (OpMaker op : ops) {
    op.stamp.proposal = false;
    apply(late, op);
  }
  for (const OpMaker& op : ops) late.restamp(op.dot, op.stamp);
  RC_ASSERT(late == merged(ops));
}

RC_GTEST_PROP(Proposal, MayTurnOutToBeNone, (const Steps& steps)) {
  const std::vector<OpMaker> ops = with_guests(steps);
  RecordState state;
  for (OpMaker op : ops) {
    op.stamp.proposal = !op.stamp.proposal && !op.op.creates();
    apply(state, op);
  }
  for (const OpMaker& op : ops) state.restamp(op.dot, op.stamp);
  RC_ASSERT(state == merged(ops));
}

RC_GTEST_PROP(Proposal, IsNeverLost, (const Steps& steps)) {
  const std::vector<OpMaker> ops = with_guests(steps);
  const RecordState state = merged(ops);
  const RecordView shown = seen(state);
  for (const auto& [key, write] : state.proposals()) {
    if (key.field == kDeletedField) continue;
    const ShownRegister* reg = shown.find(key);
    RC_ASSERT(reg != nullptr);
    const auto holds = [dot = write.dot](const std::vector<AuthoredValue>& values) {
      return std::any_of(values.begin(), values.end(),
                         [&](const AuthoredValue& value) { return value.dot == dot; });
    };
    RC_ASSERT(holds(reg->proposals) != holds(reg->history));
  }
}

}  // namespace
}  // namespace duhui
