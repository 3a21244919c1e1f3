#include "tests/scenarios/every_order.h"

#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <vector>

#include "tests/scenarios/also_holds.h"
#include "tests/scenarios/known_gaps.h"
#include "tests/scenarios/scenario_run.h"

namespace duhui::scenarios {
namespace {

/// Over all scenarios of this program, for the report at the end.
struct NotChecked {
  std::map<std::string, std::map<std::string, std::size_t>> keys;  // to scenarios and how often
  std::vector<std::string> words;
};
NotChecked& not_checked() {
  static NotChecked all;
  return all;
}

class ReportNotChecked : public ::testing::Environment {
 public:
  void TearDown() override {
    for (const auto& [key, scenarios] : not_checked().keys) {
      std::string where;
      std::size_t all = 0;
      for (const auto& [scenario, count] : scenarios) {
        where += " " + scenario.substr(0, 3);
        all += count;
      }
      std::printf("not checked: %s (%zu expectations of%s)\n", key.c_str(), all, where.c_str());
    }
    for (const std::string& words : not_checked().words) {
      std::printf("not played: %s\n", words.c_str());
    }
  }
};
const ::testing::Environment* const kReport =
    ::testing::AddGlobalTestEnvironment(new ReportNotChecked);

}  // namespace

void play_in_every_order(const std::string& file,
                         const std::function<FreshUniverse(const Scenario&)>& universes) {
  const Scenario scenario = read_scenario(file);
  const FreshUniverse fresh_universe = universes(scenario);
  std::set<std::string> failures;
  std::size_t checked = 0;
  const std::vector<Play> plays = plays_of(scenario);
  for (const Play& play : plays) {
    const auto universe = fresh_universe();
    const Findings findings = run_scenario(play.scenario, play.schedule, *universe);
    checked += findings.checked;
    if (&play == &plays.front()) {
      for (const auto& [key, count] : findings.skipped)
        not_checked().keys[key][scenario.id] += count;
    }
    for (const std::string& failure : findings.failures) {
      if (is_known_gap(scenario.id, failure)) {
        failures.insert(failure);
        continue;
      }
      ADD_FAILURE() << scenario.id << " (" << play.schedule.name << "): " << failure;
    }
  }
  EXPECT_GT(checked, 0u);
  for (const std::string& gap : gaps_without_failure(scenario.id, failures)) {
    ADD_FAILURE() << scenario.id << ": is listed as a known gap, but holds: " << gap;
  }
  for (std::string& words : words_not_played(scenario)) {
    not_checked().words.push_back(std::move(words));
  }
  std::printf("%s: played %zu times, %zu comparisons, %zu known gaps met\n", scenario.id.c_str(),
              plays.size(), checked, failures.size());
}

std::string name_of(const ::testing::TestParamInfo<std::string>& file) {
  return std::filesystem::path(file.param).stem().string().substr(0, 3);
}

}  // namespace duhui::scenarios
