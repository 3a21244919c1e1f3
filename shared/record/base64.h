#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace duhui {

/// RFC 4648 section 4, with padding: how JSON carries thumbnails.
std::string to_base64(std::string_view bytes);
/// Empty optional: not base64.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace duhui
