#include "tests/scenarios/json_match.h"

#include <vector>

namespace duhui::scenarios {
namespace {

constexpr std::size_t kBriefMax = 600;

bool is_unset(const Json& value) {
  return value.is_null() || (value.is_structured() && value.empty()) || value == "";
}

}  // namespace

bool says(const Json& got, const Json& expected) {
  if (is_unset(expected)) return is_unset(got);
  if (expected.is_object()) {
    if (!got.is_object()) return false;
    for (const auto& [name, value] : expected.items()) {
      if (!says(got.contains(name) ? got[name] : Json(), value)) return false;
    }
    return true;
  }
  if (!expected.is_array()) return got == expected;
  if (!got.is_array() || got.size() != expected.size()) return false;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!says(got[i], expected[i])) return false;
  }
  return true;
}

bool contains_all(const Json& got, const Json& expected) {
  if (!got.is_array()) return is_unset(got) && expected.empty();
  std::vector<bool> used(got.size());
  for (const Json& wanted : expected) {
    bool found = false;
    for (std::size_t i = 0; i < got.size() && !found; ++i) {
      if (used[i] || !says(got[i], wanted)) continue;
      used[i] = found = true;
    }
    if (!found) return false;
  }
  return true;
}

bool says_in_any_order(const Json& got, const Json& expected) {
  const std::size_t size = got.is_array() ? got.size() : 0;
  return size == expected.size() && contains_all(got, expected);
}

std::string brief(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kBriefMax) text = text.substr(0, kBriefMax) + "...";
  return text;
}

}  // namespace duhui::scenarios
