#include "shared/crypto/receipt_code.h"

#include "shared/crypto/digest.h"
#include "shared/crypto/text.h"

namespace duhui {

std::string receipt_code(std::string_view signature) {
  constexpr std::size_t kBytes = 10;
  constexpr std::size_t kGroup = 4;
  std::string code = to_base32(sha256(signature).view().substr(0, kBytes));
  for (std::size_t at = kGroup; at < code.size(); at += kGroup + 1) code.insert(at, "-");
  return code;
}

}  // namespace duhui
