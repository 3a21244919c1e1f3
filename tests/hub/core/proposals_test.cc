// Ops of people without authority: part of their record, shown to who may decide, merged by nobody.

#include <gtest/gtest.h>

#include "hub/core/ingest.h"
#include "tests/hub/core/test_hub.h"

namespace duhui::hub {
namespace {

struct Strangers : TestHub {
  Strangers() : writer(1) {
    enrol(writer);
    session = connect(writer);
    writer.write(TestWriter::creating('a'));
    auto op = TestWriter::editing('a', writer.dot(1));
    op.set_person("stranger");
    op.mutable_writes(0)->set_value("theirs");
    writer.write(op);
    say_batch(session, writer.batch(1, 2));
  }
  RecordState state() {
    RecordState loaded;
    EXPECT_TRUE(store.read([&](HubTransaction& tx) -> Status {
      DUHUI_TRY(known, ops.load(tx, *record('a')));
      loaded = std::move(known);
      return Done{};
    }));
    return loaded;
  }
  std::vector<QuarantineRow> waiting_for_a_person() {
    std::vector<QuarantineRow> rows;
    EXPECT_TRUE(store.read([&](HubTransaction& tx) -> Status {
      DUHUI_TRY(found, tx.review().quarantine(10));
      rows = std::move(found);
      return Done{};
    }));
    return rows;
  }

  TestWriter writer;
  SessionId session = 0;
};

TEST(Proposals, AreKeptStampedAndToldToTheDevice) {
  Strangers hub;
  EXPECT_EQ(hub.ack(hub.session).through(), 2u);
  const sync::v1::Ack ack = hub.ack(hub.session);
  ASSERT_GT(ack.stamps_size(), 0);
  EXPECT_TRUE(ack.stamps(ack.stamps_size() - 1).proposal());
  ASSERT_EQ(hub.record('a')->ops.size(), 2u);
  EXPECT_FALSE(hub.record('a')->ops[0].stamp.proposal);
  EXPECT_TRUE(hub.record('a')->ops[1].stamp.proposal);
  EXPECT_EQ(hub.state().proposals().size(), 1u);
  const auto rows = hub.waiting_for_a_person();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].kind, kProposalKind);
  EXPECT_EQ(rows[0].detail, "stranger");
}

TEST(Proposals, ReachEveryDeviceOfTheScopeAsWhatTheyAre) {
  Strangers hub;
  TestWriter other(2);
  hub.enrol(other);
  const SessionId session = hub.connect(other);
  const auto page = hub.last(session, sync::v1::Frame::kFeedPage).feed_page();
  ASSERT_GT(page.runs_size(), 0);
  bool told = false;
  for (const auto& run : page.runs()) {
    for (const auto& stamp : run.stamps()) told = told || stamp.proposal();
  }
  EXPECT_TRUE(told);
}

TEST(Proposals, WaitNoLongerOnceSomebodyWroteThere) {
  Strangers hub;
  auto op = TestWriter::editing('a', hub.writer.dot(1));
  op.mutable_writes(0)->set_value("ours");
  for (const std::uint64_t seq : {1, 2}) {
    sync::v1::Dot* replaced = op.mutable_writes(0)->add_replaces();
    replaced->set_origin(hub.writer.origin.str());
    replaced->set_seq(seq);
  }
  hub.writer.write(op);
  hub.say_batch(hub.session, hub.writer.batch(3, 3));
  EXPECT_EQ(hub.ack(hub.session).through(), 3u);
  EXPECT_TRUE(hub.waiting_for_a_person().empty());
  EXPECT_EQ(hub.record('a')->ops.size(), 3u);
}

TEST(HostileDevice, CannotTouchARecordByCallingItAnotherType) {
  Strangers hub;
  auto op = TestWriter::editing('a', hub.writer.dot(1));
  op.set_record_type(9999);
  op.mutable_writes(0)->add_replaces()->set_seq(1);
  hub.writer.write(op);
  hub.say_batch(hub.session, hub.writer.batch(3, 3));
  EXPECT_EQ(hub.record('a')->type, 9u);
  EXPECT_EQ(hub.record('a')->ops.size(), 2u);
  EXPECT_EQ(hub.waiting_for_a_person().back().kind, "malformed");
}

TEST(HostileDevice, CannotReachARecordElsewhereByMakingItAgain) {
  Strangers hub;
  TestWriter other(7);
  hub.enrol(other, {"city/elsewhere"});
  const SessionId session = hub.connect(other);
  other.write(TestWriter::creating('a', "city/elsewhere/school"));
  hub.say_batch(session, other.batch(1, 1));
  EXPECT_EQ(hub.ack(session).through(), 1u) << "kept, and of no effect";
  EXPECT_EQ(hub.record('a')->ops.size(), 2u);
  EXPECT_EQ(hub.record('a')->scope, kSchool);
  EXPECT_EQ(hub.waiting_for_a_person().back().kind, "forbidden");
}

TEST(HostileDevice, CannotLieInWaitForARecordToCome) {
  TestHub hub;
  TestWriter stranger(7);
  hub.enrol(stranger, {"city/elsewhere"});
  TestWriter owner(8);
  hub.enrol(owner);
  const SessionId hostile = hub.connect(stranger);
  stranger.write(TestWriter::editing('b', owner.dot(1)));
  hub.say_batch(hostile, stranger.batch(1, 1));
  ASSERT_NE(hub.record('b'), nullptr);
  EXPECT_FALSE(hub.record('b')->born);
  const SessionId honest = hub.connect(owner);
  owner.write(TestWriter::creating('b'));
  hub.say_batch(honest, owner.batch(1, 1));
  EXPECT_TRUE(hub.record('b')->born);
  ASSERT_EQ(hub.record('b')->ops.size(), 1u);
  EXPECT_EQ(hub.record('b')->ops[0].dot, owner.dot(1));
  EXPECT_EQ(hub.feed(kSchool).through, 1u);
}

}  // namespace
}  // namespace duhui::hub
