#include "shared/merge/effective_time.h"

#include <algorithm>
#include <limits>

#include "shared/merge/hybrid_clock.h"

namespace duhui {
namespace {

/// Two readings of a wall clock that ran undisturbed differ from the monotonic clock by rounding
/// and drift only.
constexpr std::int64_t kUndisturbedMs = 1'000;

/// Evidence comes from peers: any 64-bit number may stand in it.
constexpr std::int64_t kMsMax = std::int64_t{1} << 60;

std::int64_t bounded(std::int64_t ms) { return std::clamp(ms, -kMsMax, kMsMax); }

std::int64_t bounded(std::uint64_t ms) {
  return static_cast<std::int64_t>(std::min(ms, static_cast<std::uint64_t>(kMsMax)));
}

std::int64_t distance(std::int64_t a, std::int64_t b) { return a < b ? b - a : a - b; }

bool is_near(std::int64_t a, std::int64_t b) { return distance(a, b) <= kClockSkewMax.ms; }

}  // namespace

bool is_skewed(const ClockReading& device, WallTime hub_at_reading) {
  return !is_near(bounded(device.wall.ms), bounded(hub_at_reading.ms));
}

EffectiveTime effective_time(const sync::v1::TimeEvidence& evidence,
                             const ClockReading& device,
                             WallTime hub_at_reading,
                             WallTime now) {
  const std::int64_t hub = bounded(hub_at_reading.ms);
  const std::int64_t offset = hub - bounded(device.wall.ms);
  const std::int64_t wall =
      bounded(HybridClock::milliseconds_of(evidence.hlc()) + bounded(evidence.wall_minus_hlc_ms()));
  const std::int64_t by_offset = wall + offset;
  const std::int64_t age = bounded(device.monotonic.ms) - bounded(evidence.monotonic_ms());
  const bool same_boot = evidence.boot() == device.boot && evidence.boot() != 0 && age >= 0;

  std::int64_t time = wall;
  auto quality = sync::v1::TIME_QUALITY_GOOD;
  if (same_boot && !(is_near(wall, hub - age) && !is_skewed(device, hub_at_reading))) {
    // Where both repairs agree the offset is used: it is the same for a whole run of ops.
    const std::int64_t by_monotonic = hub - age;
    time = distance(by_offset, by_monotonic) <= kUndisturbedMs ? by_offset : by_monotonic;
    quality = sync::v1::TIME_QUALITY_MONOTONIC;
  } else if (!same_boot && is_skewed(device, hub_at_reading)) {
    time = by_offset;
    quality = sync::v1::TIME_QUALITY_OFFSET;
  }

  const std::int64_t latest = std::max<std::int64_t>(bounded(now.ms), 0);
  const std::int64_t earliest = std::min(bounded(evidence.hub_seen_ms()), latest);
  const std::int64_t clamped = std::clamp(time, earliest, latest);
  // A clock within the tolerance may still be some seconds past a bound: that is no worse a time.
  if (!is_near(clamped, time)) quality = sync::v1::TIME_QUALITY_CLAMPED;
  return {WallTime{clamped}, quality};
}

}  // namespace duhui
