#include "sample_record.h"

namespace duhui {
namespace {

const Dot kBorn = dot_of(1, 1);
const RegisterKey kTitle{1, {}};
const RegisterKey kAnswer{4, "A1"};

OpMaker creation() { return OpMaker(1, 1, "wang").creates(); }

TEST(LatestPolicy, ShowsTheGreaterEffectiveTime) {
  const RecordState state = state_of({creation(), OpMaker(2, 1, "li").at(9'000).set(titled("late")),
                                      OpMaker(3, 1, "zhao").at(5'000).set(titled("early"))});
  EXPECT_EQ(parsed(seen(state)).title(), "late");
  EXPECT_EQ(why(state, kTitle), "latest");
  EXPECT_EQ(dots_of(seen(state).find(kTitle)->history), std::vector{dot_of(3, 1)});
}

TEST(LatestPolicy, BreaksTiesByRankThenByDot) {
  const auto tied = [](std::uint32_t rank_of_first) {
    return parsed(seen(state_of({creation(),
                                 OpMaker(2, 1, "li").at(5).rank(rank_of_first).set(titled("a")),
                                 OpMaker(3, 1, "zhao").at(5).rank(2).set(titled("b"))})))
        .title();
  };
  EXPECT_EQ(tied(2), "b");
  EXPECT_EQ(tied(3), "a");
}

TEST(LatestPolicy, ShowsNothingWhenTheLatestCleared) {
  const RecordState state = state_of({creation(), OpMaker(2, 1, "li").at(5).set(titled("a")),
                                      OpMaker(3, 1, "zhao").at(6).write(kTitle, std::nullopt)});
  EXPECT_EQ(parsed(seen(state)).title(), "");
  EXPECT_EQ(why(state, kTitle), "cleared");
}

TEST(LatestPolicy, ALaterWriteThatSawTheEarlierOneWinsWhateverTheClocksSay) {
  const RecordState state =
      state_of({creation(), OpMaker(2, 1, "li").at(9'000).set(titled("a")),
                OpMaker(3, 1, "zhao").at(1).set(titled("b"), {dot_of(2, 1)})});
  EXPECT_EQ(parsed(seen(state)).title(), "b");
  EXPECT_EQ(why(state, kTitle), "only_value");
}

TEST(Groups, NeverMixTheFieldsOfTwoAuthors) {
  Sheet first, second;
  first.set_place("hall");
  first.set_floor(2);
  second.set_place("yard");
  const RecordState state = state_of(
      {creation(), OpMaker(2, 1, "li").at(5).set(first), OpMaker(3, 1, "zhao").at(6).set(second)});
  EXPECT_EQ(parsed(seen(state)).place(), "yard");
  EXPECT_EQ(parsed(seen(state)).floor(), 0);
}

TEST(AskPolicy, ShowsBothValuesOfTwoPeopleAndDecidesNothing) {
  const RecordState state = state_of({creation(), OpMaker(2, 1, "li").set(answered("A1", true)),
                                      OpMaker(3, 1, "zhao").set(answered("A1", false))});
  const RecordView shown = seen(state);
  EXPECT_EQ(shown.open_conflicts(), 1u);
  EXPECT_TRUE(shown.find(kAnswer)->shown.empty());
  EXPECT_EQ(shown.find(kAnswer)->siblings.size(), 2u);
  EXPECT_EQ(parsed(shown).answers_size(), 0);
  EXPECT_EQ(why(state, kAnswer), "conflict_open");
}

TEST(AskPolicy, UsesTheLatestWhereAFigureNeedsOneValue) {
  const RecordState state =
      state_of({creation(), OpMaker(2, 1, "li").at(6).set(answered("A1", true)),
                OpMaker(3, 1, "zhao").at(5).set(answered("A1", false))});
  const RecordView shown = view_with_ask_as_latest(sheet_schema(), state, {});
  EXPECT_EQ(dots_of(shown.find(kAnswer)->shown), std::vector{dot_of(2, 1)});
  EXPECT_EQ(shown.open_conflicts(), 1u);
}

TEST(AskPolicy, RemarksAloneAreNoConflict) {
  const RecordState state =
      state_of({creation(), OpMaker(2, 1, "li").at(5).set(answered("A1", true, "one")),
                OpMaker(3, 1, "zhao").at(6).set(answered("A1", true, "two"))});
  EXPECT_EQ(seen(state).open_conflicts(), 0u);
  EXPECT_EQ(parsed(seen(state)).answers().at("A1").remark(), "two");
  EXPECT_EQ(why(state, kAnswer), "same_value");
}

TEST(AskPolicy, TheSameNumberInTwoEncodingsIsNoConflict) {
  Sheet whole, real;
  (*whole.mutable_answers())["A1"].mutable_value()->set_integer(3);
  (*real.mutable_answers())["A1"].mutable_value()->set_number(3.0);
  const RecordState state =
      state_of({creation(), OpMaker(2, 1, "li").set(whole), OpMaker(3, 1, "zhao").set(real)});
  EXPECT_EQ(seen(state).open_conflicts(), 0u);
}

TEST(AskPolicy, AnEmptyAnswerContradictsNobody) {
  Sheet only_remark;
  (*only_remark.mutable_answers())["A1"].set_remark("to be seen");
  const RecordState state =
      state_of({creation(), OpMaker(2, 1, "li").at(5).set(answered("A1", true)),
                OpMaker(3, 1, "zhao").at(6).set(only_remark),
                OpMaker(4, 1, "sun").at(7).write(kAnswer, std::nullopt)});
  EXPECT_EQ(dots_of(seen(state).find(kAnswer)->shown), std::vector{dot_of(2, 1)});
}

TEST(AskPolicy, OnePersonOnTwoDevicesIsNotAsked) {
  const RecordState state =
      state_of({creation(), OpMaker(2, 1, "li").at(5).set(answered("A1", true)),
                OpMaker(3, 1, "li").at(6).set(answered("A1", false))});
  EXPECT_EQ(dots_of(seen(state).find(kAnswer)->shown), std::vector{dot_of(3, 1)});
  EXPECT_EQ(why(state, kAnswer), "same_author_later");
}

TEST(AskPolicy, TwoNamelessAuthorsAreTwoPeople) {
  const RecordState state = state_of({creation(), OpMaker(2, 1, "").set(answered("A1", true)),
                                      OpMaker(3, 1, "").set(answered("A1", false))});
  EXPECT_EQ(seen(state).open_conflicts(), 1u);
}

TEST(AskPolicy, ResolvingReplacesAllSiblingsAndKeepsThem) {
  const RecordState state =
      state_of({creation(), OpMaker(2, 1, "li").set(answered("A1", true)),
                OpMaker(3, 1, "zhao").set(answered("A1", false)),
                OpMaker(1, 2, "wang")
                    .reason("seen on site")
                    .set(answered("A1", true), {dot_of(2, 1), dot_of(3, 1)})});
  const RecordView shown = seen(state);
  EXPECT_EQ(shown.open_conflicts(), 0u);
  EXPECT_EQ(shown.find(kAnswer)->shown.front().reason, "seen on site");
  EXPECT_EQ(shown.find(kAnswer)->history.size(), 2u);
}

TEST(AskPolicy, ATemplateItemMayChooseAnotherPolicy) {
  const RecordState state =
      state_of({creation(), OpMaker(2, 1, "li").at(5).set(answered("A1", true)),
                OpMaker(3, 1, "zhao").at(6).set(answered("A1", false))});
  const ViewOptions options{.override_policy = [](const RegisterKey& key) {
    return key.key == "A1" ? record::v1::POLICY_LATEST : record::v1::POLICY_UNSPECIFIED;
  }};
  EXPECT_EQ(seen(state, options).open_conflicts(), 0u);
  EXPECT_EQ(why(state, kAnswer, options), "latest");
}

TEST(MaxPolicy, ComparesNumbersBySizeNotByText) {
  Sheet nine, ten;
  nine.set_highest(9);
  ten.set_highest(10);
  const RecordState state = state_of(
      {creation(), OpMaker(2, 1, "li").at(9).set(nine), OpMaker(3, 1, "zhao").at(5).set(ten)});
  EXPECT_EQ(parsed(seen(state)).highest(), 10);
  EXPECT_EQ(why(state, {9, {}}), "extreme");
}

TEST(MaxPolicy, ComparesAMessageByItsDecidingField) {
  Sheet small, large;
  small.mutable_best()->mutable_value()->set_integer(-2);
  small.mutable_best()->set_remark("zzz");
  large.mutable_best()->mutable_value()->set_number(1.5);
  const RecordState state = state_of(
      {creation(), OpMaker(2, 1, "li").at(9).set(small), OpMaker(3, 1, "zhao").at(5).set(large)});
  EXPECT_EQ(parsed(seen(state)).best().value().number(), 1.5);
}

TEST(MaxPolicy, WithRoleFirstTheOfficeOverrulesAHigherValue) {
  Sheet serious, minor;
  serious.set_level(merge_sample::LEVEL_SERIOUS);
  minor.set_level(merge_sample::LEVEL_MINOR);
  const RecordState state = state_of({creation(), OpMaker(2, 1, "li").rank(2).set(serious),
                                      OpMaker(3, 1, "office").rank(4).set(minor)});
  EXPECT_EQ(parsed(seen(state)).level(), merge_sample::LEVEL_MINOR);
  EXPECT_EQ(why(state, {8, {}}), "higher_rank");
}

TEST(MinPolicy, ShowsTheSmallestNegativeNumber) {
  Sheet low, lower;
  low.set_lowest(-3);
  lower.set_lowest(-30);
  const RecordState state =
      state_of({creation(), OpMaker(2, 1, "li").set(low), OpMaker(3, 1, "zhao").set(lower)});
  EXPECT_EQ(parsed(seen(state)).lowest(), -30);
}

TEST(MinPolicy, AClearingNeverBeatsAValue) {
  Sheet low;
  low.set_lowest(-3);
  const RecordState state = state_of({creation(), OpMaker(2, 1, "li").at(5).set(low),
                                      OpMaker(3, 1, "zhao").at(9).write({10, {}}, std::nullopt)});
  EXPECT_EQ(parsed(seen(state)).lowest(), -3);
}

TEST(FirstPolicy, ShowsTheEarliestEffectiveTime) {
  Sheet one, two;
  one.set_first("one");
  two.set_first("two");
  const RecordState state = state_of(
      {creation(), OpMaker(2, 1, "li").at(9).set(one), OpMaker(3, 1, "zhao").at(5).set(two)});
  EXPECT_EQ(parsed(seen(state)).first(), "two");
}

TEST(UnionPolicy, ARemovalTakesAwayOnlyTheAdditionsItSaw) {
  Sheet tool;
  tool.add_tools()->set_kind("photo");
  const RegisterKey key = split(sheet_schema(), tool)->front().key;
  const RecordState state =
      state_of({creation(), OpMaker(2, 1, "li").set(tool), OpMaker(3, 1, "zhao").at(3).set(tool),
                OpMaker(1, 2, "wang").at(9).write(key, std::nullopt, {dot_of(2, 1)})});
  EXPECT_EQ(parsed(seen(state)).tools_size(), 1);
  EXPECT_EQ(why(state, key), "add_wins");

  RecordState emptied = state;
  apply(emptied, OpMaker(1, 3, "wang").write(key, std::nullopt, {dot_of(1, 2), dot_of(3, 1)}));
  EXPECT_EQ(parsed(seen(emptied)).tools_size(), 0);
  EXPECT_EQ(seen(emptied).find(key)->history.size(), 4u);
}

TEST(AppendPolicy, ShowsEveryEntryInCausalOrderAgainstTheClock) {
  const RecordState state =
      state_of({creation(), OpMaker(2, 1, "li").at(9).set(noted("question")),
                OpMaker(3, 1, "zhao").at(5).set(noted("answer"), {dot_of(2, 1)}),
                OpMaker(4, 1, "sun").at(1).set(noted("aside"))});
  const Sheet sheet = parsed(seen(state));
  ASSERT_EQ(sheet.notes_size(), 3);
  EXPECT_EQ(sheet.notes(0), "aside");
  EXPECT_EQ(sheet.notes(1), "question");
  EXPECT_EQ(sheet.notes(2), "answer");
  EXPECT_EQ(why(state, {18, {}}), "all_entries");
}

TEST(AppendPolicy, ACycleFromABrokenDeviceStillShowsEveryEntry) {
  const RecordState state =
      state_of({creation(), OpMaker(2, 1, "li").at(9).set(noted("a"), {dot_of(3, 1)}),
                OpMaker(3, 1, "zhao").at(5).set(noted("b"), {dot_of(2, 1)})});
  ASSERT_EQ(parsed(seen(state)).notes_size(), 2);
  EXPECT_EQ(parsed(seen(state)).notes(0), "b");
}

TEST(PerAuthorPolicy, KeepsTheParagraphsOfTwoAuthorsApart) {
  const auto paragraph = [](std::string author, std::string text) {
    Sheet sheet;
    auto* added = sheet.add_paragraphs();
    added->set_author(std::move(author));
    added->set_text(std::move(text));
    return sheet;
  };
  const RecordState state = state_of({creation(), OpMaker(2, 1, "li").set(paragraph("li", "one")),
                                      OpMaker(3, 1, "zhao").set(paragraph("zhao", "two"))});
  EXPECT_EQ(parsed(seen(state)).paragraphs_size(), 2);
}

TEST(AuthorityPolicy, TheHigherRankWinsAgainstTheClock) {
  Sheet school, office;
  school.set_grade("excellent");
  office.set_grade("qualified");
  const RecordState state = state_of({creation(), OpMaker(2, 1, "school").at(9).rank(1).set(school),
                                      OpMaker(3, 1, "office").at(5).rank(4).set(office)});
  EXPECT_EQ(parsed(seen(state)).grade(), "qualified");
  EXPECT_EQ(why(state, {12, {}}), "higher_rank");
}

TEST(HubOnlyPolicy, AProposalWaitsAndTheHubsValueStays) {
  Sheet issued, proposed;
  issued.set_number("2025/1");
  proposed.set_number("2025/7");
  const RegisterKey key{13, {}};
  RecordState state = state_of({creation(), OpMaker(2, 1, "li").set(proposed)});
  EXPECT_EQ(why(state, key), "proposal_waiting");
  apply(state, OpMaker(5, 1, "hub").at_hub().set(issued, {dot_of(2, 1)}));
  EXPECT_EQ(parsed(seen(state)).number(), "2025/1");
  EXPECT_TRUE(seen(state).find(key)->proposals.empty());

  // A device that saw the hub's value and replaced it has proposed, not decided.
  apply(state, OpMaker(2, 2, "li").set(proposed, {dot_of(5, 1)}));
  EXPECT_EQ(parsed(seen(state)).number(), "2025/1");
  EXPECT_EQ(dots_of(seen(state).find(key)->proposals), std::vector{dot_of(2, 2)});
  EXPECT_EQ(why(state, key), "hub_value");

  // The hub's next value follows the proposal, and through it its own earlier one.
  issued.set_number("2025/2");
  apply(state, OpMaker(5, 2, "hub").at(1).at_hub().set(issued, {dot_of(2, 2)}));
  EXPECT_EQ(parsed(seen(state)).number(), "2025/2");
}

TEST(DerivedFields, AreNeitherSplitNorShown) {
  Sheet sheet = titled("a");
  sheet.set_shown_state("draft");
  EXPECT_EQ(split(sheet_schema(), sheet)->size(), 1u);
  const RecordState state =
      state_of({creation(), OpMaker(2, 1, "li").write({14, {}}, std::string("\x72\x01x", 3))});
  EXPECT_EQ(parsed(seen(state)).shown_state(), "");
  EXPECT_EQ(why(state, {14, {}}), "derived");
}

TEST(UnknownFields, AreShownByLatestAndKeptByteForByte) {
  const RegisterKey key{700, {}};
  const std::string value("\xe2\x2b\x02hi", 5);  // field 700, "hi"
  const RecordState state = state_of({creation(), OpMaker(2, 1, "li").write(key, value)});
  EXPECT_EQ(seen(state).message_bytes(), value);
  EXPECT_EQ(parsed(seen(state)).SerializeAsString(), value);
  EXPECT_TRUE(check_fragment(sheet_schema(), key, value));
}

TEST(Explain, NamesWhoSawWhatAndWhatReplacedIt) {
  const RecordState state =
      state_of({creation(), OpMaker(2, 1, "li").set(titled("a")),
                OpMaker(3, 1, "zhao").reason("typo").set(titled("b"), {dot_of(2, 1)})});
  const Explanation answer = explain(sheet_schema(), state, kTitle, {});
  ASSERT_EQ(answer.entries.size(), 2u);
  EXPECT_EQ(answer.policy, record::v1::POLICY_LATEST);
  EXPECT_EQ(answer.entries[0].write.person, "li");
  EXPECT_EQ(answer.entries[0].replaced_by, std::vector{dot_of(3, 1)});
  EXPECT_FALSE(answer.entries[0].live);
  EXPECT_EQ(answer.entries[1].saw, std::vector{dot_of(2, 1)});
  EXPECT_EQ(answer.entries[1].write.reason, "typo");
  EXPECT_TRUE(answer.entries[1].live && answer.entries[1].shown);
}

TEST(Explain, OfARegisterNobodyWroteSaysSo) {
  EXPECT_EQ(why(state_of({creation()}), kTitle), "no_value");
}

}  // namespace
}  // namespace duhui
