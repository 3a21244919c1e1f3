#pragma once

#include <cstdint>

#include "duhui/sync/v1/op.pb.h"
#include "shared/base/time.h"

namespace duhui {

/// Hybrid logical clock (Kulkarni et al. 2014): 48-bit milliseconds and a 16-bit counter in one
/// number. Monotone as long as the caller persists `last()` with what it stamped and gives it back
/// at the next start. Not thread-safe.
class HybridClock {
 public:
  explicit HybridClock(std::uint64_t last = 0) : last_(last) {}

  /// The next stamp, greater than every one before, close to `wall` where it can be. A clock that
  /// jumped to the far future is not followed back: it only counts.
  std::uint64_t tick(WallTime wall);

  std::uint64_t last() const { return last_; }

  static std::int64_t milliseconds_of(std::uint64_t hlc) {
    return static_cast<std::int64_t>(hlc >> 16);
  }

 private:
  std::uint64_t last_;
};

/// Evidence for one op, from both clocks and the newest hub time received (0 ms: none).
sync::v1::TimeEvidence make_evidence(std::uint64_t hlc,
                                     const ClockReading& clock,
                                     WallTime hub_seen);

}  // namespace duhui
