#include "shared/api/try_throttle.h"

#include <gtest/gtest.h>

#include "people_records.h"

namespace duhui::api {
namespace {

class TryThrottleTest : public testing::Test {
 protected:
  void fail(const std::string& who, int times = 1) {
    for (int n = 0; n < times; ++n) {
      throttle_.begun(who, now_);
      throttle_.failed(who, now_);
    }
  }

  MemoryText kept_;
  TryThrottle throttle_{kept_};
  MonotonicTime now_{1'000'000};
};

TEST_F(TryThrottleTest, FourWrongTriesCostNothing) {
  fail("u-1", 4);
  EXPECT_EQ(throttle_.wait("u-1", now_), Duration{});
}

TEST_F(TryThrottleTest, FromTheFifthOnTheWaitGrowsToAnHour) {
  fail("u-1", 5);
  std::int64_t expected = 30'000;
  for (int n = 0; n < 12; ++n) {
    EXPECT_EQ(throttle_.wait("u-1", now_), milliseconds(expected));
    now_ = now_ + milliseconds(expected);
    EXPECT_EQ(throttle_.wait("u-1", now_), Duration{});
    fail("u-1");
    expected = std::min<std::int64_t>(expected * 2, 3'600'000);
  }
  EXPECT_EQ(throttle_.wait("u-1", now_), hours(1));
}

TEST_F(TryThrottleTest, ARightOneForgivesAll) {
  fail("u-1", 5);
  now_ = now_ + seconds(31);
  throttle_.begun("u-1", now_);
  throttle_.succeeded("u-1", now_);
  fail("u-1", 4);
  EXPECT_EQ(throttle_.wait("u-1", now_), Duration{});
}

TEST_F(TryThrottleTest, OthersDoNotWait) {
  fail("u-1", 9);
  EXPECT_EQ(throttle_.wait("u-2", now_), Duration{});
}

TEST_F(TryThrottleTest, ManyAtOnceCountBeforeTheyAreJudged) {
  for (int n = 0; n < 5; ++n) throttle_.begun("u-1", now_);
  EXPECT_EQ(throttle_.wait("u-1", now_), seconds(30));
}

TEST_F(TryThrottleTest, WhatCouldNotBeJudgedDoesNotCount) {
  for (int n = 0; n < 20; ++n) {
    throttle_.begun("u-1", now_);
    throttle_.undone("u-1");
  }
  EXPECT_EQ(throttle_.wait("u-1", now_), Duration{});
}

TEST_F(TryThrottleTest, ARestartSkipsNoWait) {
  fail("u-1", 7);
  EXPECT_EQ(throttle_.wait("u-1", now_), seconds(120));
  TryThrottle after(kept_);
  const MonotonicTime boot{5};  // another start of the machine: its clock begins anew
  after.load(boot);
  EXPECT_EQ(after.wait("u-1", boot), seconds(120));
  EXPECT_EQ(after.wait("u-1", boot + seconds(119)), seconds(1));
  // And the tries before it still count.
  after.begun("u-1", boot + seconds(121));
  after.failed("u-1", boot + seconds(121));
  EXPECT_EQ(after.wait("u-1", boot + seconds(121)), seconds(240));
}

TEST_F(TryThrottleTest, ADamagedTextIsNone) {
  for (const char* text : {"", "{", "[]", R"({"tries":5})", R"({"tries":[5,{"account":1}]})",
                           R"({"tries":[{"account":"u-1","wrong":-3,"wait_ms":"x"}]})"}) {
    kept_.text = text;
    TryThrottle throttle(kept_);
    throttle.load(now_);
    EXPECT_EQ(throttle.wait("u-1", now_), Duration{}) << text;
  }
  kept_.text = R"({"tries":[{"account":"u-1","wrong":9,"wait_ms":99999999999}]})";
  TryThrottle throttle(kept_);
  throttle.load(now_);
  EXPECT_EQ(throttle.wait("u-1", now_), hours(1));
}

TEST_F(TryThrottleTest, AFullDiskKeepsTheWaitOfThisRun) {
  kept_.broken = true;
  fail("u-1", 6);
  EXPECT_EQ(throttle_.wait("u-1", now_), seconds(60));
}

TEST_F(TryThrottleTest, AllTogetherMayFailOnlySoOften) {
  for (std::uint32_t n = 0; n < TryThrottle::kOverallMax; ++n) fail("u-" + std::to_string(n));
  EXPECT_EQ(throttle_.wait("somebody new", now_), TryThrottle::kOverallPause);
  now_ = now_ + TryThrottle::kOverallPause;
  EXPECT_EQ(throttle_.wait("somebody new", now_), Duration{});
}

TEST_F(TryThrottleTest, WhoeverSucceedsTakesNothingFromTheOthers) {
  for (int n = 0; n < 500; ++n) {
    throttle_.begun("u-1", now_);
    throttle_.succeeded("u-1", now_);
  }
  EXPECT_EQ(throttle_.wait("u-2", now_), Duration{});
}

TEST_F(TryThrottleTest, TriesOfOthersForgiveNobody) {
  fail("u-1", 8);
  for (std::size_t n = 0; n < TryThrottle::kAccountsMax + 20; ++n) fail("x" + std::to_string(n));
  EXPECT_GT(throttle_.wait("u-1", now_), TryThrottle::kOverallPause);
}

}  // namespace
}  // namespace duhui::api
