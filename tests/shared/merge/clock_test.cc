#include <limits>

#include <gtest/gtest.h>

#include "shared/merge/effective_time.h"
#include "shared/merge/hybrid_clock.h"

namespace duhui {
namespace {

constexpr WallTime kNow{1'760'000'000'000};  // October 2025
constexpr WallTime k1970{0};
constexpr WallTime k2010{1'262'304'000'000};
constexpr WallTime k2035{2'051'222'400'000};
constexpr WallTime k2099{4'070'908'800'000};

TEST(HybridClock, FollowsAClockThatRuns) {
  HybridClock clock;
  const auto first = clock.tick(kNow);
  EXPECT_EQ(HybridClock::milliseconds_of(first), kNow.ms);
  EXPECT_EQ(clock.tick(kNow), first + 1);
  EXPECT_EQ(HybridClock::milliseconds_of(clock.tick(kNow + seconds(1))), kNow.ms + 1'000);
}

TEST(HybridClock, IsMonotoneWhateverTheWallClockShows) {
  HybridClock clock;
  std::uint64_t last = 0;
  for (const WallTime wall : {kNow, k1970, k2099, kNow, WallTime{-5}, k2010,
                              WallTime{std::numeric_limits<std::int64_t>::max()}, kNow,
                              WallTime{std::numeric_limits<std::int64_t>::min()}}) {
    for (int again = 0; again < 3; ++again) {
      const std::uint64_t stamp = clock.tick(wall);
      EXPECT_GT(stamp, last);
      last = stamp;
    }
  }
}

TEST(HybridClock, AFullCounterCarriesIntoTheMilliseconds) {
  HybridClock clock((static_cast<std::uint64_t>(kNow.ms) << 16) | 0xffff);
  const std::uint64_t next = clock.tick(kNow);
  EXPECT_EQ(HybridClock::milliseconds_of(next), kNow.ms + 1);
}

TEST(HybridClock, GoesOnWhereTheLastStartStopped) {
  HybridClock before;
  const auto last = before.tick(k2099);
  HybridClock after(before.last());
  EXPECT_EQ(after.tick(kNow), last + 1);
}

/// A device whose wall clock shows `wall` while the hub's shows `kNow`.
struct Device {
  WallTime wall;
  std::uint32_t boot = 7;
  HybridClock clock = HybridClock();

  ClockReading reading() const { return {wall, MonotonicTime{3'600'000}, boot}; }
  /// Evidence for an op saved `age` ago in the same run of the clocks.
  sync::v1::TimeEvidence saved(Duration age, WallTime hub_seen = {}) {
    const ClockReading then{wall - age, MonotonicTime{3'600'000 - age.ms}, boot};
    return make_evidence(clock.tick(then.wall), then, hub_seen);
  }
  EffectiveTime stamped(const sync::v1::TimeEvidence& evidence, std::uint32_t boot_now = 7) const {
    ClockReading now = reading();
    now.boot = boot_now;
    return effective_time(evidence, now, kNow, kNow);
  }
};

TEST(EffectiveTime, OfAGoodClockIsTheDevicesTime) {
  Device device{kNow - seconds(3)};
  const EffectiveTime time = device.stamped(device.saved(minutes(10)));
  EXPECT_EQ(time.time.ms, (device.wall - minutes(10)).ms);
  EXPECT_EQ(time.quality, sync::v1::TIME_QUALITY_GOOD);
}

TEST(EffectiveTime, OfTheSameBootIsCountedBackByTheMonotonicClock) {
  for (const WallTime wall : {k1970, k2010, k2035, k2099}) {
    Device device{wall};
    const EffectiveTime time = device.stamped(device.saved(minutes(10)));
    EXPECT_EQ(time.time.ms, (kNow - minutes(10)).ms);
    EXPECT_EQ(time.quality, sync::v1::TIME_QUALITY_MONOTONIC);
  }
}

TEST(EffectiveTime, SurvivesAClockThatWasSetRightAfterTheSave) {
  Device device{k2035};
  const auto evidence = device.saved(minutes(10));
  device.wall = kNow;
  const EffectiveTime time = device.stamped(evidence);
  EXPECT_EQ(time.time.ms, (kNow - minutes(10)).ms);
  EXPECT_EQ(time.quality, sync::v1::TIME_QUALITY_MONOTONIC);
}

TEST(EffectiveTime, OfAnotherBootIsRepairedByTheMeasuredOffset) {
  Device device{k2010};
  const EffectiveTime time = device.stamped(device.saved(minutes(10)), 8);
  EXPECT_EQ(time.time.ms, (kNow - minutes(10)).ms);
  EXPECT_EQ(time.quality, sync::v1::TIME_QUALITY_OFFSET);
}

TEST(EffectiveTime, NeverLiesBeforeTheHubTimeTheDeviceHadSeen) {
  Device device{k2010};
  const auto evidence = device.saved(minutes(10), kNow - days(2));
  device.wall = kNow;  // set right since, and restarted: nothing tells how wrong it was
  const EffectiveTime time = device.stamped(evidence, 8);
  EXPECT_EQ(time.time.ms, (kNow - days(2)).ms);
  EXPECT_EQ(time.quality, sync::v1::TIME_QUALITY_CLAMPED);
}

TEST(EffectiveTime, NeverLiesAfterTheHubsNow) {
  Device device{k2035};
  const auto evidence = device.saved(minutes(10));
  device.wall = kNow;
  const EffectiveTime time = device.stamped(evidence, 8);
  EXPECT_EQ(time.time.ms, kNow.ms);
  EXPECT_EQ(time.quality, sync::v1::TIME_QUALITY_CLAMPED);
}

TEST(EffectiveTime, AFewSecondsPastNowStayGood) {
  Device device{kNow + seconds(20)};
  const EffectiveTime time = device.stamped(device.saved(seconds(1)));
  EXPECT_EQ(time.time.ms, kNow.ms);
  EXPECT_EQ(time.quality, sync::v1::TIME_QUALITY_GOOD);
}

TEST(EffectiveTime, AcceptsAnyEvidence) {
  const auto most = std::numeric_limits<std::uint64_t>::max();
  const auto top = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t shift :
       {std::numeric_limits<std::int64_t>::min(), std::int64_t{0}, top}) {
    for (const std::uint64_t number : {std::uint64_t{0}, most / 2, most}) {
      sync::v1::TimeEvidence evidence;
      evidence.set_hlc(number);
      evidence.set_wall_minus_hlc_ms(shift);
      evidence.set_boot(7);
      evidence.set_monotonic_ms(number);
      evidence.set_hub_seen_ms(number);
      for (const std::int64_t wall : {std::numeric_limits<std::int64_t>::min(), top}) {
        const ClockReading reading{WallTime{wall}, MonotonicTime{wall}, 7};
        const EffectiveTime time = effective_time(evidence, reading, kNow, kNow);
        EXPECT_GE(time.time.ms, 0);
        EXPECT_LE(time.time.ms, kNow.ms);
      }
    }
  }
}

TEST(Skew, BeginsPastTheTolerance) {
  EXPECT_FALSE(is_skewed({kNow + kClockSkewMax, {}, 1}, kNow));
  EXPECT_TRUE(is_skewed({kNow + kClockSkewMax + milliseconds(1), {}, 1}, kNow));
  EXPECT_TRUE(is_skewed({k1970, {}, 1}, kNow));
}

}  // namespace
}  // namespace duhui
