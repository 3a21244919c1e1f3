#include "tests/scenarios/scenario_run.h"

#include <algorithm>
#include <set>

#include "tests/scenarios/json_match.h"
#include "tests/scenarios/player.h"

namespace duhui::scenarios {
namespace {

/// Steps that the scenario says are refused.
std::set<int> refused_steps(const Scenario& scenario) {
  std::set<int> steps;
  for (const Json& expectation : scenario.expectations) {
    if (expectation.value("rejected", false)) steps.insert(expectation.at("step").get<int>());
  }
  return steps;
}

/// True time at each place of the run: the steps' own times, whatever the order.
std::vector<WallTime> times_of(const Scenario& scenario, const Schedule& schedule) {
  std::vector<WallTime> times;
  for (const int n : schedule.order) {
    times.push_back(parse_time(scenario.steps[static_cast<std::size_t>(n) - 1].at("at")));
  }
  std::sort(times.begin(), times.end());
  return times;
}

}  // namespace

Findings run_scenario(const Scenario& scenario, const Schedule& schedule, Universe& universe) {
  Player player(scenario, universe);
  Judge judge(scenario, universe, player);
  const std::set<int> refused = refused_steps(scenario);
  std::vector<std::string> surprises;
  const std::vector<WallTime> times = times_of(scenario, schedule);
  for (std::size_t place = 0; place < times.size(); ++place) {
    const int n = schedule.order[place];
    universe.at(times[place]);
    player.step(n, schedule);
    const api::ApiResponse* answer = player.answer_of(n);
    if (answer != nullptr && !answer->ok() && !refused.contains(n)) {
      surprises.push_back("step " + std::to_string(n) + " is refused: " + brief(answer->body));
    }
    if (schedule.restart_between) {
      for (const std::string& agent : universe.agents()) universe.restart(agent);
      universe.restart(std::string(kHub));
    }
    if (schedule.written_order) judge.after_step(n);
  }
  player.settle(schedule.settle_backwards);
  judge.at_the_end();
  Findings findings = judge.take();
  findings.failures.insert(findings.failures.begin(), surprises.begin(), surprises.end());
  return findings;
}

}  // namespace duhui::scenarios
