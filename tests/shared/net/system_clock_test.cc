#include "shared/net/system_clock.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

namespace duhui::net {
namespace {

TEST(SystemClock, KnowsThisStartOfTheSystem) {
  const ClockReading a = SystemClock().read();
  const ClockReading b = SystemClock().read();
  EXPECT_EQ(a.boot, b.boot);
  EXPECT_NE(a.boot, 0u);
  EXPECT_LE(a.monotonic, b.monotonic);
  EXPECT_GT(a.monotonic.ms, 0);
}

TEST(SystemClock, AddsTheOffsetOfADrillToTheWallClockOnly) {
  const std::string path = ::testing::TempDir() + "duhui_offset_" + std::to_string(::getpid());
  ::setenv("DUHUI_CLOCK_OFFSET_FILE", path.c_str(), 1);
  const SystemClock drilled;
  ::unsetenv("DUHUI_CLOCK_OFFSET_FILE");
  const SystemClock honest;

  const auto off_by = [&](std::int64_t expected) {
    const auto difference = (drilled.wall() - honest.wall()).ms - expected;
    return difference > -60'000 && difference < 60'000;
  };
  EXPECT_TRUE(off_by(0));  // no file yet
  std::ofstream(path) << "-315360000000\n";
  EXPECT_TRUE(off_by(-315'360'000'000));
  std::ofstream(path) << "315360000000";
  EXPECT_TRUE(off_by(315'360'000'000));
  EXPECT_LT((drilled.monotonic() - honest.monotonic()).ms, 60'000);
  ::unlink(path.c_str());
  EXPECT_TRUE(off_by(0));
}

}  // namespace
}  // namespace duhui::net
