#include "sample_record.h"

namespace duhui {
namespace {

const RegisterKey kTitle{1, {}};
const RegisterKey kDeleted{kDeletedField, {}};

OpMaker creation() { return OpMaker(1, 1, "wang").creates().set(titled("draft")); }

TEST(Deletion, HidesTheRecordWhenEverythingWasSeen) {
  const RecordState state = state_of({creation(), OpMaker(1, 2, "wang").removes({dot_of(1, 1)})});
  EXPECT_TRUE(seen(state).deleted);
  EXPECT_EQ(seen(state).deleted_by->person, "wang");
  EXPECT_EQ(why(state, kDeleted), "deleted");
  EXPECT_EQ(parsed(seen(state)).title(), "draft");  // still there for whoever asks
}

TEST(Deletion, LosesAgainstAnEditItsAuthorHadNotSeen) {
  const RecordState state = state_of({creation(), OpMaker(1, 2, "wang").removes({dot_of(1, 1)}),
                                      OpMaker(2, 1, "li").set(titled("more"), {dot_of(1, 1)})});
  const RecordView shown = seen(state);
  EXPECT_FALSE(shown.deleted);
  ASSERT_TRUE(shown.restored);
  EXPECT_EQ(shown.restored->deletion.person, "wang");
  EXPECT_EQ(shown.restored->because_of, dot_of(2, 1));
  EXPECT_EQ(shown.restored->because_of_person, "li");
  EXPECT_EQ(why(state, kDeleted), "restored");
}

TEST(Deletion, LosesAgainstAnUnseenEntryOfAnOpenList) {
  const RecordState state = state_of({creation(), OpMaker(1, 2, "wang").removes({dot_of(1, 1)}),
                                      OpMaker(2, 1, "li").set(event("submitted"))});
  EXPECT_FALSE(seen(state).deleted);
}

TEST(Deletion, IsTakenBackByClearingItsRegister) {
  const RecordState state =
      state_of({creation(), OpMaker(1, 2, "wang").removes({dot_of(1, 1)}),
                OpMaker(2, 1, "li").write(kDeleted, std::nullopt, {dot_of(1, 2)})});
  EXPECT_FALSE(seen(state).deleted);
  EXPECT_FALSE(seen(state).restored);
  EXPECT_EQ(why(state, kDeleted), "cleared");
}

TEST(Deletion, LosesAgainstAConcurrentUndelete) {
  const RecordState state =
      state_of({creation(), OpMaker(1, 2, "wang").removes({dot_of(1, 1)}),
                OpMaker(2, 1, "li").write(kDeleted, std::nullopt, {dot_of(1, 2)}),
                OpMaker(3, 1, "sun").removes({dot_of(1, 1), dot_of(1, 2)}, {dot_of(1, 2)})});
  EXPECT_FALSE(seen(state).deleted);
  EXPECT_EQ(seen(state).restored->because_of, dot_of(2, 1));
}

TEST(Deletion, RepeatedAfterTheEditWasSeenStands) {
  const RecordState state =
      state_of({creation(), OpMaker(1, 2, "wang").removes({dot_of(1, 1)}),
                OpMaker(2, 1, "li").set(titled("more"), {dot_of(1, 1)}),
                OpMaker(1, 3, "wang").removes({dot_of(2, 1), dot_of(1, 2)}, {dot_of(1, 2)})});
  EXPECT_TRUE(seen(state).deleted);
}

TEST(FrozenRecord, ShowsWhatTheFreezingEventSawAndKeepsTheRestAsAmendments) {
  const RecordState state = state_of(
      {creation(), OpMaker(1, 2, "wang").set(event("submitted")).sees({dot_of(1, 1)}),
       OpMaker(2, 1, "li").reason("late").set(titled("changed"), {dot_of(1, 1)}),
       OpMaker(3, 1, "sun").set(noted("aside")), OpMaker(4, 1, "zhao").set(event("returned"))});
  const std::vector<Dot> inside{dot_of(1, 2), dot_of(1, 1)};
  const ViewOptions options{.override_policy = {}, .frozen_at = &inside};
  const RecordView shown = seen(state, options);
  EXPECT_EQ(parsed(shown).title(), "draft");
  EXPECT_EQ(parsed(shown).notes_size(), 0);
  EXPECT_EQ(parsed(shown).events_size(), 2);  // open when frozen
  ASSERT_EQ(shown.amendments.size(), 2u);
  EXPECT_EQ(shown.amendments[0].person, "li");
  EXPECT_EQ(shown.amendments[0].reason, "late");
  EXPECT_EQ(shown.amendments[0].registers, std::vector{kTitle});
  EXPECT_EQ(why(state, kTitle, options), "frozen");
  EXPECT_EQ(parsed(seen(state)).title(), "changed");
}

TEST(FrozenRecord, AnAcceptedAmendmentFollowsTheValueItReplaced) {
  const RecordState state =
      state_of({creation(), OpMaker(2, 1, "li").set(titled("changed"), {dot_of(1, 1)})});
  const std::vector<Dot> inside{dot_of(1, 1), dot_of(2, 1)};
  const RecordView shown = seen(state, {.override_policy = {}, .frozen_at = &inside});
  EXPECT_EQ(parsed(shown).title(), "changed");
  EXPECT_TRUE(shown.amendments.empty());
}

TEST(FrozenRecord, AClosedListKeepsTheEntriesBeforeTheOneThatWasSeen) {
  const RecordState state = state_of({creation(), OpMaker(2, 1, "li").set(noted("one")),
                                      OpMaker(2, 2, "li").set(noted("two"), {dot_of(2, 1)}),
                                      OpMaker(3, 1, "sun").set(noted("three"), {dot_of(2, 2)})});
  const std::vector<Dot> inside{dot_of(1, 1), dot_of(2, 2)};
  const RecordView shown = seen(state, {.override_policy = {}, .frozen_at = &inside});
  ASSERT_EQ(parsed(shown).notes_size(), 2);
  EXPECT_EQ(parsed(shown).notes(1), "two");
  EXPECT_EQ(shown.amendments.size(), 1u);
}

TEST(View, NeverShowsTheWritesOfAnotherRecordType) {
  OpMaker alien = OpMaker(2, 1, "li").set(titled("alien"), {dot_of(1, 1)});
  alien.op.set_record_type(901);
  const RecordState state = state_of({creation(), alien});
  EXPECT_EQ(state.type(), 900u);
  EXPECT_EQ(parsed(seen(state)).title(), "");
  EXPECT_EQ(seen(state).find(kTitle)->history.size(), 2u);
}

TEST(ShownMessage, EqualsTheView) {
  const RecordState state = state_of({creation(), OpMaker(2, 1, "li").set(answered("A1", true)),
                                      OpMaker(3, 1, "zhao").set(answered("A1", false)),
                                      OpMaker(3, 2, "zhao").set(noted("n"))});
  const ShownMessage message = shown_message(sheet_schema(), state, {});
  EXPECT_EQ(message.bytes, seen(state).message_bytes());
  EXPECT_EQ(message.conflicts, (std::vector<RegisterKey>{{4, "A1"}}));
  EXPECT_FALSE(message.deleted);
}

TEST(RecordState, IsAShellUntilTheCreatingOpArrives) {
  RecordState state;
  EXPECT_EQ(state.stage(), RecordState::Stage::empty);
  apply(state, OpMaker(2, 1, "li").set(titled("early")));
  EXPECT_EQ(state.stage(), RecordState::Stage::shell);
  EXPECT_EQ(state.born(), dot_of(1, 1));
  EXPECT_EQ(state.scope(), "");
  apply(state, creation());
  EXPECT_EQ(state.stage(), RecordState::Stage::born);
  EXPECT_EQ(state.scope(), "city/zone");
  EXPECT_EQ(state.frontier(), (std::vector<Dot>{dot_of(1, 1), dot_of(2, 1)}));
}

TEST(RecordState, AppliesAnOpOnlyOnce) {
  RecordState state = state_of({creation()});
  const RecordState before = state;
  EXPECT_EQ(*state.apply(creation().dot, creation().op, {}), RecordState::Applied::duplicate);
  EXPECT_EQ(state, before);
}

TEST(RecordState, TheConsumingApplyDoesTheSame) {
  RecordState copied = state_of({creation()}), moved;
  OpMaker maker = creation();
  EXPECT_TRUE(moved.apply(maker.dot, std::move(maker.op), maker.stamp));
  EXPECT_EQ(copied, moved);
}

TEST(RecordState, AMalformedOpChangesNothing) {
  RecordState state = state_of({creation()});
  const RecordState before = state;
  OpMaker twice = OpMaker(2, 1, "li").set(titled("x")).set(titled("y"));
  EXPECT_EQ(state.apply(twice.dot, twice.op, {}).error().code, ErrorCode::invalid_input);
  EXPECT_EQ(state, before);
}

}  // namespace
}  // namespace duhui
