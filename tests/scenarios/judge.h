#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/scenarios/player.h"
#include "tests/scenarios/scenario.h"
#include "tests/scenarios/universe.h"

namespace duhui::scenarios {

/// What a run was found to be.
struct Findings {
  /// "agent-a v1 item_answers/C6 shown: expected ..., got ..."
  std::vector<std::string> failures;
  std::size_t checked = 0;
  /// Keys that nothing here can check yet, with how often they were met.
  std::map<std::string, std::size_t> skipped;
};

/// Compares the expectations of a scenario with what the replicas show.
class Judge {
 public:
  Judge(const Scenario& scenario, Universe& universe, Player& player)
      : scenario_(scenario), universe_(universe), player_(player) {}

  /// Those with this `after_step`.
  void after_step(int n);
  /// Those without; everything has settled.
  void at_the_end();

  Findings take() { return std::move(findings_); }

 private:
  /// One expectation on one replica.
  struct Case {
    const Json& wanted;
    std::string replica;
    std::string record;  // empty: none
    std::string field;   // empty: none
  };

  void judge(const Json& expectation);
  void judge_on(const Case& one);
  void judge_step(const Json& expectation);
  void judge_record(const Case& one);
  void judge_field(const Case& one);
  void judge_shown(const Case& one, const Json& shown);
  void judge_item(const Case& one);
  void judge_device(const Case& one);
  void judge_across(const Case& one);
  void judge_numbers_stay(const Case& one);

  void check(
      const Case& one, const std::string& key, bool holds, const Json& expected, const Json& got);
  Json wanted(const Case& one, const char* key) { return player_.resolved(one.wanted.at(key)); }

  const Scenario& scenario_;
  Universe& universe_;
  Player& player_;
  Findings findings_;
};

}  // namespace duhui::scenarios
