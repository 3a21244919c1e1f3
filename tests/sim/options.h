#pragma once

#include <cstdint>
#include <string>

#include "shared/base/random.h"

namespace duhui::sim {

/// Which faults one universe has. Drawn from the seed: every universe has its own mixture, so that
/// no fault hides behind another.
struct Faults {
  bool delay = false;        // frames take up to seconds
  bool cut = false;          // links break at any frame
  bool half_open = false;    // one side does not notice
  bool loss = false;         // one direction of a link swallows everything from some frame on
  bool duplicate = false;    // a frame arrives twice
  bool partition = false;    // an agent cannot connect for hours
  bool agent_crash = false;  // the process dies between any two events
  bool power_cut = false;    // a PC that dies takes what its disk had not synced with it
  bool hub_crash = false;
  bool commit_fails = false;  // the disk refuses a commit; whether it is there is the disk's secret
  bool disk_full = false;
  bool clock_step = false;  // 1970, 2035, and anything between
  bool disk_rolled_back = false;
  bool device_cloned = false;
  bool sticks = false;        // bundles are carried by hand, whole or in part, late and twice
  bool hub_restored = false;  // the hub's database is replaced by an older copy
};

struct Options {
  std::uint64_t seed = 1;
  std::uint32_t agents = 3;
  std::uint32_t edits = 60;
  bool files = false;  // photos with content
  bool vault = false;  // a supervisor has an account: devices lock what the school may not read
  Faults faults;

  static Options from_seed(std::uint64_t seed);
  std::string describe() const;
};

}  // namespace duhui::sim
