#include "shared/merge/hybrid_clock.h"

#include <algorithm>

namespace duhui {
namespace {

/// Year 6429. No wall clock moves the stamp past it, so that counting on can never overflow.
constexpr std::int64_t kFollowedMsMax = std::int64_t{1} << 47;
constexpr std::int64_t kEvidenceMsMax = std::int64_t{1} << 60;

}  // namespace

std::uint64_t HybridClock::tick(WallTime wall) {
  const std::int64_t ms = std::clamp<std::int64_t>(wall.ms, 0, kFollowedMsMax);
  // A full counter carries into the milliseconds: still greater than every stamp before.
  last_ = std::max(static_cast<std::uint64_t>(ms) << 16, last_ + 1);
  return last_;
}

sync::v1::TimeEvidence make_evidence(std::uint64_t hlc,
                                     const ClockReading& clock,
                                     WallTime hub_seen) {
  sync::v1::TimeEvidence evidence;
  evidence.set_hlc(hlc);
  const std::int64_t wall = std::clamp(clock.wall.ms, -kEvidenceMsMax, kEvidenceMsMax);
  evidence.set_wall_minus_hlc_ms(wall - HybridClock::milliseconds_of(hlc));
  evidence.set_boot(clock.boot);
  evidence.set_monotonic_ms(
      static_cast<std::uint64_t>(std::max<std::int64_t>(clock.monotonic.ms, 0)));
  evidence.set_hub_seen_ms(static_cast<std::uint64_t>(std::max<std::int64_t>(hub_seen.ms, 0)));
  return evidence;
}

}  // namespace duhui
