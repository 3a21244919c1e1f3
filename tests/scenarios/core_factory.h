#pragma once

#include <functional>
#include <memory>

#include "tests/scenarios/scenario.h"
#include "tests/scenarios/universe.h"

namespace duhui::scenarios {

/// Prepares hub and devices of the scenario on the cores in memory (CoreUniverse); each call of
/// what it returns gives a fresh copy.
std::function<std::unique_ptr<Universe>()> core_universes(const Scenario& scenario);

}  // namespace duhui::scenarios
