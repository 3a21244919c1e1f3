#include "shared/crypto/system_random.h"

#include <sodium.h>

#include "shared/base/check.h"

namespace duhui {

void SystemRandom::fill(char* bytes, std::size_t size) {
  static const bool ready = sodium_init() >= 0;
  DUHUI_CHECK(ready);
  randombytes_buf(bytes, size);
}

}  // namespace duhui
