#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/base/time.h"

namespace duhui::scenarios {

using Json = nlohmann::json;

/// One file of tests/data/scenarios or tests/scenarios/more.
struct Scenario {
  std::string id;  // "S01-different-items"
  std::vector<std::string> agents;
  std::vector<std::string> schools;  // that any device of it works with
  std::vector<Json> steps;           // step n at n - 1
  std::vector<Json> expectations;
  std::vector<std::vector<int>> permute;
  std::string also_holds;  // in words
};

/// What happens when: the steps in some order, and what a careless world adds.
struct Schedule {
  std::string name;
  std::vector<int> order;         // step numbers
  bool written_order = true;      // expectations inside the run are checked
  bool settle_backwards = false;  // the settling syncs in the opposite order of agents
  bool every_sync_twice = false;
  bool restart_between = false;  // every process, between any two steps
};

/// All files, in order of their names within each folder.
std::vector<std::string> scenario_files();
Scenario read_scenario(const std::string& file);

/// 1, 2, 3 ...
std::vector<int> in_written_order(const Scenario& scenario);

/// Every order of the permute groups, and each kind of carelessness that must not matter.
std::vector<Schedule> schedules_of(const Scenario& scenario);

/// "2025-10-09T08:35:00+08:00". Throws on any other text.
WallTime parse_time(const std::string& text);

}  // namespace duhui::scenarios
