#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace duhui {

/// RFC 4648 section 5, without padding.
std::string to_base64url(std::string_view bytes);
/// Empty optional: a character outside the alphabet, a length no bytes have, or loose last bits.
std::optional<std::string> from_base64url(std::string_view text);

/// Crockford's base 32, upper case: no I, L, O and U, for codes that people read aloud and type.
std::string to_base32(std::string_view bytes);
/// Takes either case, O for 0, I and L for 1, and skips hyphens and spaces. Empty optional: another
/// character, a length no bytes have, or loose last bits.
std::optional<std::string> from_base32(std::string_view text);

}  // namespace duhui
