#include "shared/net/system_clock.h"

#include <cstdlib>
#include <fstream>
#include <optional>
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

/// Clocks with the offsets of a file, beside the honest ones.
class ClockDrill : public ::testing::Test {
 protected:
  ClockDrill() : path_(::testing::TempDir() + "duhui_offset_" + std::to_string(::getpid())) {
    ::setenv("DUHUI_CLOCK_OFFSET_FILE", path_.c_str(), 1);
    drilled_.emplace();
    ::unsetenv("DUHUI_CLOCK_OFFSET_FILE");
  }
  ~ClockDrill() override { ::unlink(path_.c_str()); }

  void write(const std::string& text) { std::ofstream(path_) << text; }
  bool wall_is_off_by(std::int64_t expected) const {
    return near((drilled_->wall() - honest_.wall()).ms, expected) &&
           near((drilled_->read().wall - honest_.wall()).ms, expected);
  }
  bool monotonic_is_off_by(std::int64_t expected) const {
    return near((drilled_->monotonic() - honest_.monotonic()).ms, expected) &&
           near((drilled_->read().monotonic - honest_.monotonic()).ms, expected);
  }

  const std::string path_;
  std::optional<SystemClock> drilled_;
  const SystemClock honest_;

 private:
  static bool near(std::int64_t difference, std::int64_t expected) {
    return difference > expected - 60'000 && difference < expected + 60'000;
  }
};

TEST_F(ClockDrill, AddsTheOffsetToTheWallClockOnly) {
  EXPECT_TRUE(wall_is_off_by(0));  // no file yet
  write("-315360000000\n");
  EXPECT_TRUE(wall_is_off_by(-315'360'000'000));
  write("315360000000");
  EXPECT_TRUE(wall_is_off_by(315'360'000'000));
  EXPECT_TRUE(monotonic_is_off_by(0));
  ::unlink(path_.c_str());
  EXPECT_TRUE(wall_is_off_by(0));
}

TEST_F(ClockDrill, AddsASecondNumberToTheMonotonicClock) {
  write("-315360000000 7200000\n");
  EXPECT_TRUE(wall_is_off_by(-315'360'000'000));
  EXPECT_TRUE(monotonic_is_off_by(7'200'000));
  write("0 86400000");
  EXPECT_TRUE(wall_is_off_by(0));
  EXPECT_TRUE(monotonic_is_off_by(86'400'000));
}

TEST_F(ClockDrill, TakesNoOffsetFromWhatIsNoNumber) {
  write("soon 7200000\n");
  EXPECT_TRUE(wall_is_off_by(0));
  EXPECT_TRUE(monotonic_is_off_by(0));
  write("3600000 later");
  EXPECT_TRUE(wall_is_off_by(3'600'000));
  EXPECT_TRUE(monotonic_is_off_by(0));
}

}  // namespace
}  // namespace duhui::net
