#pragma once

#include <string>
#include <vector>

#include "tests/scenarios/scenario.h"

namespace duhui::scenarios {

/// A scenario as it is played once.
struct Play {
  Scenario scenario;
  Schedule schedule;
};

/// The scenario in every order, and as its own words under `also_holds` say it holds as well.
std::vector<Play> plays_of(const Scenario& scenario);

/// Words of `also_holds` that nobody plays yet: "S05-submit-vs-edit: words (reason)".
std::vector<std::string> words_not_played(const Scenario& scenario);

/// What is left of `also_holds` without the words that also_holds.json accounts for; empty: each
/// word is played or named.
std::string words_not_accounted_for(const Scenario& scenario);

}  // namespace duhui::scenarios
