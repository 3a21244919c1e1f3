#include "tests/sim/options.h"

namespace duhui::sim {

Options Options::from_seed(std::uint64_t seed) {
  SeededRandom random(seed * 0x9e3779b97f4a7c15ull + 1);
  Options options;
  options.seed = seed;
  options.agents = 2 + static_cast<std::uint32_t>(random.below(4));
  options.edits = 20 + static_cast<std::uint32_t>(random.below(80));
  const auto one_in = [&](std::uint64_t n) { return random.below(n) == 0; };
  Faults& f = options.faults;
  f.delay = one_in(2);
  f.cut = one_in(2);
  f.half_open = one_in(4);
  f.duplicate = one_in(3);
  f.partition = one_in(3);
  f.agent_crash = one_in(2);
  f.hub_crash = one_in(3);
  f.commit_fails = one_in(3);
  f.disk_full = one_in(5);
  f.clock_step = one_in(2);
  f.disk_rolled_back = one_in(4);
  f.device_cloned = one_in(5);
  // Both at once can take an op from everybody who could prove it.
  f.hub_restored = one_in(5) && !f.disk_rolled_back && !f.device_cloned;
  // Likewise: what only this device had of the hub's own.
  f.power_cut = one_in(2) && !f.hub_restored;
  f.loss = one_in(4);
  options.vault = one_in(2);
  options.files = one_in(2);
  f.sticks = one_in(2);
  return options;
}

std::string Options::describe() const {
  std::string text = "agents=" + std::to_string(agents) + " edits=" + std::to_string(edits);
  const auto add = [&](bool on, const char* name) {
    if (on) text += std::string(" ") + name;
  };
  add(vault, "vault");
  add(files, "files");
  add(faults.delay, "delay");
  add(faults.cut, "cut");
  add(faults.half_open, "half_open");
  add(faults.loss, "loss");
  add(faults.duplicate, "duplicate");
  add(faults.partition, "partition");
  add(faults.agent_crash, "agent_crash");
  add(faults.power_cut, "power_cut");
  add(faults.hub_crash, "hub_crash");
  add(faults.commit_fails, "commit_fails");
  add(faults.disk_full, "disk_full");
  add(faults.clock_step, "clock_step");
  add(faults.disk_rolled_back, "disk_rolled_back");
  add(faults.device_cloned, "device_cloned");
  add(faults.sticks, "sticks");
  add(faults.hub_restored, "hub_restored");
  return text;
}

}  // namespace duhui::sim
