// Bundles between the cores of agent and hub: what a stick carries ends as what a link carries.

#include "tests/scenarios/bundle_fixture.h"

namespace duhui {
namespace {

TEST_F(Bundles, TheHubEndsAsAfterTheSameConversationOverALink) {
  TestDevice device(1);
  hub::TestHub by_stick;
  hub::TestHub by_link;
  by_link.now = 60'000;
  enrol(by_stick, device);
  enrol(by_link, device);
  device.save_all("abc");
  ASSERT_TRUE(device.save('a', "again"));
  const auto outcome = import_at(by_stick, export_from(device));
  EXPECT_EQ(outcome.taken, 4u);
  EXPECT_EQ(outcome.waiting, 0u);
  EXPECT_TRUE(connect(by_link, device));
  EXPECT_EQ(by_stick.store.state().records, by_link.store.state().records);
  EXPECT_EQ(by_stick.feed(agent::kScope).checksum, by_link.feed(agent::kScope).checksum);
  EXPECT_EQ(row_of(by_stick, device).flags, row_of(by_link, device).flags);
}

TEST_F(Bundles, NothingCountsAsDeliveredBeforeTheAnswerIsBack) {
  TestDevice device(1);
  hub::TestHub hub;
  enrol(hub, device);
  device.save_all("ab");
  import_at(hub, export_from(device));
  EXPECT_EQ(device.acknowledged(), 0u);
  hub_time_.ms += 1'000;
  BundleDelivery::Outcome outcome;
  ASSERT_TRUE(import_from(device, answer_of(hub, device), &outcome));
  EXPECT_EQ(outcome.acknowledged, 2u);
  EXPECT_EQ(device.acknowledged(), 2u);
  EXPECT_EQ(device.replica->state().receipt().seq(), 2u);
  EXPECT_EQ(device.replica->unacknowledged(), 0u);
}

TEST_F(Bundles, OpsOfOneDeviceReachTheOthers) {
  TestDevice one(1);
  TestDevice two(2);
  hub::TestHub hub;
  enrol(hub, one);
  enrol(hub, two);
  one.save_all("a");
  two.save_all("b");
  exchange(hub, one);
  exchange(hub, two);
  exchange(hub, one);
  EXPECT_EQ(one.texts('b'), two.texts('b'));
  EXPECT_EQ(one.texts('a'), two.texts('a'));
}

TEST_F(Bundles, PartsComeInAnyOrderAndAnyNumberOfTimes) {
  TestDevice device(1);
  hub::TestHub hub;
  enrol(hub, device);
  device.save_all("ab");
  const Carried first = export_from(device);
  const Status taken = device.replica->settle();
  ASSERT_TRUE(taken);
  device.save_all("cd");
  Carried second = export_from(device);
  // Its second part begins behind what the first one holds.
  sync::v1::Frame batch;
  *batch.mutable_batch() = agent::run_of(device, 3, 4);
  batch.mutable_batch()->set_signature(device.identity.key.sign(
      batch_statement(Dot{device.replica->origin(), 4}, batch.batch().chain())));
  second.frames.resize(1);
  second.frames.push_back(encode_frame(batch));
  const auto early = import_at(hub, second);
  EXPECT_EQ(early.taken, 0u);
  EXPECT_EQ(early.waiting, 2u);
  EXPECT_EQ(import_at(hub, first).taken, 2u);
  EXPECT_EQ(import_at(hub, second).taken, 2u);
  const auto again = import_at(hub, first);
  EXPECT_EQ(again.taken, 0u);
  EXPECT_EQ(again.known, 2u);
  EXPECT_EQ(row_of(hub, device).flags, "");
}

TEST_F(Bundles, AStaleBundleMovesNothingBack) {
  TestDevice device(1);
  hub::TestHub hub;
  enrol(hub, device);
  device.save_all("a");
  const Carried stale = export_from(device);
  import_at(hub, stale);
  hub_time_.ms += 1'000;
  const Carried stale_answer = answer_of(hub, device);
  device.save_all("b");
  exchange(hub, device);
  const auto state = device.replica->state().SerializeAsString();
  const auto cursors = device.replica->cursors();
  const auto outcome = import_at(hub, stale);
  EXPECT_EQ(outcome.taken, 0u);
  EXPECT_EQ(row_of(hub, device).flags, "") << "an old bundle is no disk that was put back";
  BundleDelivery::Outcome delivered;
  ASSERT_TRUE(import_from(device, stale_answer, &delivered));
  EXPECT_EQ(delivered.pages, 0u);
  EXPECT_FALSE(delivered.welcomed);
  EXPECT_EQ(device.replica->state().SerializeAsString(), state);
  ASSERT_EQ(device.replica->cursors().size(), cursors.size());
  EXPECT_EQ(device.replica->cursors()[0].through(), cursors[0].through());
}

TEST_F(Bundles, LaterPagesCanBeReadBeforeEarlierOnesCome) {
  TestDevice writer(1);
  TestDevice reader(2);
  hub::TestHub hub;
  enrol(hub, writer);
  enrol(hub, reader);
  import_at(hub, export_from(reader));
  writer.save_all("a");
  exchange(hub, writer);
  hub_time_.ms += 1'000;
  const Carried first = answer_of(hub, reader);
  ASSERT_TRUE(import_from(reader, first));
  writer.save_all("b");
  exchange(hub, writer);
  import_at(hub, export_from(reader));
  hub_time_.ms += 1'000;
  const Carried second = answer_of(hub, reader);
  // Another device of the same stream position that has nothing yet.
  TestDevice late(2);
  ASSERT_EQ(late.replica->origin(), reader.replica->origin());
  ASSERT_TRUE(import_from(late, second));
  EXPECT_EQ(late.texts('b'), writer.texts('b'));
  EXPECT_TRUE(late.replica->cursors().empty());
  ASSERT_TRUE(import_from(late, first));
  ASSERT_TRUE(import_from(late, second));
  EXPECT_EQ(late.texts('a'), writer.texts('a'));
  ASSERT_EQ(late.replica->cursors().size(), 1u);
  EXPECT_EQ(late.replica->cursors()[0].through(), 2u);
}

TEST_F(Bundles, AnAckWithoutTheStampsInBetweenIsNotTaken) {
  TestDevice device(1);
  hub::TestHub hub;
  enrol(hub, device);
  device.save_all("a");
  exchange(hub, device);
  ASSERT_EQ(device.acknowledged(), 1u);
  device.save_all("b");
  import_at(hub, export_from(device));
  hub_time_.ms += 1'000;
  Carried answer = answer_of(hub, device);
  answer.opening.set_acknowledged(2);  // as if it had told so, and a power cut had taken it back
  ASSERT_TRUE(import_from(device, answer));
  EXPECT_EQ(device.acknowledged(), 1u);
}

TEST_F(Bundles, DaysOnTheRoadAreNoSkewedClock) {
  TestDevice device(1);
  hub::TestHub hub;
  enrol(hub, device);
  device.save_all("a");
  const Carried carried = export_from(device);
  hub_time_.ms += 5 * kDay;
  import_at(hub, carried);
  EXPECT_EQ(row_of(hub, device).flags, "");
  const OpStamp& stamp = hub.record('a')->ops.at(0).stamp;
  EXPECT_EQ(stamp.quality, sync::v1::TIME_QUALITY_GOOD);
  EXPECT_LT(stamp.effective_ms, hub::kNow + 1'000);
}

TEST_F(Bundles, WhatARevokedDeviceSendsWaitsForADecision) {
  TestDevice device(1);
  hub::TestHub hub;
  enrol(hub, device);
  hub::DeviceRow row = row_of(hub, device);
  row.revoked = true;
  ASSERT_TRUE(hub.store.write([&](hub::HubTransaction& tx) { return tx.devices().put(row); }));
  device.save_all("ab");
  const auto outcome = import_at(hub, export_from(device));
  EXPECT_TRUE(outcome.revoked);
  EXPECT_EQ(outcome.aside, 2u);
  EXPECT_EQ(hub.record('a'), nullptr);
  hub_time_.ms += 1'000;
  BundleDelivery::Outcome told;
  ASSERT_TRUE(import_from(device, answer_of(hub, device), &told));
  EXPECT_TRUE(told.revoked);
  EXPECT_EQ(told.pages, 0u);
}

TEST_F(Bundles, ADiskThatWasPutBackGoesOnUnderANewName) {
  TestDevice device(1);
  hub::TestHub hub;
  enrol(hub, device);
  device.save_all("a");
  exchange(hub, device);
  const agent::MemoryDisk before = device.disk;
  device.save_all("b");
  exchange(hub, device);
  device.disk = before;
  device.open();
  ASSERT_TRUE(device.save('c', "text c"));
  const Origin old = device.replica->origin();
  ASSERT_EQ(device.head(), 2u);
  // As many ops as the hub has, and others: a fork, which the hub sees at once.
  const auto outcome = import_at(hub, export_from(device));
  EXPECT_TRUE(outcome.fork);
  EXPECT_EQ(outcome.taken, 0u);
  EXPECT_NE(row_of(hub, device).flags.find("fork_detected"), std::string::npos);
  hub_time_.ms += 1'000;
  const Status told = import_from(device, answer_of(hub, device));
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, ErrorCode::conflict);
  // One connection finds where they part; then sticks do again.
  EXPECT_FALSE(connect(hub, device));
  for (int n = 0; n < 3 && device.replica->origin() == old; ++n) connect(hub, device);
  EXPECT_NE(device.replica->origin(), old);
  exchange(hub, device);
  EXPECT_EQ(device.replica->unacknowledged(), 0u);
  EXPECT_NE(hub.record('c'), nullptr);
  EXPECT_EQ(device.texts('b').size(), 1u) << "what the disk forgot came back";
}

TEST_F(Bundles, ADeviceBehindItsOwnStreamSeesItByTheAnswer) {
  TestDevice device(1);
  hub::TestHub hub;
  enrol(hub, device);
  device.save_all("a");
  exchange(hub, device);
  const agent::MemoryDisk before = device.disk;
  device.save_all("bc");
  exchange(hub, device);
  device.disk = before;
  device.open();
  const Origin old = device.replica->origin();
  const auto outcome = import_at(hub, export_from(device));
  EXPECT_FALSE(outcome.fork);
  hub_time_.ms += 1'000;
  const Status told = import_from(device, answer_of(hub, device));
  ASSERT_FALSE(told);
  EXPECT_NE(told.error().detail.find("under a new name"), std::string::npos);
  EXPECT_NE(device.replica->origin(), old);
  exchange(hub, device);
  EXPECT_EQ(device.texts('b').size(), 1u);
  EXPECT_EQ(device.texts('c').size(), 1u);
}

TEST_F(Bundles, AHubThatWasPutBackIsSentEverythingAgain) {
  TestDevice device(1);
  hub::TestHub hub;
  enrol(hub, device);
  device.save_all("a");
  exchange(hub, device);
  const auto before = hub.store.state();
  device.save_all("b");
  exchange(hub, device);
  hub.store.restore(before);
  device.save_all("c");
  import_at(hub, export_from(device));
  EXPECT_EQ(hub.record('c'), nullptr) << "b is missing before it";
  hub_time_.ms += 1'000;
  ASSERT_TRUE(import_from(device, answer_of(hub, device)));
  exchange(hub, device);
  EXPECT_NE(hub.record('b'), nullptr);
  EXPECT_NE(hub.record('c'), nullptr);
  EXPECT_EQ(device.replica->unacknowledged(), 0u);
}

TEST_F(Bundles, ABundleForAnEarlierNameOfTheDeviceIsRefused) {
  TestDevice device(1);
  hub::TestHub hub;
  enrol(hub, device);
  device.save_all("a");
  import_at(hub, export_from(device));
  hub_time_.ms += 1'000;
  const auto answer = answer_of(hub, device);
  ASSERT_TRUE(device.replica->reincarnate(0));
  const Status told = import_from(device, answer);
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, ErrorCode::refused);
  EXPECT_EQ(device.acknowledged(), 0u);
}

TEST_F(Bundles, FramesThatDoNotBelongThereAreRefused) {
  TestDevice device(1);
  sync::v1::Frame hello;
  hello.mutable_hello()->set_version(1);
  EXPECT_EQ(import_from(device, {.frames = {encode_frame(hello)}}).error().code,
            ErrorCode::refused);
  sync::v1::Frame ack;
  ack.mutable_ack()->set_through(1);
  EXPECT_EQ(import_from(device, {.frames = {encode_frame(ack)}}).error().code, ErrorCode::refused);
}

}  // namespace
}  // namespace duhui
