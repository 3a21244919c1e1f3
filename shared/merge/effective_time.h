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

/// The hub's stamp for an op (docs/merge.md, "Time"), from its evidence and the `device`'s reading
/// at hub time `hub_at_reading`:
///   clock agrees (within kClockSkewMax), also at the op's own time if the boot is the same -> good
///   same boot, clock wrong or moved since -> counted back by the monotonic clock -> monotonic
///   other boot, clock wrong -> the measured offset -> offset
/// and then clamped to [evidence.hub_seen_ms, now]; a clamp by more than kClockSkewMax -> clamped.
/// Boot 0 means unknown. Any evidence is accepted.
EffectiveTime effective_time(const sync::v1::TimeEvidence& evidence,
                             const ClockReading& device,
                             WallTime hub_at_reading,
                             WallTime now);

/// Whether a device's clock is off by more than kClockSkewMax.
bool is_skewed(const ClockReading& device, WallTime hub_at_reading);

}  // namespace duhui
