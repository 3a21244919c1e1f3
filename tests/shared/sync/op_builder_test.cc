#include "shared/sync/op_builder.h"

#include <set>

#include <gtest/gtest.h>

#include "shared/merge/hybrid_clock.h"
#include "shared/sync/stamps.h"

namespace duhui {
namespace {

const RegisterKey kTitle{3, {}};
const RegisterKey kPhone{4, {}};

RecordId record_id(char byte = 'r') {
  RecordId id;
  id.bytes.fill(byte);
  return id;
}

Dot dot_of(char origin, std::uint64_t seq) {
  Dot dot;
  dot.origin.bytes.fill(origin);
  dot.seq = seq;
  return dot;
}

/// A record, and people who save on it from several devices.
struct Record {
  RecordState state;

  Intent intent(std::string person, const RegisterKey& key, std::string value) const {
    Intent intent;
    intent.record = record_id();
    intent.type = 9;
    intent.creates = state.stage() == RecordState::Stage::empty;
    if (intent.creates) intent.scope = "city/school";
    intent.person = std::move(person);
    intent.writes = {{key, std::move(value)}};
    return intent;
  }
  Result<sync::v1::Op> save(const Intent& intent, const Dot& dot) {
    auto op = build_op(intent, state, dot);
    if (!op) return op;
    EXPECT_TRUE(check_op(dot, *op));
    EXPECT_TRUE(state.apply(dot, *op, default_stamp(*op)));
    return op;
  }
  std::string token(const Dot& own) const { return make_seen_token(record_id(), state, own); }
};

std::set<Dot> dots(const google::protobuf::RepeatedPtrField<sync::v1::Dot>& all, const Dot& own) {
  std::set<Dot> read;
  for (const sync::v1::Dot& dot : all) read.insert(*read_dot(dot, own.origin));
  return read;
}

TEST(BuildOp, NamesTheRecordsBirthOnEveryOpThatDoesNotCreate) {
  Record record;
  const auto created = record.save(record.intent("wang", kTitle, "a"), dot_of('A', 1));
  ASSERT_TRUE(created);
  EXPECT_TRUE(created->creates());
  EXPECT_EQ(created->scope(), "city/school");
  EXPECT_FALSE(created->has_born());
  const auto edited = record.save(record.intent("wang", kTitle, "b"), dot_of('B', 4));
  ASSERT_TRUE(edited);
  EXPECT_EQ(*read_dot(edited->born(), dot_of('B', 4).origin), dot_of('A', 1));
  EXPECT_TRUE(edited->scope().empty());
}

TEST(BuildOp, RefusesToCreateTwiceAndToEditNothing) {
  Record record;
  Intent edit = record.intent("wang", kTitle, "a");
  edit.creates = false;
  EXPECT_EQ(record.save(edit, dot_of('A', 1)).error().code, ErrorCode::not_found);
  ASSERT_TRUE(record.save(record.intent("wang", kTitle, "a"), dot_of('A', 1)));
  Intent again = record.intent("wang", kTitle, "a");
  again.creates = true;
  EXPECT_EQ(record.save(again, dot_of('A', 2)).error().code, ErrorCode::conflict);
}

TEST(BuildOp, ReplacesTheRecordAsItIsWhenNothingWasOnAScreen) {
  Record record;
  ASSERT_TRUE(record.save(record.intent("wang", kTitle, "a"), dot_of('A', 1)));
  const auto op = record.save(record.intent("li", kTitle, "b"), dot_of('B', 1));
  EXPECT_EQ(dots(op->writes(0).replaces(), dot_of('B', 1)), (std::set<Dot>{dot_of('A', 1)}));
}

TEST(BuildOp, ReplacesOnlyWhatWasOnTheScreen) {
  Record record;
  ASSERT_TRUE(record.save(record.intent("wang", kTitle, "a"), dot_of('A', 1)));
  const std::string screen = record.token(dot_of('B', 0));
  // A sync lands while the form is open.
  ASSERT_TRUE(record.save(record.intent("wang", kTitle, "meanwhile"), dot_of('A', 2)));
  Intent intent = record.intent("li", kTitle, "b");
  intent.seen = screen;
  const auto op = record.save(intent, dot_of('B', 1));
  ASSERT_TRUE(op);
  EXPECT_EQ(op->writes(0).replaces_size(), 0);  // A/1 is superseded by now, A/2 was not seen
  EXPECT_EQ(record.state.find(kTitle)->live.size(), 2u);
}

TEST(BuildOp, LeavesTheLiveValueOfAnotherRegisterAlone) {
  Record record;
  ASSERT_TRUE(record.save(record.intent("wang", kTitle, "a"), dot_of('A', 1)));
  const auto op = record.save(record.intent("li", kPhone, "123"), dot_of('B', 1));
  EXPECT_EQ(op->writes(0).replaces_size(), 0);
  EXPECT_EQ(record.state.find(kTitle)->live.size(), 1u);
}

TEST(BuildOp, CountsThePersonsOwnLaterEditsOfTheSameDeviceAsSeen) {
  Record record;
  ASSERT_TRUE(record.save(record.intent("wang", kTitle, "a"), dot_of('A', 1)));
  const std::string screen = record.token(dot_of('A', 1));
  Intent first = record.intent("wang", kTitle, "b");
  first.seen = screen;
  ASSERT_TRUE(record.save(first, dot_of('A', 2)));
  Intent second = record.intent("wang", kTitle, "c");
  second.seen = screen;  // the form stayed open
  const auto op = record.save(second, dot_of('A', 3));
  ASSERT_TRUE(op);
  EXPECT_EQ(dots(op->writes(0).replaces(), dot_of('A', 3)), (std::set<Dot>{dot_of('A', 2)}));
}

TEST(BuildOp, DoesNotCountAnotherPersonsEditOfTheSameDeviceAsSeen) {
  Record record;
  ASSERT_TRUE(record.save(record.intent("wang", kTitle, "a"), dot_of('A', 1)));
  const std::string screen = record.token(dot_of('A', 1));
  ASSERT_TRUE(record.save(record.intent("li", kTitle, "b"), dot_of('A', 2)));
  Intent late = record.intent("wang", kTitle, "c");
  late.seen = screen;
  EXPECT_EQ(record.save(late, dot_of('A', 3))->writes(0).replaces_size(), 0);
  EXPECT_EQ(record.state.find(kTitle)->live.size(), 2u);
}

TEST(BuildOp, CountsOwnEditsAsSeenAlsoAfterTheStreamGotANewOrigin) {
  Record record;
  ASSERT_TRUE(record.save(record.intent("wang", kTitle, "a"), dot_of('A', 1)));
  const std::string screen = record.token(dot_of('A', 1));
  ASSERT_TRUE(record.save(record.intent("wang", kTitle, "b"), dot_of('N', 1)));
  Intent second = record.intent("wang", kTitle, "c");
  second.seen = screen;
  EXPECT_EQ(dots(record.save(second, dot_of('N', 2))->writes(0).replaces(), dot_of('N', 2)),
            (std::set<Dot>{dot_of('N', 1)}));
}

TEST(BuildOp, NamesEverythingSeenOnADeletion) {
  Record record;
  ASSERT_TRUE(record.save(record.intent("wang", kTitle, "a"), dot_of('A', 1)));
  ASSERT_TRUE(record.save(record.intent("li", kPhone, "1"), dot_of('B', 1)));
  const std::string screen = record.token(dot_of('A', 1));
  ASSERT_TRUE(record.save(record.intent("zhao", {5, {}}, "unseen"), dot_of('C', 1)));
  Intent removal = record.intent("wang", {kDeletedField, {}}, "x");
  removal.sees_all = true;
  removal.seen = screen;
  const auto op = record.save(removal, dot_of('A', 2));
  ASSERT_TRUE(op);
  EXPECT_EQ(dots(op->sees(), dot_of('A', 2)), (std::set<Dot>{dot_of('A', 1), dot_of('B', 1)}));
  const auto plain = record.save(record.intent("wang", kTitle, "z"), dot_of('A', 3));
  EXPECT_EQ(plain->sees_size(), 0);
}

TEST(BuildOp, RefusesATokenItDidNotMake) {
  Record record;
  ASSERT_TRUE(record.save(record.intent("wang", kTitle, "a"), dot_of('A', 1)));
  const std::string of_another = make_seen_token(record_id('x'), record.state, dot_of('A', 1));
  for (const std::string& token : {std::string("%%%"), std::string("AAAA"), of_another}) {
    Intent intent = record.intent("wang", kTitle, "b");
    intent.seen = token;
    const auto op = build_op(intent, record.state, dot_of('A', 2));
    ASSERT_FALSE(op) << token;
    EXPECT_EQ(op.error().code, ErrorCode::invalid_input);
  }
}

}  // namespace
}  // namespace duhui
