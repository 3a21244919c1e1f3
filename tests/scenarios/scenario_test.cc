#include <cstdio>
#include <filesystem>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/scenarios/core_factory.h"
#include "tests/scenarios/known_gaps.h"
#include "tests/scenarios/scenario_run.h"

namespace duhui::scenarios {
namespace {

/// Over all scenarios of this program, for the report at the end.
std::map<std::string, std::size_t>& skipped() {
  static std::map<std::string, std::size_t> all;
  return all;
}

class ReportSkipped : public ::testing::Environment {
 public:
  void TearDown() override {
    for (const auto& [key, count] : skipped()) {
      std::printf("not checked: %s (%zu expectations)\n", key.c_str(), count);
    }
  }
};
const ::testing::Environment* const kReport =
    ::testing::AddGlobalTestEnvironment(new ReportSkipped);

class CoreScenario : public ::testing::TestWithParam<std::string> {};

TEST_P(CoreScenario, HoldsInEveryOrder) {
  const Scenario scenario = read_scenario(GetParam());
  const auto fresh_universe = core_universes(scenario);
  std::set<std::string> failures;
  std::size_t checked = 0;
  for (const Schedule& schedule : schedules_of(scenario)) {
    const auto universe = fresh_universe();
    const Findings findings = run_scenario(scenario, schedule, *universe);
    checked += findings.checked;
    if (schedule.written_order && !schedule.settle_backwards && !schedule.every_sync_twice &&
        !schedule.restart_between) {
      for (const auto& [key, count] : findings.skipped) skipped()[key] += count;
    }
    for (const std::string& failure : findings.failures) {
      if (is_known_gap(scenario.id, failure)) {
        failures.insert(failure);
        continue;
      }
      ADD_FAILURE() << scenario.id << " (" << schedule.name << "): " << failure;
    }
  }
  EXPECT_GT(checked, 0u);
  for (const std::string& gap : gaps_without_failure(scenario.id, failures)) {
    ADD_FAILURE() << scenario.id << ": is listed as a known gap, but holds: " << gap;
  }
  std::printf("%s: %zu comparisons, %zu known gaps met\n", scenario.id.c_str(), checked,
              failures.size());
}

std::string name_of(const ::testing::TestParamInfo<std::string>& info) {
  return std::filesystem::path(info.param).stem().string().substr(0, 3);
}

INSTANTIATE_TEST_SUITE_P(Files, CoreScenario, ::testing::ValuesIn(scenario_files()), name_of);

}  // namespace
}  // namespace duhui::scenarios
