#pragma once

#include <cstddef>

#include "shared/base/random.h"

namespace duhui {

/// The operating system's generator, fit for keys. Never fails: without it the process ends.
class SystemRandom final : public Random {
 public:
  void fill(char* bytes, std::size_t size) override;
};

}  // namespace duhui
