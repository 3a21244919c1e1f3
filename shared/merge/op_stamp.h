#pragma once

#include <cstdint>

#include "duhui/sync/v1/op.pb.h"

namespace duhui {

/// What ties between concurrent writes are decided by. Made by the hub when it first takes an op
/// and used by every replica; until then a device uses a provisional one of its own.
struct OpStamp {
  /// Milliseconds since 1970, UTC; repaired and clamped by the hub (effective_time.h).
  std::int64_t effective_ms = 0;
  sync::v1::TimeQuality quality = sync::v1::TIME_QUALITY_PROVISIONAL;
  /// duhui.record.v1.Writer of the person, as the hub knows it; higher overrules.
  std::uint32_t rank = 0;
  /// Written at the hub.
  bool at_hub = false;
  /// By a person without authority for it, as the hub knows: shown as a proposal, replaces nothing.
  bool proposal = false;

  friend bool operator==(const OpStamp&, const OpStamp&) = default;
};

}  // namespace duhui
