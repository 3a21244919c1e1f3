#include "agent/core/hub_clock.h"

namespace duhui::agent {
namespace {

bool agree(WallTime a, WallTime b) { return a - b < HubClock::kAgree && b - a < HubClock::kAgree; }

}  // namespace

void HubClock::said(WallTime hub, const ClockReading& device) {
  if (hub.ms <= 0) return;
  if (const auto expected = time(device); expected && !agree(*expected, hub)) {
    if (hub < *expected) return;  // said some time ago: a road held it up
    jumped_ = true;
  }
  hub_ = hub;
  device_ = device;
}

std::optional<WallTime> HubClock::time(const ClockReading& device) const {
  if (!hub_ || device.boot != device_.boot || device.monotonic < device_.monotonic) {
    return std::nullopt;
  }
  return *hub_ + (device.monotonic - device_.monotonic);
}

std::optional<WallTime> HubClock::beyond_doubt(const ClockReading& device) const {
  const auto shown = time(device);
  if (!shown || jumped_ || !agree(*shown, device.wall)) return std::nullopt;
  return shown;
}

}  // namespace duhui::agent
