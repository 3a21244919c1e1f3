#include "shared/api/try_throttle.h"

#include <gtest/gtest.h>

#include "people_records.h"

namespace duhui::api {
namespace {

class TryThrottleTest : public testing::Test {
 protected:
  void fail(const TryOf& what, int times = 1) {
    for (int n = 0; n < times; ++n) {
      throttle_.begun(what, now_);
      throttle_.failed(what, now_);
    }
  }
  void begin(const TryOf& what, int times) {
    for (int n = 0; n < times; ++n) throttle_.begun(what, now_);
  }
  void succeed(const TryOf& what) {
    throttle_.begun(what, now_);
    throttle_.succeeded(what, now_);
  }
  Duration wait(const TryOf& what) { return throttle_.wait(what, now_); }

  MemoryText kept_;
  TryThrottle throttle_{kept_};
  MonotonicTime now_{1'000'000};
};

TEST_F(TryThrottleTest, FourWrongTriesCostNothing) {
  fail({"u-1"}, 4);
  EXPECT_EQ(wait({"u-1"}), Duration{});
}

TEST_F(TryThrottleTest, FromTheFifthOnTheWaitGrowsToAnHour) {
  fail({"u-1"}, 5);
  std::int64_t expected = 30'000;
  for (int n = 0; n < 12; ++n) {
    EXPECT_EQ(wait({"u-1"}), milliseconds(expected));
    now_ = now_ + milliseconds(expected);
    EXPECT_EQ(wait({"u-1"}), Duration{});
    fail({"u-1"});
    expected = std::min<std::int64_t>(expected * 2, 3'600'000);
  }
  EXPECT_EQ(wait({"u-1"}), hours(1));
}

TEST_F(TryThrottleTest, ARightOneForgivesAll) {
  fail({"u-1"}, 5);
  now_ = now_ + seconds(31);
  throttle_.begun({"u-1"}, now_);
  throttle_.succeeded({"u-1"}, now_);
  fail({"u-1"}, 4);
  EXPECT_EQ(wait({"u-1"}), Duration{});
}

TEST_F(TryThrottleTest, OthersDoNotWait) {
  fail({"u-1"}, 9);
  EXPECT_EQ(wait({"u-2"}), Duration{});
}

TEST_F(TryThrottleTest, ManyAtOnceCountBeforeTheyAreJudged) {
  for (int n = 0; n < 5; ++n) throttle_.begun({"u-1"}, now_);
  EXPECT_EQ(wait({"u-1"}), seconds(30));
}

TEST_F(TryThrottleTest, WhatCouldNotBeJudgedDoesNotCount) {
  for (int n = 0; n < 20; ++n) {
    throttle_.begun({"u-1"}, now_);
    throttle_.undone({"u-1"}, now_);
  }
  EXPECT_EQ(wait({"u-1"}), Duration{});
}

TEST_F(TryThrottleTest, ARestartSkipsNoWait) {
  fail({"u-1"}, 7);
  EXPECT_EQ(wait({"u-1"}), seconds(120));
  TryThrottle after(kept_);
  const MonotonicTime boot{5};  // another start of the machine: its clock begins anew
  after.load(boot);
  EXPECT_EQ(after.wait({"u-1"}, boot), seconds(120));
  EXPECT_EQ(after.wait({"u-1"}, boot + seconds(119)), seconds(1));
  // And the tries before it still count.
  after.begun({"u-1"}, boot + seconds(121));
  after.failed({"u-1"}, boot + seconds(121));
  EXPECT_EQ(after.wait({"u-1"}, boot + seconds(121)), seconds(240));
}

TEST_F(TryThrottleTest, ADamagedTextIsNone) {
  for (const char* text : {"", "{", "[]", R"({"tries":5})", R"({"tries":[5,{"account":1}]})",
                           R"({"tries":[{"account":"u-1","wrong":-3,"wait_ms":"x"}]})"}) {
    kept_.text = text;
    TryThrottle throttle(kept_);
    throttle.load(now_);
    EXPECT_EQ(throttle.wait({"u-1"}, now_), Duration{}) << text;
  }
  kept_.text = R"({"tries":[{"account":"u-1","wrong":9,"wait_ms":99999999999}]})";
  TryThrottle throttle(kept_);
  throttle.load(now_);
  EXPECT_EQ(throttle.wait({"u-1"}, now_), hours(1));
}

TEST_F(TryThrottleTest, AFullDiskKeepsTheWaitOfThisRun) {
  kept_.broken = true;
  fail({"u-1"}, 6);
  EXPECT_EQ(wait({"u-1"}), seconds(60));
}

TEST_F(TryThrottleTest, WhatEarlierProgramsKeptStillHolds) {
  kept_.text = R"({"tries":[{"account":"u-1","wrong":7,"wait_ms":120000}]})";
  TryThrottle throttle(kept_);
  throttle.load(now_);
  EXPECT_EQ(throttle.wait({"u-1"}, now_), seconds(120));
}

TEST_F(TryThrottleTest, OnePeerMayFailOnlySoOftenWhateverTheNames) {
  for (std::uint32_t n = 0; n < TryThrottle::kPeerTries; ++n) {
    fail({"u-" + std::to_string(n), "192.0.2.7"});
  }
  EXPECT_EQ(wait({"somebody new", "192.0.2.7"}), TryThrottle::kPeerPause);
  EXPECT_EQ(wait({"somebody new", "192.0.2.8"}), Duration{});  // others do not pay for it
  EXPECT_EQ(wait({"somebody new"}), Duration{});
  now_ = now_ + TryThrottle::kPeerPause;
  EXPECT_EQ(wait({"somebody new", "192.0.2.7"}), Duration{});
}

TEST_F(TryThrottleTest, WhoeverSucceedsTakesNothingFromTheOthers) {
  for (int n = 0; n < 500; ++n) succeed({"u-1", "192.0.2.7"});
  EXPECT_EQ(wait({"u-2", "192.0.2.7"}), Duration{});
  EXPECT_EQ(wait({"u-1", "192.0.2.8"}), Duration{});
}

TEST_F(TryThrottleTest, GuessingElsewhereDelaysNobodyAtTheirOwnPc) {
  const TryOf own{"u-1", "192.0.2.7"};
  succeed(own);
  for (int peer = 0; peer < 100; ++peer) fail({"u-1", "198.51.100." + std::to_string(peer)}, 9);
  EXPECT_EQ(wait(own), Duration{});
  EXPECT_EQ(wait({"u-1"}), Duration{});
  // Nor after a start.
  TryThrottle after(kept_);
  after.load(now_);
  for (int peer = 0; peer < 100; ++peer) {
    after.begun({"u-1", "203.0.113." + std::to_string(peer)}, now_);
  }
  EXPECT_EQ(after.wait(own, now_), Duration{});
  // At a PC of others it takes a short while, however long somebody has been at it.
  EXPECT_GT(after.wait({"u-1", "192.0.2.99"}, now_), Duration{});
  EXPECT_LE(after.wait({"u-1", "192.0.2.99"}, now_), minutes(2));
}

TEST_F(TryThrottleTest, GuessingFromManyPeersIsNoFaster) {
  int tries = 0;
  const MonotonicTime begin = now_;
  for (int peer = 0; now_ - begin < hours(24); ++peer) {
    const TryOf what{"u-1", "peer-" + std::to_string(peer)};
    if (wait(what) > Duration{}) {
      now_ = now_ + seconds(30);
      continue;
    }
    fail(what);
    ++tries;
  }
  EXPECT_LE(tries, 20 + 24 * 30 + 1);
}

TEST_F(TryThrottleTest, OfWhereSomebodySignedInTheLastFewAreRemembered) {
  for (std::size_t n = 0; n <= TryThrottle::kOwnPeersMax; ++n) {
    succeed({"u-1", "192.0.2." + std::to_string(n)});
  }
  for (int peer = 0; peer < 30; ++peer) fail({"u-1", "198.51.100." + std::to_string(peer)});
  EXPECT_GT(wait({"u-1", "192.0.2.0"}), Duration{});
  EXPECT_EQ(wait({"u-1", "192.0.2.4"}), Duration{});
}

TEST_F(TryThrottleTest, ThroughMadeUpNamesNobodyIsForgiven) {
  fail({"u-1"}, 8);
  const Duration before = wait({"u-1"});
  for (int peer = 0; peer < 20; ++peer) {
    for (int n = 0; n < 60; ++n) {
      fail({"?" + std::to_string(peer * 60 + n), "peer-" + std::to_string(peer)});
    }
  }
  EXPECT_EQ(wait({"u-1"}), before);
  fail({"u-2"}, 5);
  EXPECT_EQ(wait({"u-2"}), TryThrottle::kFirstWait);
  TryThrottle after(kept_);
  after.load(now_);
  EXPECT_EQ(after.wait({"u-1"}, now_), before);
  EXPECT_LT(kept_.text.size(), 100u * (TryThrottle::kNobodyMax + 10));
}

TEST_F(TryThrottleTest, WhenMadeUpNamesFillTheirRoomTheRestShareOneCounter) {
  for (std::size_t n = 0; n < TryThrottle::kNobodyMax; ++n) {
    fail({"?" + std::to_string(n), "peer-" + std::to_string(n)}, 5);
  }
  EXPECT_EQ(wait({"?new", "192.0.2.7"}), Duration{});
  fail({"?new", "192.0.2.7"}, 3);
  fail({"?newer", "192.0.2.8"}, 2);
  EXPECT_EQ(wait({"?newest", "192.0.2.9"}), TryThrottle::kFirstWait);
  EXPECT_EQ(wait({"u-1", "192.0.2.9"}), Duration{});
  now_ = now_ + seconds(31);  // those that wait no longer make room
  EXPECT_EQ(wait({"?newest", "192.0.2.9"}), Duration{});
}

TEST_F(TryThrottleTest, WhoWaitsIsNeverDroppedForOthers) {
  std::size_t n = 0;
  for (; n < TryThrottle::kCountersMax; ++n) {
    begin({"u-" + std::to_string(n), "peer-" + std::to_string(n)}, 5);
  }
  const TryOf another{"u-1", "192.0.2.7"};
  fail(another, 12);
  EXPECT_EQ(wait({"u-0", "peer-0"}), TryThrottle::kFirstWait);
  EXPECT_EQ(wait({"u-999", "peer-999"}), TryThrottle::kFirstWait);
  // Without room for its own counter it counts among all who try that account.
  fail(another, 12);
  EXPECT_GT(wait(another), Duration{});
}

TEST_F(TryThrottleTest, ManyPeersAreBounded) {
  TryBudgets budgets(2, seconds(2));
  for (std::size_t n = 0; n < TryBudgets::kNamesMax; ++n) {
    budgets.take("peer-" + std::to_string(n), now_);
  }
  budgets.take("one more", now_);
  budgets.take("and another", now_);
  EXPECT_GT(budgets.wait("the next", now_), Duration{});
  EXPECT_EQ(budgets.wait("peer-0", now_), Duration{});
  now_ = now_ + seconds(2);  // full ones make room
  EXPECT_EQ(budgets.wait("the next", now_), Duration{});
}

}  // namespace
}  // namespace duhui::api
