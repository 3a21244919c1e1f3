#pragma once

#include <cstdint>
#include <string>

#include "shared/base/time.h"

namespace duhui::net {

/// The clocks of this machine.
///
/// For drills of wrong clocks and of time passing, the file named by the environment variable
/// DUHUI_CLOCK_OFFSET_FILE may hold milliseconds to add to the wall clock and, after one blank, to
/// the monotonic clock; it is read again at each call. The second number must not get smaller while
/// a program runs. Any thread.
class SystemClock {
 public:
  /// Reads the environment and the boot id once.
  SystemClock();

  ClockReading read() const;
  WallTime wall() const;
  /// Runs on while the machine sleeps.
  MonotonicTime monotonic() const;

 private:
  struct Drill {
    Duration wall;
    Duration monotonic;
  };
  Drill drill() const;

  std::string offset_file_;  // empty: none
  std::uint32_t boot_ = 0;
};

}  // namespace duhui::net
