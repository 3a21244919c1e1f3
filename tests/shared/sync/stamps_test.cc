#include "shared/sync/stamps.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace duhui {
namespace {

constexpr std::int64_t kNoon = 1'760'000'000'000;

sync::v1::Op op_at(std::int64_t ms, std::uint32_t rank = 2) {
  sync::v1::Op op;
  op.mutable_time()->set_hlc(static_cast<std::uint64_t>(ms) << 16);
  op.set_rank(rank);
  return op;
}

TEST(Stamps, SayNothingAboutADefaultStamp) {
  const sync::v1::Op op = op_at(kNoon);
  StampRuns runs;
  append_stamp(&runs, 1, op, default_stamp(op));
  EXPECT_TRUE(runs.empty());
  EXPECT_EQ(stamp_of(runs, 1, op), default_stamp(op));
  EXPECT_EQ(default_stamp(op).effective_ms, kNoon);
  EXPECT_EQ(default_stamp(op).rank, 2u);
}

TEST(Stamps, JoinOpsThatAreShiftedAlike) {
  StampRuns runs;
  for (std::uint64_t seq = 5; seq < 105; ++seq) {
    const sync::v1::Op op = op_at(kNoon + static_cast<std::int64_t>(seq));
    OpStamp stamp = default_stamp(op);
    stamp.effective_ms -= 3'600'000;
    stamp.quality = sync::v1::TIME_QUALITY_OFFSET;
    append_stamp(&runs, seq, op, stamp);
  }
  ASSERT_EQ(runs.size(), 1);
  EXPECT_EQ(runs[0].first_seq(), 5u);
  EXPECT_EQ(runs[0].count(), 100u);
  EXPECT_EQ(runs[0].shift_ms(), -3'600'000);
}

TEST(Stamps, BeginANewRunBehindADefaultStamp) {
  StampRuns runs;
  for (const std::uint64_t seq : {1u, 2u, 3u, 4u}) {
    const sync::v1::Op op = op_at(kNoon);
    OpStamp stamp = default_stamp(op);
    if (seq != 3) stamp.rank = 4;
    append_stamp(&runs, seq, op, stamp);
  }
  ASSERT_EQ(runs.size(), 2);
  EXPECT_EQ(runs[0].count(), 2u);
  EXPECT_EQ(runs[1].first_seq(), 4u);
}

TEST(Stamps, NeverJoinASealedOp) {
  const sync::v1::Op op = op_at(kNoon);
  OpStamp stamp = default_stamp(op);
  stamp.at_hub = true;
  StampRuns runs;
  append_stamp(&runs, 1, op, stamp);
  runs.Mutable(0)->set_seal("sealed");
  append_stamp(&runs, 2, op, stamp);
  ASSERT_EQ(runs.size(), 2);
  EXPECT_EQ(seal_of(runs, 1), "sealed");
  EXPECT_EQ(seal_of(runs, 2), "");
  EXPECT_EQ(seal_of(runs, 3), "");
}

/// Whatever the stamps are: the runs give back exactly them.
RC_GTEST_PROP(Stamps, GiveBackWhatWasAppended, ()) {
  std::vector<sync::v1::Op> ops;
  std::vector<OpStamp> stamps;
  StampRuns runs;
  const auto first = *rc::gen::inRange<std::uint64_t>(1, 50);
  for (const int kind : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 24))) {
    const auto seq = first + ops.size();
    ops.push_back(op_at(kNoon + kind * 1000, static_cast<std::uint32_t>(kind % 3)));
    OpStamp stamp = default_stamp(ops.back());
    stamp.effective_ms += (kind % 2) * 500;
    if (kind % 3 == 1) stamp.rank = 6;
    if (kind % 4 == 2) stamp.quality = sync::v1::TIME_QUALITY_CLAMPED;
    stamp.at_hub = kind % 6 == 5;
    stamps.push_back(stamp);
    append_stamp(&runs, seq, ops.back(), stamp);
  }
  for (std::size_t n = 0; n < ops.size(); ++n)
    RC_ASSERT(stamp_of(runs, first + n, ops[n]) == stamps[n]);
  RC_ASSERT(stamp_of(runs, first + ops.size(), op_at(kNoon)) == default_stamp(op_at(kNoon)));
}

TEST(ScopeChecksum, ChangesWithEverythingThatDecidesATie) {
  const OpStamp plain{
      .effective_ms = kNoon, .quality = sync::v1::TIME_QUALITY_GOOD, .rank = 2, .at_hub = false};
  std::set<std::uint64_t> sums{scope_checksum(7, plain), scope_checksum(8, plain)};
  for (const std::int64_t ms : {kNoon - 1, kNoon + 1, kNoon * 2}) {
    OpStamp other = plain;
    other.effective_ms = ms;
    sums.insert(scope_checksum(7, other));
  }
  for (const std::uint32_t rank : {0u, 1u, 3u, 7u}) {
    OpStamp other = plain;
    other.rank = rank;
    sums.insert(scope_checksum(7, other));
  }
  OpStamp at_hub = plain;
  at_hub.at_hub = true;
  sums.insert(scope_checksum(7, at_hub));
  EXPECT_EQ(sums.size(), 10u);
}

TEST(ScopeChecksum, DoesNotDependOnHowGoodTheTimeIs) {
  OpStamp good{
      .effective_ms = kNoon, .quality = sync::v1::TIME_QUALITY_GOOD, .rank = 2, .at_hub = false};
  OpStamp provisional = good;
  provisional.quality = sync::v1::TIME_QUALITY_PROVISIONAL;
  EXPECT_EQ(scope_checksum(7, good), scope_checksum(7, provisional));
}

TEST(ScopeChecksum, IsTheSameInWhateverOrderItIsSummed) {
  const OpStamp stamp{
      .effective_ms = kNoon, .quality = sync::v1::TIME_QUALITY_GOOD, .rank = 2, .at_hub = false};
  const std::uint64_t a = scope_checksum(~0ull, stamp);
  const std::uint64_t b = scope_checksum(3, stamp);
  EXPECT_EQ(a + b - a, b);  // modulo 2^64: what was added can be taken out
}

}  // namespace
}  // namespace duhui
