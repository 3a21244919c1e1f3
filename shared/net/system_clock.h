#pragma once

#include <cstdint>
#include <string>

#include "shared/base/time.h"

namespace duhui::net {

/// The clocks of this machine.
///
/// For drills of wrong clocks, the file named by the environment variable DUHUI_CLOCK_OFFSET_FILE
/// may hold milliseconds to add to the wall clock; it is read again at each call. Any thread.
class SystemClock {
 public:
  /// Reads the environment and the boot id once.
  SystemClock();

  ClockReading read() const;
  WallTime wall() const;
  /// Runs on while the machine sleeps.
  MonotonicTime monotonic() const;

 private:
  std::string offset_file_;  // empty: none
  std::uint32_t boot_ = 0;
};

}  // namespace duhui::net
