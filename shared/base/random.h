#pragma once

#include <cstddef>
#include <cstdint>

namespace duhui {

/// Where random bytes come from. The programs pass the system's generator, tests and the simulator
/// a seeded one.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(char* bytes, std::size_t size) = 0;

  std::uint64_t next();
  /// Uniform in [0, bound). Precondition: bound > 0.
  std::uint64_t below(std::uint64_t bound);
};

/// SplitMix64: small, fast and the same everywhere. Not for keys.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(char* bytes, std::size_t size) override;

 private:
  std::uint64_t state_;
};

}  // namespace duhui
