#include "agent/core/hub_clock.h"

#include <gtest/gtest.h>

namespace duhui::agent {
namespace {

constexpr WallTime kHub{1'763'000'000'000};

ClockReading at(std::int64_t monotonic_ms, Duration off = {}, std::uint32_t boot = 1) {
  return {
      .wall = kHub + milliseconds(monotonic_ms) + off, .monotonic = {monotonic_ms}, .boot = boot};
}

TEST(HubClock, KnowsNothingBeforeTheHubHasSpokenAndAfterTheComputerStartedAgain) {
  HubClock clock;
  EXPECT_FALSE(clock.time(at(5)));
  clock.said(kHub, at(0));
  EXPECT_EQ(clock.time(at(5)), kHub + milliseconds(5));
  EXPECT_FALSE(clock.time(at(5, {}, 2)));
}

TEST(HubClock, GoesOnWhateverTheWallClockShows) {
  HubClock clock;
  clock.said(kHub, at(0, days(-9000)));
  EXPECT_EQ(clock.time(at(60'000, days(9000))), kHub + minutes(1));
}

TEST(HubClock, IsInDoubtWhileTheTwoClocksDisagree) {
  HubClock clock;
  clock.said(kHub, at(0));
  EXPECT_EQ(clock.beyond_doubt(at(1000)), kHub + seconds(1));
  EXPECT_FALSE(clock.beyond_doubt(at(1000, minutes(3))));
  EXPECT_FALSE(clock.beyond_doubt(at(1000, minutes(-3))));
}

TEST(HubClock, IsInDoubtOnceTheHubsClockHasJumped) {
  HubClock clock;
  clock.said(kHub, at(0));
  clock.said(kHub + days(40), at(1000));
  EXPECT_EQ(clock.time(at(1000)), kHub + days(40));
  EXPECT_FALSE(clock.beyond_doubt(at(1000, days(40))));
}

TEST(HubClock, AWordThatCameLateTurnsNothingBack) {
  HubClock clock;
  clock.said(kHub + minutes(10), at(600'000));
  clock.said(kHub, at(700'000));
  EXPECT_EQ(clock.time(at(700'000)), kHub + milliseconds(700'000));
  EXPECT_TRUE(clock.beyond_doubt(at(700'000)));
}

}  // namespace
}  // namespace duhui::agent
