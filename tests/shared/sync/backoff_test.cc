#include "shared/sync/backoff.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace duhui {
namespace {

/// The longest delay of many draws from the state `backoff` is in.
Duration longest(const Backoff& backoff) {
  SeededRandom random(7);
  Duration most{};
  for (int n = 0; n < 2'000; ++n) {
    Backoff copy = backoff;
    most = std::max(most, copy.next(random));
  }
  return most;
}

TEST(Backoff, DrawsFromTheWholeRangeUpToTheCeiling) {
  SeededRandom random(1);
  const Backoff fresh;
  Duration least = sync_limits::kBackoffMax;
  Duration most{};
  for (int n = 0; n < 2'000; ++n) {
    Backoff copy = fresh;
    const Duration drawn = copy.next(random);
    least = std::min(least, drawn);
    most = std::max(most, drawn);
    EXPECT_LE(drawn, sync_limits::kBackoffMin);
  }
  EXPECT_LT(least.ms, sync_limits::kBackoffMin.ms / 20);
  EXPECT_GT(most.ms, sync_limits::kBackoffMin.ms * 19 / 20);
}

TEST(Backoff, DoublesItsCeilingUpToTheLimit) {
  SeededRandom random(2);
  Backoff backoff;
  Duration before = longest(backoff);
  for (int n = 0; n < 8; ++n) {
    static_cast<void>(backoff.next(random));
    const Duration now = longest(backoff);
    EXPECT_GT(now.ms, before.ms * 3 / 2);
    before = now;
  }
  for (int n = 0; n < 50; ++n) EXPECT_LE(backoff.next(random), sync_limits::kBackoffMax);
  EXPECT_GT(longest(backoff).ms, sync_limits::kBackoffMax.ms * 19 / 20);
}

TEST(Backoff, BeginsAnewAfterADurableAckOnly) {
  SeededRandom random(3);
  Backoff backoff;
  for (int n = 0; n < 20; ++n) static_cast<void>(backoff.next(random));
  backoff.hub_asked(seconds(1));
  static_cast<void>(backoff.next(random));
  EXPECT_GT(longest(backoff), minutes(5));  // being asked to wait is no success
  backoff.durable_ack();
  EXPECT_LE(longest(backoff), sync_limits::kBackoffMin);
}

TEST(Backoff, WaitsOnceAtLeastWhatTheHubAskedFor) {
  SeededRandom random(4);
  Backoff backoff;
  backoff.hub_asked(seconds(30));
  EXPECT_GE(backoff.next(random), seconds(30));
  EXPECT_LE(backoff.next(random), sync_limits::kBackoffMin * 2);
}

}  // namespace
}  // namespace duhui
