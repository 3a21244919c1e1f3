#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "shared/record/json_text.h"

namespace duhui::hub {

/// A member of an answer as text; empty: not there.
inline std::string text_of(const nlohmann::json& value, const char* name) {
  const auto at = value.find(name);
  if (at == value.end() || at->is_null()) return {};
  return at->is_string() ? at->get<std::string>() : json_text(*at);
}

/// "a, b, c"
inline std::string joined(const nlohmann::json& list) {
  std::string text;
  for (const nlohmann::json& one : list) {
    text +=
        (text.empty() ? "" : ", ") + (one.is_string() ? one.get<std::string>() : json_text(one));
  }
  return text;
}

}  // namespace duhui::hub
