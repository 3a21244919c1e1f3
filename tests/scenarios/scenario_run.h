#pragma once

#include "tests/scenarios/judge.h"
#include "tests/scenarios/scenario.h"
#include "tests/scenarios/universe.h"

namespace duhui::scenarios {

/// Plays the scenario by this schedule on a fresh universe and compares what is shown with what is
/// expected.
Findings run_scenario(const Scenario& scenario, const Schedule& schedule, Universe& universe);

}  // namespace duhui::scenarios
