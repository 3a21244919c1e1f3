#include <gtest/gtest.h>

#include "tests/sim/world.h"

namespace duhui::sim {
namespace {

// Sanitizers make a universe ten times dearer: they look at a sample.
#if defined(DUHUI_SANITIZED)
constexpr std::uint64_t kUniverses = 300;
#else
constexpr std::uint64_t kUniverses = 2000;
#endif

TEST(Simulator, TwoThousandUniversesKeepEveryInvariant) {
  std::uint64_t saved = 0;
  std::uint64_t reborn = 0;
  std::uint64_t by_stick = 0;
  for (std::uint64_t seed = 1; seed <= kUniverses; ++seed) {
    const Options options = Options::from_seed(seed);
    const Verdict verdict = World(options).run();
    ASSERT_EQ(verdict.breach, "") << "seed " << seed << " (" << options.describe()
                                  << "); replay: ./dev sim --seed " << seed << " --verbose";
    saved += verdict.saved;
    reborn += verdict.reincarnations;
    by_stick += verdict.files_by_stick;
  }
  std::printf(
      "%llu universes: %llu edits saved, %llu streams reborn, %llu photos by stick, 0 breaches\n",
      static_cast<unsigned long long>(kUniverses), static_cast<unsigned long long>(saved),
      static_cast<unsigned long long>(reborn), static_cast<unsigned long long>(by_stick));
  EXPECT_GT(reborn, 0u);  // the faults really happen
  EXPECT_GT(by_stick, 0u);
}

TEST(Simulator, TheSameSeedGivesTheSameTrace) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    const Verdict first = World(Options::from_seed(seed)).run();
    const Verdict second = World(Options::from_seed(seed)).run();
    EXPECT_EQ(first.trace, second.trace) << "seed " << seed;
    EXPECT_EQ(first.events, second.events) << "seed " << seed;
  }
}

TEST(Simulator, DifferentSeedsAreDifferentUniverses) {
  EXPECT_NE(World(Options::from_seed(1)).run().trace, World(Options::from_seed(2)).run().trace);
}

}  // namespace
}  // namespace duhui::sim
