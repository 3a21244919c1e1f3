#pragma once

#include "duhui/sync/v1/op.pb.h"
#include "shared/base/time.h"

namespace duhui {

/// Past this, a device's clock is wrong, not late.
inline constexpr Duration kClockSkewMax = minutes(2);

/// Repaired time of an op and how good it is.
struct EffectiveTime {
  WallTime time;
  sync::v1::TimeQuality quality = sync::v1::TIME_QUALITY_UNSPECIFIED;
};

/// The hub's stamp for an op (sync.md section 5): the device's time, repaired by the offset measured
/// when it connected (`device` is its reading at hub time `hub_at_reading`), clamped to
/// [evidence.hub_seen_ms, now]. Same boot: by the monotonic clock.
EffectiveTime effective_time(const sync::v1::TimeEvidence& evidence, const ClockReading& device,
                             WallTime hub_at_reading, WallTime now);

/// Whether a device's clock is off by more than kClockSkewMax.
bool is_skewed(const ClockReading& device, WallTime hub_at_reading);

}  // namespace duhui
