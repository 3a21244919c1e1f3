// Drives a fuzz target without libFuzzer: every seed of a folder, then COUNT mutations of them, the
// same at every run.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "shared/base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace {

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::vector<std::string> read_seeds(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> seeds;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return seeds;
}

/// One small change: a byte, a cut, a repetition, or a part of another seed.
void mutate(std::string& input, const std::string& other, duhui::Random& random) {
  const std::size_t at = input.empty() ? 0 : random.below(input.size());
  switch (random.below(4)) {
    case 0:
      if (!input.empty()) input[at] = static_cast<char>(random.below(256));
      break;
    case 1:
      input.erase(at, random.below(8));
      break;
    case 2:
      input.insert(at, input.substr(at, random.below(16)));
      break;
    default:
      input.insert(at, other.substr(random.below(other.size() + 1), random.below(64)));
      break;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s FOLDER COUNT\n", argv[0]);
    return 2;
  }
  const std::vector<std::string> seeds = read_seeds(argv[1]);
  if (seeds.empty()) {
    std::fprintf(stderr, "%s holds no seeds\n", argv[1]);
    return 1;
  }
  for (const std::string& seed : seeds) run(seed);
  duhui::SeededRandom random(1);
  const long count = std::strtol(argv[2], nullptr, 10);
  for (long n = 0; n < count; ++n) {
    std::string input = seeds[random.below(seeds.size())];
    for (std::uint64_t times = 1 + random.below(6); times > 0; --times) {
      mutate(input, seeds[random.below(seeds.size())], random);
    }
    run(input);
  }
  std::printf("%zu seeds, %ld mutations\n", seeds.size(), count);
  return 0;
}
