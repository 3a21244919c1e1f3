// What the hub does beside taking and giving ops: credit, contacts, marks for the operator.

#include <gtest/gtest.h>

#include "tests/hub/core/test_hub.h"

namespace duhui::hub {
namespace {

TEST(HubCore, CreditThatAnOverloadedHubWithheldComesBackByItself) {
  TestHub hub({.pending_bytes_max = 1});
  TestWriter first(1);
  TestWriter second(2);
  hub.enrol(first);
  hub.enrol(second);
  first.write(TestWriter::creating('a'));
  second.write(TestWriter::creating('b'));
  const SessionId one = hub.connect(first);
  const SessionId two = hub.connect(second);
  hub.jobs_run = false;
  hub.say_batch(one, first.batch(1, 1));   // being committed
  hub.say_batch(two, second.batch(1, 1));  // waits
  hub.jobs_run = true;
  hub.perform({});
  std::uint64_t credit = 0;
  std::size_t acks = 0;
  for (const sync::v1::Frame& frame : hub.heard[one]) {
    if (!frame.has_ack()) continue;
    ++acks;
    credit += frame.ack().credit();
    EXPECT_EQ(frame.ack().through(), 1u);
    EXPECT_EQ(frame.ack().chain(), first.chain());
  }
  EXPECT_EQ(acks, 2u);
  EXPECT_GT(credit, 0u);
}

TEST(HubCore, AnAckNamesTheFeedsThatItsCommitMadeLonger) {
  TestHub hub;
  TestWriter device(1);
  hub.enrol(device);
  const SessionId session = hub.connect(device);
  device.write(TestWriter::creating('a'));
  hub.say_batch(session, device.batch(1, 1));
  ASSERT_EQ(hub.ack(session).grown_size(), 1);
  EXPECT_EQ(hub.ack(session).grown(0).scope(), kSchool);
  EXPECT_EQ(hub.ack(session).grown(0).through(), 1u);
}

TEST(HubCore, AHelloThatTellsNothingNewIsNotWrittenUntilTheNextCommit) {
  TestHub hub;
  TestWriter device(1);
  hub.enrol(device);
  hub.connect(device);  // the first: origin and software are new
  const auto row_of = [&] { return hub.store.state().devices.at(device.id); };
  const std::int64_t first = row_of().last_seen_at.ms;
  EXPECT_GT(first, 0);
  hub.now += 60'000;
  const SessionId again = hub.connect(device);
  EXPECT_EQ(row_of().last_seen_at.ms, first);
  EXPECT_EQ(hub.welcome(again).version(), 1u);
  device.write(TestWriter::creating('a'));
  hub.say_batch(again, device.batch(1, 1));
  EXPECT_EQ(row_of().last_seen_at.ms, first + 60'000);
}

TEST(HubCore, AContactIsWrittenEvenIfNobodySavesAnything) {
  TestHub hub;
  TestWriter device(1);
  hub.enrol(device);
  hub.connect(device);
  hub.now += 60'000;
  const SessionId again = hub.connect(device);
  const auto seen = [&] { return hub.store.state().devices.at(device.id).last_seen_at.ms; };
  const std::int64_t before = seen();
  hub.perform(hub.core.timer_fired(again, {hub.now}));
  EXPECT_EQ(seen(), before + 60'000);
}

TEST(HubCore, AContactOfAFailedCommitIsWrittenWithTheNext) {
  TestHub hub;
  TestWriter device(1);
  TestWriter other(2);
  hub.enrol(device);
  hub.enrol(other);
  hub.connect(device);
  hub.now += 60'000;
  const SessionId again = hub.connect(device);
  const auto seen = [&] { return hub.store.state().devices.at(device.id).last_seen_at.ms; };
  const std::int64_t before = seen();
  hub.store.fail_next_commit({ErrorCode::storage_failed, "full"});
  hub.perform(hub.core.timer_fired(again, {hub.now}));
  EXPECT_EQ(seen(), before);
  const SessionId third = hub.connect(other);
  other.write(TestWriter::creating('b'));
  hub.say_batch(third, other.batch(1, 1));
  EXPECT_EQ(seen(), before + 60'000);
}

TEST(HubCore, AContactOfAFailedCommitDoesNotReplaceANewerOne) {
  TestHub hub;
  TestWriter device(1);
  hub.enrol(device);
  hub.connect(device);
  hub.now += 60'000;
  const SessionId again = hub.connect(device);
  const auto seen = [&] { return hub.store.state().devices.at(device.id).last_seen_at.ms; };
  const std::int64_t before = seen();
  hub.jobs_run = false;
  hub.store.fail_next_commit({ErrorCode::storage_failed, "full"});
  hub.perform(hub.core.timer_fired(again, {hub.now}));  // on its way
  hub.now += 60'000;
  const SessionId newer = hub.connect(device);  // waits behind it
  ASSERT_EQ(hub.waiting.size(), 2u);
  std::swap(hub.waiting[0], hub.waiting[1]);  // the hello is read-only: it may end first
  hub.jobs_run = true;
  hub.perform({});
  EXPECT_EQ(seen(), before);
  hub.perform(hub.core.timer_fired(newer, {hub.now}));
  EXPECT_EQ(seen(), before + 120'000);
}

TEST(HubCore, ADeviceThatLostOpsIsMarkedForTheOperator) {
  TestHub hub;
  TestWriter device(1);
  hub.enrol(device);
  const SessionId session = hub.connect(device);
  sync::v1::Frame frame;
  frame.mutable_gap()->set_origin(device.origin.str());
  frame.mutable_gap()->set_first_seq(1);
  frame.mutable_gap()->set_last_seq(2);
  hub.say(session, frame);
  EXPECT_EQ(hub.store.state().devices.at(device.id).flags, "ops_lost");
  EXPECT_FALSE(hub.is_closed(session));
}

TEST(HubCoreUpkeep, FlagsADeviceThatLooksForTheCommonPoint) {
  TestHub hub;
  TestWriter device(1);
  hub.enrol(device);
  const SessionId session = hub.connect(device);
  EXPECT_EQ(hub.store.state().devices.at(device.id).flags, "");
  sync::v1::Frame probe;
  sync::v1::StreamHead* point = probe.mutable_fork_probe()->add_points();
  point->set_origin(device.origin.str());
  point->set_seq(1);
  point->set_chain(std::string(32, 'x'));
  hub.say(session, probe);
  EXPECT_EQ(hub.store.state().devices.at(device.id).flags, "fork_detected");
}

}  // namespace
}  // namespace duhui::hub
