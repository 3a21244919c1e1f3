#include "shared/crypto/receipt_code.h"

#include "shared/crypto/digest.h"
#include "shared/crypto/text.h"

namespace duhui {

std::string receipt_code(std::string_view signature) {
  constexpr std::size_t kBytes = 10;
  constexpr std::size_t kGroup = 4;
  const std::string digits = to_base32(sha256(signature).view().substr(0, kBytes));
  std::string code;
  for (std::size_t at = 0; at < digits.size(); ++at) {
    if (at > 0 && at % kGroup == 0) code += '-';
    code += digits[at];
  }
  return code;
}

}  // namespace duhui
