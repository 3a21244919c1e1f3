#include <gtest/gtest.h>

#include "tests/scenarios/every_order.h"
#include "tests/scenarios/process_factory.h"

namespace duhui::scenarios {
namespace {

/// The scenarios once more, with the shipped programs as processes: sockets, TLS, LevelDB, SQLite.
class ProcessScenario : public ::testing::TestWithParam<std::string> {};

TEST_P(ProcessScenario, HoldsInEveryOrder) { play_in_every_order(GetParam(), process_universes); }

INSTANTIATE_TEST_SUITE_P(Files, ProcessScenario, ::testing::ValuesIn(scenario_files()), name_of);

}  // namespace
}  // namespace duhui::scenarios
