#pragma once

#include <string>
#include <string_view>

namespace duhui {

/// A receipt in words over the telephone, "7KQ2-M04X-9TJC-AE5H": the first 10 bytes of the SHA-256
/// of its signature. Whoever holds the receipt can say it; whoever does not cannot guess it.
std::string receipt_code(std::string_view signature);

}  // namespace duhui
