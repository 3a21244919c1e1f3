#include "tests/scenarios/scenario_run.h"

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

}  // namespace

Findings run_scenario(const Scenario& scenario, const Schedule& schedule, Universe& universe) {
  Player player(scenario, universe);
  Judge judge(scenario, universe, player);
  const std::set<int> refused = refused_steps(scenario);
  std::vector<std::string> surprises;
  int place = 0;
  for (const int n : schedule.order) {
    player.go_to_time_of(++place);
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
