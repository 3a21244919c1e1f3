#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "shared/base/time.h"

namespace duhui::hub {

/// All numbers of the protection against guessed enrolment tickets.
struct TicketGuardLimits {
  /// From one source address: so many wrong tries cost nothing, each further one doubles the pause.
  std::uint32_t source_free = 5;
  Duration source_pause_first = seconds(2);
  Duration source_pause_max = minutes(1);
  /// From all addresses together. A source that has shown no wrong ticket lately is let through
  /// this one, so that nobody can keep a school out by guessing from elsewhere.
  std::uint32_t overall_free = 50;
  Duration overall_pause_first = seconds(1);
  Duration overall_pause_max = seconds(10);
  /// Without a wrong try for so long, all is forgotten.
  Duration forget_after = minutes(15);
  /// Addresses remembered; beyond it an unknown one counts as one that has been wrong.
  std::size_t sources_max = 4096;
};

/// Slows down whoever shows wrong tickets. Guessing 128 bits is hopeless anyway; this keeps a
/// storm of tries from occupying the hub, and it shows. An honest device behind the same address is
/// refused for `source_pause_max` at most and then judged. Devices that are enrolled already show
/// nothing to guess and are not concerned.
class TicketGuard {
 public:
  explicit TicketGuard(TicketGuardLimits limits = {}) : limits_(limits) {}

  /// How long tickets from there are not looked at; zero: they are. `source` empty: not known.
  Duration wait(const std::string& source, MonotonicTime now) const;
  /// A ticket from there was unknown, malformed or had a wrong secret. One that is used up, revoked
  /// or expired is no wrong try: whoever shows it knows its secret.
  void wrong(const std::string& source, MonotonicTime now);

  std::size_t sources() const { return sources_.size(); }

 private:
  struct Tries {
    std::uint32_t wrong = 0;
    MonotonicTime last{};
    MonotonicTime closed_until{};
  };

  bool forgotten(const Tries& tries, MonotonicTime now) const {
    return now - tries.last >= limits_.forget_after;
  }
  void count(
      Tries& tries, MonotonicTime now, std::uint32_t free, Duration first, Duration most) const;
  void make_room(MonotonicTime now);

  const TicketGuardLimits limits_;
  Tries overall_;
  std::map<std::string, Tries> sources_;
};

}  // namespace duhui::hub
