// Devices that were revoked: what they send is kept for a person, and they get nothing.

#include <gtest/gtest.h>

#include "hub/core/decisions.h"
#include "hub/core/ingest.h"
#include "shared/merge/effective_time.h"
#include "tests/hub/core/test_hub.h"

namespace duhui::hub {
namespace {

using sync::v1::Frame;

struct Revoked : TestHub {
  Revoked() : writer(1), other(2) {
    enrol(writer);
    enrol(other);
    session = connect(writer);
    writer.write(TestWriter::creating('a'));
    say_batch(session, writer.batch(1, 1));
  }
  void set_revoked(bool revoked) {
    DeviceRow row = store.state().devices.at(writer.id);
    row.revoked = revoked;
    ASSERT_TRUE(store.write([&](HubTransaction& tx) { return tx.devices().put(row); }));
    perform(core.drop_device(writer.id, revoked ? "revoked" : "restored"));
  }
  /// Says hello as a device that has heard every acknowledgement.
  SessionId come_back() {
    sync::v1::Hello hello = writer.hello("binding");
    hello.mutable_acknowledged()->set_seq(heard_through);
    const SessionId id = open();
    say_hello(id, hello);
    return id;
  }
  void send(SessionId id, std::uint64_t first, std::uint64_t last) {
    say_batch(id, writer.batch(first, last));
    heard_through = ack(id).through();
  }
  std::vector<QuarantineRow> rows(std::string_view kind) {
    std::vector<QuarantineRow> out;
    EXPECT_TRUE(store.read([&](HubTransaction& tx) -> Status {
      DUHUI_TRY(found, tx.review().quarantine_of(kind, 100));
      out = std::move(found);
      return Done{};
    }));
    return out;
  }
  Decided decide(Decision decision, std::vector<Dot> dots) {
    auto job = core.decide(decision, std::move(dots), "chief", {kNow + now});
    StorageContext context{store, ops, rules, random, identity.key};
    job->run(context);
    EXPECT_FALSE(job->failed);
    Decided decided = job->decided;
    perform(core.job_done(std::move(job), {kNow + now}, {now}));
    return decided;
  }

  TestWriter writer;
  TestWriter other;
  SessionId session = 0;
  std::uint64_t heard_through = 1;
};

TEST(RevokedDevice, LosesItsSessionAndIsToldInTheNextWelcome) {
  Revoked hub;
  EXPECT_FALSE(hub.welcome(hub.session).revoked());
  hub.set_revoked(true);
  EXPECT_TRUE(hub.is_closed(hub.session));
  EXPECT_EQ(hub.goodbye(hub.session).reason(), sync::v1::Goodbye::REASON_UNAUTHORISED);
  const SessionId again = hub.come_back();
  EXPECT_FALSE(hub.is_closed(again));
  EXPECT_TRUE(hub.welcome(again).revoked());
  EXPECT_EQ(hub.welcome(again).scopes_size(), 0);
  EXPECT_TRUE(hub.welcome(again).enrolment().empty());
}

TEST(RevokedDevice, SendsIntoQuarantineOnly) {
  Revoked hub;
  const SessionId reader = hub.connect(hub.other);
  hub.set_revoked(true);
  const FeedHead before = hub.feed(kSchool);
  const SessionId again = hub.come_back();
  hub.writer.write(TestWriter::editing('a', hub.writer.dot(1)));
  hub.writer.write(TestWriter::creating('b'));
  hub.writer.write_bytes("no op at all");
  const std::size_t heard = hub.heard[reader].size();
  hub.send(again, 2, 4);
  EXPECT_EQ(hub.ack(again).through(), 4u);
  EXPECT_EQ(hub.ack(again).notes_size(), 3);
  EXPECT_EQ(hub.ack(again).grown_size(), 0);
  EXPECT_EQ(hub.feed(kSchool), before);
  EXPECT_EQ(hub.heard[reader].size(), heard);
  EXPECT_EQ(hub.record('a')->ops.size(), 1u);
  EXPECT_EQ(hub.record('b'), nullptr);
  const auto kept = hub.rows(kRevokedKind);
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept[0].detail, "a school, wang");
  EXPECT_EQ(kept[0].op, hub.writer.ops[1]);
}

TEST(RevokedDevice, GetsNoFeedNoAnswersAndGivesNoRefill) {
  Revoked hub;
  hub.set_revoked(true);
  const SessionId again = hub.come_back();
  const SessionId reader = hub.connect(hub.other);
  hub.other.write(TestWriter::creating('c', "city/zone/school-2"));
  hub.say_batch(reader, hub.other.batch(1, 1));
  EXPECT_EQ(hub.last(again, Frame::kFeedPage).body_case(), Frame::BODY_NOT_SET);
  Frame refill;
  refill.mutable_refill()->set_scope(kSchool);
  hub.jobs_run = false;
  hub.say(again, refill);
  EXPECT_TRUE(hub.waiting.empty());
  hub.jobs_run = true;
  Frame question;
  question.mutable_range_request()->set_scope(kSchool);
  hub.say(again, question);
  EXPECT_TRUE(hub.is_closed(again));
  EXPECT_EQ(hub.goodbye(again).reason(), sync::v1::Goodbye::REASON_UNAUTHORISED);
}

TEST(RevokedDevice, BeginsNoNewLifeOfTheHubByWhatItSays) {
  Revoked hub;
  hub.set_revoked(true);
  sync::v1::Hello hello = hub.writer.hello("binding");
  hello.set_epoch(hub.welcome(hub.session).epoch());
  hub.writer.write(TestWriter::creating('x'));
  hello.mutable_head()->set_seq(2);
  hello.mutable_head()->set_chain(hub.writer.chain());
  hello.mutable_acknowledged()->set_seq(2);
  const SessionId again = hub.open();
  hub.say_hello(again, hello);
  EXPECT_EQ(hub.welcome(again).verdict(), sync::v1::STREAM_VERDICT_HUB_BEHIND);
  EXPECT_EQ(hub.welcome(again).epoch(), hub.welcome(hub.session).epoch());
}

TEST(RevokedDevice, WhatWasQueuedBeforeTheSessionEndedIsKeptAsideToo) {
  Revoked hub;
  hub.writer.write(TestWriter::creating('b'));
  hub.jobs_run = false;
  hub.say_batch(hub.session, hub.writer.batch(2, 2));
  hub.set_revoked(true);
  hub.jobs_run = true;
  while (!hub.waiting.empty()) hub.run_waiting(0);
  EXPECT_EQ(hub.record('b'), nullptr);
  EXPECT_EQ(hub.rows(kRevokedKind).size(), 1u);
}

TEST(RevokedDevice, WhatAPersonAcceptsArrivesEverywhere) {
  Revoked hub;
  hub.set_revoked(true);
  const SessionId again = hub.come_back();
  hub.writer.write(TestWriter::creating('b'));
  hub.writer.write(TestWriter::editing('b', hub.writer.dot(2)));
  auto stranger = TestWriter::editing('a', hub.writer.dot(1));
  stranger.set_person("stranger");
  hub.writer.write(stranger);
  hub.send(again, 2, 4);
  const SessionId reader = hub.connect(hub.other);
  const FeedHead before = hub.feed(kSchool);

  const Decided decided =
      hub.decide(Decision::accept, {hub.writer.dot(2), hub.writer.dot(3), hub.writer.dot(4)});
  EXPECT_EQ(decided.done, 3u);
  EXPECT_TRUE(decided.left.empty());
  EXPECT_TRUE(hub.rows(kRevokedKind).empty());
  EXPECT_EQ(hub.record('b')->ops.size(), 2u);
  EXPECT_TRUE(hub.record('a')->ops[1].stamp.proposal);
  EXPECT_EQ(hub.rows(kProposalKind).size(), 1u);
  EXPECT_EQ(hub.feed(kSchool).through, before.through + 3);
  const auto page = hub.last(reader, Frame::kFeedPage).feed_page();
  EXPECT_EQ(page.through(), before.through + 3);
  // The stamps that devices get are those of the records.
  bool told = false;
  for (const auto& run : page.runs()) {
    for (const auto& stamp : run.stamps()) told = told || stamp.proposal();
  }
  EXPECT_TRUE(told);
  EXPECT_EQ(hub.feed(kSchool).checksum, hub.record('a')->checksum + hub.record('b')->checksum);
}

TEST(RevokedDevice, OpsKeepTheTimeTheirClockHadWhenTheyCame) {
  Revoked hub;
  hub.set_revoked(true);
  sync::v1::Hello hello = hub.writer.hello("binding");
  hello.mutable_acknowledged()->set_seq(1);
  hello.mutable_clock()->set_wall_ms(kNow + hours(3).ms);  // three hours ahead
  const SessionId again = hub.open();
  hub.say_hello(again, hello);
  auto op = TestWriter::creating('b');
  op.mutable_time()->set_hlc(static_cast<std::uint64_t>(kNow + hours(2).ms) << 16);
  hub.writer.write(op);
  hub.send(again, 2, 2);
  hub.now += hours(24 * 30).ms;
  EXPECT_EQ(hub.decide(Decision::accept, {hub.writer.dot(2)}).done, 1u);
  const OpStamp stamp = hub.record('b')->ops[0].stamp;
  EXPECT_EQ(stamp.effective_ms, kNow - hours(1).ms);
  EXPECT_EQ(stamp.quality, sync::v1::TIME_QUALITY_OFFSET);
}

TEST(RevokedDevice, OnceRestoredWritesNormallyAndOrphansWaitForTheirRecord) {
  Revoked hub;
  hub.set_revoked(true);
  const SessionId again = hub.come_back();
  hub.writer.write(TestWriter::creating('b'));
  hub.send(again, 2, 2);
  hub.set_revoked(false);
  EXPECT_TRUE(hub.is_closed(again));
  const SessionId restored = hub.come_back();
  EXPECT_FALSE(hub.welcome(restored).revoked());
  EXPECT_EQ(hub.welcome(restored).scopes_size(), 1);
  hub.writer.write(TestWriter::editing('a', hub.writer.dot(1)));
  hub.writer.write(TestWriter::editing('b', hub.writer.dot(2)));
  hub.send(restored, 3, 4);
  EXPECT_EQ(hub.record('a')->ops.size(), 2u);
  ASSERT_EQ(hub.rows(kOrphanKind).size(), 1u);
  EXPECT_EQ(hub.decide(Decision::accept, {hub.writer.dot(2)}).done, 1u);
  EXPECT_TRUE(hub.rows(kOrphanKind).empty());
  EXPECT_EQ(hub.record('b')->ops.size(), 2u);
  EXPECT_EQ(hub.feed(kSchool).checksum, hub.record('a')->checksum + hub.record('b')->checksum);
}

TEST(RevokedDevice, AnEditAcceptedBeforeItsRecordWaitsForIt) {
  Revoked hub;
  hub.set_revoked(true);
  const SessionId again = hub.come_back();
  hub.writer.write(TestWriter::creating('b'));
  hub.writer.write(TestWriter::editing('b', hub.writer.dot(2)));
  hub.send(again, 2, 3);
  const Decided early = hub.decide(Decision::accept, {hub.writer.dot(3)});
  EXPECT_EQ(early.done, 0u);
  ASSERT_EQ(early.left.size(), 1u);
  EXPECT_EQ(early.left[0].second, kOrphanKind);
  EXPECT_EQ(hub.decide(Decision::accept, {hub.writer.dot(2)}).done, 1u);
  EXPECT_EQ(hub.record('b')->ops.size(), 2u);
  EXPECT_TRUE(hub.rows(kOrphanKind).empty());
}

TEST(RevokedDevice, WhatAPersonSetsAsideIsKeptAndWaitsNoLonger) {
  Revoked hub;
  hub.set_revoked(true);
  const SessionId again = hub.come_back();
  hub.writer.write(TestWriter::creating('b'));
  hub.send(again, 2, 2);
  EXPECT_EQ(hub.decide(Decision::set_aside, {hub.writer.dot(2)}).done, 1u);
  EXPECT_TRUE(hub.rows(kRevokedKind).empty());
  const auto kept = hub.rows(kSetAsideKind);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].detail, "revoked: a school, wang (chief)");
  EXPECT_EQ(kept[0].op, hub.writer.ops[1]);
  // Neither decision is taken twice.
  EXPECT_EQ(hub.decide(Decision::accept, {hub.writer.dot(2)}).left[0].second, kSetAsideKind);
  EXPECT_EQ(hub.decide(Decision::set_aside, {hub.writer.dot(9)}).left[0].second, "");
  EXPECT_EQ(hub.record('b'), nullptr);
}

}  // namespace
}  // namespace duhui::hub
