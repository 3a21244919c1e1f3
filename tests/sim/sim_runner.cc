// Runs universes: sim_runner --seed N [--verbose] | --from N --count M | --minutes M

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "tests/sim/world.h"

namespace {

using duhui::sim::Options;
using duhui::sim::Verdict;
using duhui::sim::World;

bool run_one(std::uint64_t seed, bool verbose, std::uint64_t& saved, std::uint64_t& forks) {
  const Options options = Options::from_seed(seed);
  World world(options, verbose);
  const Verdict verdict = world.run();
  saved += verdict.saved;
  forks += verdict.reincarnations;
  if (verdict.breach.empty()) return true;
  std::printf(
      "seed %llu: %s\n  %s\n  replay: ./dev sim --seed %llu --verbose\n",
      static_cast<unsigned long long>(seed),
      (verbose ? verdict.breach : verdict.breach.substr(0, verdict.breach.find('\n'))).c_str(),
      options.describe().c_str(), static_cast<unsigned long long>(seed));
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t from = 1, count = 1;
  double minutes = 0;
  bool verbose = false;
  bool until_breach = false;
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    bool understood = true;
    const auto number = [&]() -> std::uint64_t {
      char* end = nullptr;
      const char* text = at + 1 < argc ? argv[++at] : "";
      const std::uint64_t value = std::strtoull(text, &end, 10);
      understood = end != text && *end == '\0';
      return value;
    };
    if (word == "--seed" || word == "--from") {
      from = number();
    } else if (word == "--count") {
      count = number();
    } else if (word == "--minutes") {
      minutes = static_cast<double>(number());
    } else if (word == "--until-breach") {
      until_breach = true;
    } else if (word == "--verbose") {
      verbose = true;
    } else {
      understood = false;
    }
    if (!understood) {
      std::fprintf(stderr,
                   "usage: sim_runner --seed N [--verbose] | --from N --count M [--until-breach] | "
                   "--minutes M\n");
      return 2;
    }
  }
  const std::time_t start = std::time(nullptr);
  if (minutes > 0) from = static_cast<std::uint64_t>(start) * 100'000;
  std::uint64_t done = 0, breaches = 0, saved = 0, forks = 0;
  for (std::uint64_t seed = from;; ++seed) {
    const double spent = std::difftime(std::time(nullptr), start) / 60;
    if (minutes > 0 ? spent >= minutes : done >= count) break;
    ++done;
    if (!run_one(seed, verbose, saved, forks)) {
      ++breaches;
      if (until_breach) break;
    }
  }
  std::printf("%llu universes, %llu edits saved, %llu streams reborn, %llu breaches\n",
              static_cast<unsigned long long>(done), static_cast<unsigned long long>(saved),
              static_cast<unsigned long long>(forks), static_cast<unsigned long long>(breaches));
  return breaches == 0 ? 0 : 1;
}
