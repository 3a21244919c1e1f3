#pragma once

#include <functional>
#include <memory>

#include "tests/scenarios/scenario.h"
#include "tests/scenarios/universe.h"

namespace duhui::scenarios {

/// Prepares hub and devices of the scenario as real programs (ProcessUniverse); each call of what
/// it returns starts them on a fresh copy of their folders.
std::function<std::unique_ptr<Universe>()> process_universes(const Scenario& scenario);

}  // namespace duhui::scenarios
