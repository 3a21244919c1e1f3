#include "shared/base/random.h"

#include <cassert>
#include <cstring>

namespace duhui {

std::uint64_t Random::next() {
  std::uint64_t value = 0;
  fill(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  assert(bound > 0);
  const std::uint64_t limit = ~std::uint64_t{0} - ~std::uint64_t{0} % bound;
  for (;;) {
    if (const std::uint64_t value = next(); value < limit) return value % bound;
  }
}

void SeededRandom::fill(char* bytes, std::size_t size) {
  while (size > 0) {
    state_ += 0x9e3779b97f4a7c15ull;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
    mixed ^= mixed >> 31;
    const std::size_t n = size < sizeof mixed ? size : sizeof mixed;
    std::memcpy(bytes, &mixed, n);
    bytes += n;
    size -= n;
  }
}

}  // namespace duhui
