#pragma once

#include <optional>

#include "shared/base/time.h"

namespace duhui::agent {

/// What time it is, by the hub's clock and this computer's monotonic one: the wall clock of a
/// school's PC may show any year. Known from the first word of the hub in this run on.
class HubClock {
 public:
  /// The hub has just said what its clock shows.
  void said(WallTime hub, const ClockReading& device);
  /// Empty: the hub has not been heard since the computer started.
  std::optional<WallTime> time(const ClockReading& device) const;
  /// The same, if nothing speaks against it: the device's own clock agrees, and the hub's has not
  /// jumped. What is done because time has passed is done by this alone.
  std::optional<WallTime> beyond_doubt(const ClockReading& device) const;

  /// Two clocks that differ by less agree.
  static constexpr Duration kAgree = minutes(2);

 private:
  std::optional<WallTime> hub_;
  ClockReading device_;  // when the hub said it
  bool jumped_ = false;
};

}  // namespace duhui::agent
