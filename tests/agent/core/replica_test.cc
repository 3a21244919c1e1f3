#include "agent/core/replica.h"

#include <gtest/gtest.h>

#include "shared/sync/limits.h"
#include "tests/agent/core/test_device.h"

namespace duhui::agent {
namespace {

using Texts = std::vector<std::string>;
using Fault = MemoryDisk::Fault;

TEST(Replica, NumbersItsOpsFromOneWithoutAGap) {
  TestDevice device(1);
  const auto dots =
      device.replica->save({device.intent('a', "1"), device.intent('b', "2")}, device.clock());
  ASSERT_TRUE(dots);
  EXPECT_EQ(*dots,
            (std::vector<Dot>{{device.replica->origin(), 1}, {device.replica->origin(), 2}}));
  EXPECT_EQ((*device.save('a', "3")).front().seq, 3u);
  EXPECT_EQ(device.replica->unacknowledged(), 3u);
}

TEST(Replica, ChainsEveryOpToTheOneBefore) {
  TestDevice device(1);
  device.save_all("aab");
  std::string chain = empty_chain();
  const auto ops = device.replica->own_ops(1, 1 << 20, 10);
  ASSERT_TRUE(ops && ops->size() == 3);
  for (const Replica::OwnOp& own : *ops) {
    chain = extend_chain(chain, own.op);
    EXPECT_EQ(own.chain, chain);
    EXPECT_EQ(**device.replica->chain_at(own.seq), chain);
  }
  EXPECT_EQ(device.replica->state().chain(), chain);
  EXPECT_EQ(**device.replica->chain_at(0), empty_chain());
  EXPECT_FALSE(*device.replica->chain_at(4));
}

TEST(Replica, ReplacesWhatWasThereOnTheSameDevice) {
  TestDevice device(1);
  ASSERT_TRUE(device.save('a', "first"));
  ASSERT_TRUE(device.save('a', "second"));
  EXPECT_EQ(device.texts('a'), Texts{"second"});
}

TEST(Replica, SavesAllIntentsTogetherOrNone) {
  TestDevice device(1);
  Intent twice = device.intent('a', "again");
  const auto saved = device.replica->save({device.intent('b', "x"), twice, twice}, device.clock());
  ASSERT_FALSE(saved);  // the third creates what the second created
  EXPECT_EQ(saved.error().code, ErrorCode::conflict);
  EXPECT_EQ(device.head(), 0u);
  EXPECT_TRUE(device.texts('b').empty());
  EXPECT_TRUE(device.disk.journal.empty());
}

TEST(Replica, RefusesAnOpOverItsLimitAndSavesTheNext) {
  TestDevice device(1);
  Intent big = device.intent('a', std::string(200 << 10, 'x'));
  for (std::uint32_t field = 4; field < 7; ++field) {
    big.writes.push_back({{field, {}}, std::string(200 << 10, 'y')});
  }
  const auto saved = device.replica->save({big}, device.clock());
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, ErrorCode::limit_exceeded);
  EXPECT_TRUE(device.save('a', "small"));
}

TEST(Replica, FindsItsRecordsByTypeInPages) {
  TestDevice device(1);
  device.save_all("badc");
  using Ids = std::vector<RecordId>;
  EXPECT_EQ(*device.replica->find(kType, {}, 2), (Ids{record_id('a'), record_id('b')}));
  EXPECT_EQ(*device.replica->find(kType, record_id('b'), 9), (Ids{record_id('c'), record_id('d')}));
  EXPECT_EQ(device.replica->find(0, {}, 9)->size(), 4u);
  EXPECT_TRUE(device.replica->find(kType + 1, {}, 9)->empty());
}

TEST(Replica, MarksAnOpProvisionalUntilTheHubAcknowledgesIt) {
  TestDevice device(1);
  ASSERT_TRUE(device.save('a', "x"));
  const Dot dot{device.replica->origin(), 1};
  const auto quality = [&] {
    return (*device.replica->record(record_id('a')))->op(dot)->stamp.quality;
  };
  EXPECT_EQ(quality(), sync::v1::TIME_QUALITY_PROVISIONAL);
  ASSERT_TRUE(device.replica->acknowledged(ack_of(device, 1)));
  EXPECT_EQ(quality(), sync::v1::TIME_QUALITY_GOOD);
}

TEST(Replica, GivesOwnOpsUpToTheLimitsAndAlwaysOne) {
  TestDevice device(1);
  device.save_all("abcde");
  EXPECT_EQ(device.replica->own_ops(2, 1, 10)->size(), 1u);
  EXPECT_EQ(device.replica->own_ops(2, 1 << 20, 3)->size(), 3u);
  EXPECT_EQ(device.replica->own_ops(5, 1 << 20, 3)->size(), 1u);
  EXPECT_TRUE(device.replica->own_ops(6, 1 << 20, 3)->empty());
}

struct FaultCase {
  bool at_append = false;
  Fault fault = Fault::not_applied;
  bool saved = false;
};

class FailingSave : public testing::TestWithParam<FaultCase> {};

INSTANTIATE_TEST_SUITE_P(Faults,
                         FailingSave,
                         testing::Values(FaultCase{true, Fault::not_applied, false},
                                         FaultCase{true, Fault::applied, true},
                                         FaultCase{false, Fault::not_applied, true},
                                         FaultCase{false, Fault::applied, true}));

TEST_P(FailingSave, IsReportedSavedExactlyWhenItIsThere) {
  TestDevice device(1);
  ASSERT_TRUE(device.save('a', "before"));
  if (GetParam().at_append) {
    device.disk.fail_next_append = GetParam().fault;
  } else {
    device.disk.fail_next_commit = GetParam().fault;
  }
  const auto saved = device.save('a', "now");
  EXPECT_EQ(saved.has_value(), GetParam().saved);
  EXPECT_EQ(device.texts('a'), Texts{GetParam().saved ? "now" : "before"});
  ASSERT_TRUE(device.save('a', "after"));
  device.open();
  EXPECT_EQ(device.head(), GetParam().saved ? 3u : 2u);
  EXPECT_EQ(device.texts('a'), Texts{"after"});
}

TEST(Replica, SavesAgainWhenTheFullDiskHasSpaceAgain) {
  TestDevice device(1);
  ASSERT_TRUE(device.save('a', "before"));
  device.disk.full = true;
  EXPECT_FALSE(device.save('a', "no room"));
  EXPECT_FALSE(device.save('a', "no room"));
  EXPECT_EQ(device.texts('a'), Texts{"before"});
  device.disk.full = false;
  ASSERT_TRUE(device.save('a', "room"));
  EXPECT_EQ(device.head(), 2u);
  EXPECT_EQ(device.texts('a'), Texts{"room"});
}

}  // namespace
}  // namespace duhui::agent
