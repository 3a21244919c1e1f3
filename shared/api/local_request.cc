#include "shared/api/local_request.h"

#include <algorithm>

namespace duhui::api {
namespace {

bool same_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// "application/json; charset=utf-8" -> "application/json"
std::string_view media_type(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  return type;
}

/// "http://[::1]:8080" -> "[::1]". Empty: not a place ("null").
std::string_view host_of(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::string_view rest = origin.substr(scheme + 3);
  // An address of version 6 has colons of its own, in brackets.
  const std::size_t inside = rest.starts_with('[') ? rest.find(']') : 0;
  return inside == std::string_view::npos ? rest : rest.substr(0, rest.find(':', inside));
}

bool is_this_machine(std::string_view host) {
  return same_letters(host, "localhost") || host == "127.0.0.1" || host == "[::1]";
}

}  // namespace

Status check_local_request(const RequestHead& head) {
  if (!head.origin.empty() && !is_this_machine(host_of(head.origin))) {
    return Error{ErrorCode::refused, "origin: only pages of this machine"};
  }
  const bool only_asks = head.method == "GET" || head.method == "HEAD";
  if (!only_asks && !same_letters(media_type(head.content_type), "application/json")) {
    return Error{ErrorCode::invalid_input, "content-type: application/json"};
  }
  return Done{};
}

}  // namespace duhui::api
