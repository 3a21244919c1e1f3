// How a replica finds its place again: after a restart, a lost or damaged database, a fork.

#include <algorithm>

#include <gtest/gtest.h>

#include "agent/core/keys.h"
#include "tests/agent/core/test_device.h"

namespace duhui::agent {
namespace {

using Texts = std::vector<std::string>;

TEST(ReplicaOpen, BeginsAStreamOfItsOwnOnAnEmptyDisk) {
  TestDevice one(1), two(2);
  EXPECT_TRUE(one.replica->open_report().fresh);
  EXPECT_NE(one.replica->origin(), two.replica->origin());
  EXPECT_EQ(one.head(), 0u);
  EXPECT_EQ(one.replica->state().chain(), empty_chain());
}

TEST(ReplicaOpen, GoesOnWhereItWas) {
  TestDevice device(1);
  device.save_all("aab");
  ASSERT_TRUE(device.replica->acknowledged(ack_of(device, 2)));
  const auto before = device.replica->state().SerializeAsString();
  device.open();
  EXPECT_FALSE(device.replica->open_report().fresh);
  EXPECT_EQ(device.replica->open_report().replayed, 0u);
  EXPECT_EQ(device.replica->state().SerializeAsString(), before);
  EXPECT_EQ((*device.save('b', "x")).front().seq, 4u);
}

TEST(ReplicaOpen, CountsTheStartsOfTheSystemNotOfTheProgram) {
  TestDevice device(1);
  EXPECT_EQ(device.replica->state().boot(), 1u);
  device.open();
  EXPECT_EQ(device.replica->state().boot(), 1u);
  device.boot = 77;
  device.open();
  EXPECT_EQ(device.replica->state().boot(), 2u);
}

TEST(ReplicaOpen, TakesTheStreamUpFromTheJournalWhenTheDatabaseIsGone) {
  TestDevice device(1);
  device.save_all("abc");
  const Origin origin = device.replica->origin();
  const std::string chain = device.replica->state().chain();
  device.disk.values.clear();
  device.open();
  EXPECT_EQ(device.replica->origin(), origin);
  EXPECT_EQ(device.head(), 3u);
  EXPECT_EQ(device.replica->state().chain(), chain);
  EXPECT_EQ(device.replica->open_report().replayed, 3u);
  for (const char record : {'a', 'b', 'c'}) EXPECT_EQ(device.texts(record).size(), 1u) << record;
}

TEST(ReplicaOpen, RemembersThatTheBeginningOfItsStreamIsElsewhere) {
  TestDevice device(1);
  device.save_all("abcde");
  ASSERT_TRUE(device.replica->acknowledged(ack_of(device, 2)));
  device.disk.values.clear();
  device.open();
  EXPECT_EQ(device.head(), 5u);
  EXPECT_EQ(device.replica->state().own_log_from(), 3u);
  EXPECT_TRUE(device.texts('a').empty());
  EXPECT_EQ(device.texts('c').size(), 1u);
  // The hub says what it has; its stamps may be of ops this device holds no more.
  sync::v1::Ack ack = ack_of(device, 2);
  sync::v1::Stamp* stamp = ack.add_stamps();
  stamp->set_first_seq(1);
  stamp->set_count(2);
  stamp->set_shift_ms(60'000);
  ASSERT_TRUE(device.replica->acknowledged(ack));
  EXPECT_EQ(device.acknowledged(), 2u);
}

TEST(ReplicaOpen, TakesNothingFromTheJournalThatDoesNotContinueTheChain) {
  TestDevice device(1);
  device.save_all("ab");
  const auto values = device.disk.values;
  ASSERT_TRUE(device.save('c', "third"));
  device.disk.values = values;  // as if the last commit had been torn off
  device.disk.journal.back().op += " and more";
  device.open();
  EXPECT_EQ(device.head(), 2u);
  EXPECT_TRUE(device.texts('c').empty());
}

TEST(ReplicaOpen, BringsBackFromTheJournalWhatTheDatabaseForgot) {
  TestDevice device(1);
  device.save_all("ab");
  const auto values = device.disk.values;
  device.save_all("cd");
  device.disk.values = values;
  device.open();
  EXPECT_EQ(device.head(), 4u);
  EXPECT_EQ(device.replica->open_report().replayed, 2u);
  EXPECT_EQ(device.texts('d').size(), 1u);
}

TEST(ReplicaOpen, AsksTheHubForEverythingAfterASalvage) {
  TestDevice device(1), other(2);
  device.save_all("ab");
  other.save_all("xy");
  ASSERT_TRUE(device.replica->apply(page_of({run_of(other, 1, 2)}, 0)));
  ASSERT_EQ(device.replica->cursors().size(), 1u);
  const std::uint64_t checksum = device.replica->scopes().at(kScope).checksum();
  device.disk.values.erase(keys::record(record_id('y')));  // could not be saved
  device.open(true);
  EXPECT_TRUE(device.replica->cursors().empty());
  EXPECT_EQ(device.replica->open_report().lost, 0u);
  EXPECT_NE(device.replica->scopes().at(kScope).checksum(), checksum);
  ASSERT_TRUE(device.replica->apply(page_of({run_of(other, 1, 2)}, 0)));
  EXPECT_EQ(device.texts('y').size(), 1u);
  EXPECT_EQ(device.replica->scopes().at(kScope).checksum(), checksum);
}

TEST(ReplicaOpen, FillsAHoleInItsLogFromTheJournalAfterASalvage) {
  TestDevice device(1);
  device.save_all("abcd");
  device.disk.values.erase(keys::own_op(device.replica->origin(), 2));
  device.disk.values.erase(keys::record(record_id('b')));
  device.open(true);
  EXPECT_EQ(device.replica->open_report().lost, 0u);
  EXPECT_EQ(device.replica->state().own_log_from(), 1u);
  EXPECT_EQ(device.replica->own_ops(1, 1 << 20, 10)->size(), 4u);
  EXPECT_EQ(device.texts('b').size(), 1u);
}

TEST(ReplicaOpen, CountsWhatNobodyHoldsAsLost) {
  TestDevice device(1);
  device.save_all("abcd");
  device.disk.values.erase(keys::own_op(device.replica->origin(), 2));
  std::erase_if(device.disk.journal, [](const auto& entry) { return entry.dot.seq == 2; });
  device.open(true);
  EXPECT_EQ(device.replica->open_report().lost, 1u);
  EXPECT_EQ(device.replica->state().own_log_from(), 3u);
}

TEST(Reincarnation, SavesWhatCameAfterTheCommonPointAgain) {
  TestDevice device(1);
  device.save_all("abc");
  const Origin before = device.replica->origin();
  ASSERT_TRUE(device.replica->reincarnate(1));
  EXPECT_NE(device.replica->origin(), before);
  EXPECT_EQ(device.head(), 2u);
  EXPECT_EQ(device.acknowledged(), 0u);
  for (const char record : {'a', 'b', 'c'}) EXPECT_EQ(device.texts(record).size(), 1u) << record;
  const auto& past = device.replica->state().past();
  ASSERT_EQ(past.size(), 1);
  EXPECT_EQ(past[0].origin(), before.view());
  EXPECT_EQ(past[0].head(), 3u);
  EXPECT_EQ(past[0].common(), 1u);
  // The journal holds exactly the new stream.
  EXPECT_EQ(device.disk.journal.size(), 2u);
  device.open();
  EXPECT_EQ(device.head(), 2u);
  EXPECT_EQ(device.texts('c'), Texts{"text c"});
}

TEST(Reincarnation, KeepsTheMeaningOfEveryReference) {
  TestDevice device(1);
  ASSERT_TRUE(device.save('a', "common"));
  ASSERT_TRUE(device.save('a', "replaces the common one"));
  ASSERT_TRUE(device.save('b', "born after the fork"));
  ASSERT_TRUE(device.save('b', "replaces one from after the fork"));
  const Origin before = device.replica->origin();
  ASSERT_TRUE(device.replica->reincarnate(1));
  const Origin after = device.replica->origin();
  const auto ops = device.replica->own_ops(1, 1 << 20, 10);
  ASSERT_TRUE(ops && ops->size() == 3);
  const auto op_at = [&](std::size_t n) {
    sync::v1::Op op;
    EXPECT_TRUE(op.ParseFromString((*ops)[n].op));
    return op;
  };
  const sync::v1::Op on_common = op_at(0);
  EXPECT_EQ(*read_dot(on_common.born(), after), (Dot{before, 1}));
  EXPECT_EQ(*read_dot(on_common.writes(0).replaces(0), after), (Dot{before, 1}));
  EXPECT_TRUE(op_at(1).creates());
  const sync::v1::Op on_new = op_at(2);
  EXPECT_EQ(*read_dot(on_new.born(), after), (Dot{after, 2}));
  EXPECT_EQ(*read_dot(on_new.writes(0).replaces(0), after), (Dot{after, 2}));
  EXPECT_EQ(device.texts('a'), Texts{"replaces the common one"});
  EXPECT_EQ(device.texts('b'), Texts{"replaces one from after the fork"});
}

TEST(Reincarnation, KeepsTheChecksumOfTheScopeTrue) {
  TestDevice device(1);
  device.save_all("abcab");
  ASSERT_TRUE(device.replica->reincarnate(2));
  RecordId low, high;
  high.bytes.fill('\xff');
  const auto sum = device.replica->range_sum(kScope, low, high);
  ASSERT_TRUE(sum);
  EXPECT_EQ(sum->checksum, device.replica->scopes().at(kScope).checksum());
}

TEST(Reincarnation, CanHappenAgainAndAgain) {
  TestDevice device(1);
  ASSERT_TRUE(device.save('a', "0"));
  for (int n = 1; n < 5; ++n) {
    ASSERT_TRUE(device.replica->reincarnate(0));
    ASSERT_TRUE(device.save('a', std::to_string(n)));
    EXPECT_EQ(device.texts('a'), Texts{std::to_string(n)});
  }
  EXPECT_EQ(device.head(), 5u);
  EXPECT_EQ(device.replica->state().past_size(), 4);
}

TEST(Reincarnation, ChangesNothingWhenTheDiskRefuses) {
  for (const auto fault : {MemoryDisk::Fault::not_applied, MemoryDisk::Fault::applied}) {
    TestDevice device(1);
    device.save_all("abc");
    device.disk.fail_next_commit = fault;
    EXPECT_FALSE(device.replica->reincarnate(1));
    ASSERT_TRUE(device.replica->settle());
    for (const char record : {'a', 'b', 'c'}) EXPECT_EQ(device.texts(record).size(), 1u) << record;
    ASSERT_TRUE(device.save('d', "goes on"));
    device.open();
    for (const char record : {'a', 'b', 'c', 'd'})
      EXPECT_EQ(device.texts(record).size(), 1u) << record;
  }
}

}  // namespace
}  // namespace duhui::agent
