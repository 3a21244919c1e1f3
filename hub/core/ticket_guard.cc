#include "hub/core/ticket_guard.h"

#include <algorithm>

namespace duhui::hub {

Duration TicketGuard::wait(const std::string& source, MonotonicTime now) const {
  const auto known = source.empty() ? sources_.end() : sources_.find(source);
  const bool remembered = known != sources_.end() && !forgotten(known->second, now);
  Duration left{};
  if (remembered) left = std::max(left, known->second.closed_until - now);
  const bool clean = !source.empty() && !remembered &&
                     (known != sources_.end() || sources_.size() < limits_.sources_max);
  if (!clean) left = std::max(left, overall_.closed_until - now);
  return left;
}

void TicketGuard::wrong(const std::string& source, MonotonicTime now) {
  count(overall_, now, limits_.overall_free, limits_.overall_pause_first,
        limits_.overall_pause_max);
  if (source.empty()) return;
  if (!sources_.contains(source)) make_room(now);
  if (!sources_.contains(source) && sources_.size() >= limits_.sources_max) return;
  count(sources_[source], now, limits_.source_free, limits_.source_pause_first,
        limits_.source_pause_max);
}

void TicketGuard::count(
    Tries& tries, MonotonicTime now, std::uint32_t free, Duration first, Duration most) const {
  if (tries.wrong > 0 && forgotten(tries, now)) tries = Tries{};
  tries.last = now;
  ++tries.wrong;
  if (tries.wrong <= free) return;
  Duration pause = first;
  for (std::uint32_t n = free + 1; n < tries.wrong && pause < most; ++n) pause = pause * 2;
  tries.closed_until = now + std::min(pause, most);
}

void TicketGuard::make_room(MonotonicTime now) {
  if (sources_.size() < limits_.sources_max) return;
  std::erase_if(sources_, [&](const auto& one) { return forgotten(one.second, now); });
}

}  // namespace duhui::hub
