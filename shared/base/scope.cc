#include "shared/base/scope.h"

#include <algorithm>

namespace duhui {
namespace {

bool is_within(std::string_view inner, std::string_view outer) {
  return inner.starts_with(outer) && (inner.size() == outer.size() || inner[outer.size()] == '/');
}

}  // namespace

bool scope_readable(std::string_view granted, std::string_view scope) {
  return is_within(scope, granted) || is_within(granted, scope);
}

bool scope_writable(std::string_view granted, std::string_view scope) {
  return is_within(scope, granted);
}

bool is_scope(std::string_view scope) {
  if (scope.empty() || scope.size() > kScopeBytesMax) return false;
  if (scope.front() == '/' || scope.back() == '/') return false;
  if (scope.find("//") != std::string_view::npos) return false;
  return std::none_of(scope.begin(), scope.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

}  // namespace duhui
