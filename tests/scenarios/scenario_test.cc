#include <gtest/gtest.h>

#include "tests/scenarios/also_holds.h"
#include "tests/scenarios/core_factory.h"
#include "tests/scenarios/every_order.h"

namespace duhui::scenarios {
namespace {

class CoreScenario : public ::testing::TestWithParam<std::string> {};

TEST_P(CoreScenario, HoldsInEveryOrder) { play_in_every_order(GetParam(), core_universes); }

TEST_P(CoreScenario, IsPlayedInEveryWayItsWordsName) {
  EXPECT_EQ(words_not_accounted_for(read_scenario(GetParam())), "");
}

INSTANTIATE_TEST_SUITE_P(Files, CoreScenario, ::testing::ValuesIn(scenario_files()), name_of);

}  // namespace
}  // namespace duhui::scenarios
