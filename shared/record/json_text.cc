#include "shared/record/json_text.h"

#include <nlohmann/json.hpp>

#include "shared/record/limits.h"

namespace duhui {
namespace {

/// Counted before parsing: the parser itself sets no limit on nesting.
bool too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kJsonDepthMax) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<nlohmann::json> parse_json(std::string_view text) {
  if (text.size() > kJsonBytesMax) {
    return Error{ErrorCode::limit_exceeded, "json: " + std::to_string(text.size()) + " bytes"};
  }
  if (too_deep(text)) return Error{ErrorCode::limit_exceeded, "json: nested too deeply"};
  nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
  if (value.is_discarded()) return Error{ErrorCode::invalid_input, "json: not well formed"};
  return value;
}

std::string json_text(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace duhui
