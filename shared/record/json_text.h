#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "shared/base/result.h"

namespace duhui {

/// Parses JSON text of at most kJsonBytesMax bytes and kJsonDepthMax levels. `limit_exceeded`: over
/// one of these; `invalid_input`: not JSON, or not UTF-8.
Result<nlohmann::json> parse_json(std::string_view text);

/// Compact text. Bytes that are not UTF-8 are replaced, never an error: what was stored is shown.
std::string json_text(const nlohmann::json& value);

}  // namespace duhui
