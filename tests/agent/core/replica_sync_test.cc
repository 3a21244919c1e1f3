// What a replica does with what the hub says.

#include <gtest/gtest.h>

#include "shared/sync/stamps.h"
#include "tests/agent/core/test_device.h"

namespace duhui::agent {
namespace {

using Texts = std::vector<std::string>;

OpStamp stamp_at(TestDevice& device, char record, const Dot& dot) {
  auto state = device.replica->record(record_id(record));
  EXPECT_TRUE(state && *state);
  const OpFacts* facts = (*state)->op(dot);
  EXPECT_NE(facts, nullptr);
  return facts == nullptr ? OpStamp{} : facts->stamp;
}

std::uint64_t checksum(TestDevice& device) {
  return device.replica->scopes().at(kScope).checksum();
}

/// Counted from the records, not kept up to date.
std::uint64_t counted(TestDevice& device) {
  RecordId low, high;
  high.bytes.fill('\xff');
  return device.replica->range_sum(kScope, low, high)->checksum;
}

TEST(ReplicaAck, IsCumulativeAndNeverGoesBack) {
  TestDevice device(1);
  device.save_all("abc");
  ASSERT_TRUE(device.replica->acknowledged(ack_of(device, 2)));
  EXPECT_EQ(device.acknowledged(), 2u);
  ASSERT_TRUE(device.replica->acknowledged(ack_of(device, 1)));
  EXPECT_EQ(device.acknowledged(), 2u);
  EXPECT_EQ(device.disk.journal.size(), 1u);
}

TEST(ReplicaAck, OfWhatThisDeviceDoesNotHaveIsRefused) {
  TestDevice device(1), other(2);
  device.save_all("a");
  other.save_all("a");
  sync::v1::Ack beyond = ack_of(device, 1);
  beyond.set_through(2);
  EXPECT_FALSE(device.replica->acknowledged(beyond));
  EXPECT_FALSE(device.replica->acknowledged(ack_of(other, 1)));
  EXPECT_EQ(device.acknowledged(), 0u);
  EXPECT_EQ(device.disk.journal.size(), 1u);
}

TEST(ReplicaAck, BringsTheHubsStampsAndKeepsTheChecksumTrue) {
  TestDevice device(1);
  device.save_all("ab");
  const Dot first{device.replica->origin(), 1};
  const Dot second{device.replica->origin(), 2};
  const OpStamp before = stamp_at(device, 'a', first);
  sync::v1::Ack ack = ack_of(device, 2);
  sync::v1::Stamp* stamp = ack.add_stamps();
  stamp->set_first_seq(1);
  stamp->set_count(1);
  stamp->set_shift_ms(-5000);
  stamp->set_quality(sync::v1::TIME_QUALITY_OFFSET);
  stamp->set_rank(6);
  ASSERT_TRUE(device.replica->acknowledged(ack));
  const OpStamp after = stamp_at(device, 'a', first);
  EXPECT_EQ(after.effective_ms, before.effective_ms - 5000);
  EXPECT_EQ(after.rank, 6u);
  EXPECT_EQ(stamp_at(device, 'b', second).rank, 2u);
  EXPECT_EQ(checksum(device), counted(device));
  device.open();
  EXPECT_EQ(stamp_at(device, 'a', first), after);
}

TEST(ReplicaAck, OfAHubsSecondLifeReplacesTheStampsOfTheFirst) {
  TestDevice device(1);
  device.save_all("a");
  const Dot dot{device.replica->origin(), 1};
  sync::v1::Ack ack = ack_of(device, 1);
  sync::v1::Stamp* stamp = ack.add_stamps();
  stamp->set_first_seq(1);
  stamp->set_count(1);
  stamp->set_rank(6);
  ASSERT_TRUE(device.replica->acknowledged(ack));
  ASSERT_EQ(stamp_at(device, 'a', dot).rank, 6u);
  sync::v1::Welcome restored;  // the hub has nothing any more
  restored.set_epoch(2);
  ASSERT_TRUE(device.replica->welcomed(restored));
  EXPECT_EQ(device.acknowledged(), 0u);
  ASSERT_TRUE(device.replica->acknowledged(ack_of(device, 1)));  // now with the default stamp
  EXPECT_EQ(stamp_at(device, 'a', dot).rank, 2u);
  EXPECT_EQ(checksum(device), counted(device));
}

TEST(ReplicaFeed, AppliesAPageOnceAndMovesTheCursor) {
  TestDevice device(1), other(2);
  other.save_all("xy");
  const sync::v1::FeedPage page = page_of({run_of(other, 1, 2)}, 0);
  const auto changed = device.replica->apply(page);
  ASSERT_TRUE(changed);
  EXPECT_EQ(*changed, (std::vector<RecordId>{record_id('x'), record_id('y')}));
  const std::uint64_t after_first = checksum(device);
  EXPECT_TRUE(device.replica->apply(page)->empty());  // it does not begin at the cursor
  EXPECT_EQ(checksum(device), after_first);
  EXPECT_EQ(device.replica->cursors().front().through(), 2u);
  device.open();
  EXPECT_EQ(device.texts('x'), Texts{"text x"});
  EXPECT_EQ(device.replica->cursors().front().through(), 2u);
}

TEST(ReplicaFeed, ComesToTheSameStateInAnyOrder) {
  TestDevice writer(1), forward(2), backward(3);
  writer.save_all("xxxyy");
  for (std::uint64_t seq = 1; seq <= 5; ++seq) {
    ASSERT_TRUE(forward.replica->apply(page_of({run_of(writer, seq, seq)}, seq - 1)));
  }
  std::uint64_t at = 0;
  for (std::uint64_t seq = 5; seq >= 1; --seq) {
    ASSERT_TRUE(backward.replica->apply(page_of({run_of(writer, seq, seq)}, at++)));
  }
  for (const char record : {'x', 'y'}) {
    EXPECT_EQ(**forward.replica->record(record_id(record)),
              **backward.replica->record(record_id(record)));
  }
  EXPECT_EQ(checksum(forward), checksum(backward));
  EXPECT_EQ(checksum(backward), counted(backward));
}

TEST(ReplicaFeed, HidesARecordUntilItsCreatingOpComes) {
  TestDevice writer(1), reader(2);
  writer.save_all("xx");
  ASSERT_TRUE(reader.replica->apply(page_of({run_of(writer, 2, 2)}, 0)));
  EXPECT_EQ((*reader.replica->record(record_id('x')))->stage(), RecordState::Stage::shell);
  ASSERT_TRUE(reader.replica->apply(page_of({run_of(writer, 1, 1)}, 1)));
  EXPECT_EQ((*reader.replica->record(record_id('x')))->stage(), RecordState::Stage::born);
}

TEST(ReplicaFeed, QuarantinesAMalformedOpAndTakesTheRest) {
  TestDevice device(1), other(2);
  other.save_all("xy");
  PayloadCodec codec;
  sync::v1::Batch run = run_of(other, 1, 2);
  const auto ops = other.replica->own_ops(1, 1 << 20, 2);
  codec.pack({(*ops)[0].op, "\xff\xff not an op", (*ops)[1].op}, kEveryPacking, &run);
  ASSERT_TRUE(device.replica->apply(page_of({run}, 0)));
  EXPECT_EQ(device.texts('x').size(), 1u);
  EXPECT_EQ(device.texts('y').size(), 1u);
  const auto quarantined = device.replica->quarantine();
  ASSERT_TRUE(quarantined && quarantined->size() == 1);
  EXPECT_EQ(quarantined->front().seq(), 2u);
  EXPECT_EQ(quarantined->front().op(), "\xff\xff not an op");
}

TEST(ReplicaFeed, TakesNothingOfADamagedPage) {
  TestDevice device(1), other(2);
  other.save_all("xy");
  sync::v1::Batch torn = run_of(other, 2, 2);
  torn.mutable_payload()->pop_back();
  EXPECT_FALSE(device.replica->apply(page_of({run_of(other, 1, 1), torn}, 0)));
  EXPECT_TRUE(device.texts('x').empty());
  EXPECT_TRUE(device.replica->cursors().empty());
  ASSERT_TRUE(device.replica->apply(page_of({run_of(other, 1, 2)}, 0)));
  EXPECT_EQ(checksum(device), counted(device));
}

TEST(ReplicaFeed, KnowsAnOpOfItsOwnStreamThatItNeverWrote) {
  TestDevice device(1);
  device.save_all("a");
  TestDevice copy(1);
  copy.disk = device.disk;
  copy.open();
  ASSERT_TRUE(copy.save('b', "written by the copy"));
  ASSERT_TRUE(device.replica->apply(page_of({run_of(copy, 1, 1)}, 0)));
  const auto applied = device.replica->apply(page_of({run_of(copy, 2, 2)}, 1));
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, ErrorCode::conflict);
  ASSERT_TRUE(device.save('c', "the same seq, another op"));
  EXPECT_EQ(device.replica->apply(page_of({run_of(copy, 2, 2)}, 1)).error().code,
            ErrorCode::conflict);
  EXPECT_TRUE(device.texts('b').empty());
}

TEST(ReplicaFeed, SurvivesADiskThatRefusesAPage) {
  for (const auto fault : {MemoryDisk::Fault::not_applied, MemoryDisk::Fault::applied}) {
    TestDevice device(1), other(2);
    other.save_all("xy");
    device.disk.fail_next_commit = fault;
    EXPECT_FALSE(device.replica->apply(page_of({run_of(other, 1, 2)}, 0)));
    ASSERT_TRUE(device.replica->settle());
    const bool there = fault == MemoryDisk::Fault::applied;
    EXPECT_EQ(device.replica->cursors().size(), there ? 1u : 0u);
    ASSERT_TRUE(there || device.replica->apply(page_of({run_of(other, 1, 2)}, 0)));
    EXPECT_EQ(device.texts('y').size(), 1u);
    EXPECT_EQ(checksum(device), counted(device));
  }
}

TEST(ReplicaWalk, EndsWhereTheFeedGoesOn) {
  TestDevice device(1), other(2);
  other.save_all("xy");
  sync::v1::WalkPage page;
  page.set_scope(kScope);
  sync::v1::WalkedRecord* walked = page.add_records();
  walked->set_record_id(record_id('x').str());
  *walked->add_runs() = run_of(other, 1, 1);
  page.set_through(record_id('x').str());
  ASSERT_TRUE(device.replica->apply(page));
  EXPECT_TRUE(device.replica->cursors().empty());
  EXPECT_EQ(device.replica->scopes().at(kScope).walk_after(), record_id('x').view());
  page.clear_records();
  page.set_last(true);
  page.set_continue_after(40);
  page.set_checksum(77);
  ASSERT_TRUE(device.replica->apply(page));
  ASSERT_EQ(device.replica->cursors().size(), 1u);
  EXPECT_EQ(device.replica->cursors().front().through(), 40u);
  EXPECT_EQ(device.replica->cursors().front().checksum(), 77u);
}

TEST(ReplicaRefill, OffersTheHubsOwnOpsOnlyThatTheAnswerLacks) {
  TestDevice device(1), hub(2);
  device.save_all("a");
  hub.save_all("xy");
  sync::v1::Batch run = run_of(hub, 1, 2);
  for (const std::uint64_t seq : {1u, 2u}) {
    sync::v1::Stamp* stamp = run.add_stamps();
    stamp->set_first_seq(seq);
    stamp->set_count(1);
    stamp->set_quality(sync::v1::TIME_QUALITY_GOOD);
    stamp->set_at_hub(true);
    stamp->set_seal("seal " + std::to_string(seq));
  }
  ASSERT_TRUE(device.replica->apply(page_of({run}, 0)));
  sync::v1::RangeAnswer answer;
  answer.set_scope(kScope);
  answer.set_low(std::string(16, '\0'));
  answer.set_high(std::string(16, '\xff'));
  sync::v1::WalkedRecord* known = answer.add_records();
  known->set_record_id(record_id('x').str());
  *known->add_runs() = run_of(hub, 1, 1);
  const auto refill = device.replica->sealed_beyond(answer);
  ASSERT_TRUE(refill);
  ASSERT_EQ(refill->records_size(), 1);
  EXPECT_EQ(refill->records(0).record_id(), record_id('y').view());
  ASSERT_EQ(refill->records(0).runs_size(), 1);
  EXPECT_EQ(seal_of(refill->records(0).runs(0).stamps(), 2), "seal 2");
}

}  // namespace
}  // namespace duhui::agent
