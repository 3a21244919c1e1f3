#pragma once

#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/scenarios/scenario.h"
#include "tests/scenarios/universe.h"

namespace duhui::scenarios {

using FreshUniverse = std::function<std::unique_ptr<Universe>()>;

/// Plays the scenario of this file in every way it holds, each time on a fresh universe, and adds
/// what differs to the failures of the running test. Says at the end of the program what was not
/// checked.
void play_in_every_order(const std::string& file,
                         const std::function<FreshUniverse(const Scenario&)>& universes);

/// "S05" of the file's path.
std::string name_of(const ::testing::TestParamInfo<std::string>& file);

}  // namespace duhui::scenarios
