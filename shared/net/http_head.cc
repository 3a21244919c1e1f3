#include "shared/net/http_head.h"

#include <algorithm>

namespace duhui::net {
namespace {

constexpr std::string_view kEnd = "\r\n\r\n";
constexpr std::size_t kMethodBytesMax = 20;
constexpr std::size_t kLengthDigitsMax = 15;

constexpr HeadFault kBadLine{400, "a line of the head is not understood\n"};

bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

bool is_visible(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

/// Text of any language passes: a cookie of somebody else's may hold it.
bool is_value(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

bool same_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

std::optional<HeadFault> check_request_line(std::string_view line, const HttpLimits& limits) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return kBadLine;
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method) || method.size() > kMethodBytesMax) return kBadLine;
  if (target.size() > limits.target_bytes_max) return HeadFault{414, "the address is too long\n"};
  if (!is_visible(target)) return kBadLine;
  if (!version.starts_with("HTTP/")) return kBadLine;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return HeadFault{505, "only HTTP/1.1 is spoken here\n"};
  }
  return std::nullopt;
}

/// How long the body is said to be, over all fields of a head.
struct BodyLength {
  bool given = false;
  bool chunked = false;

  std::optional<HeadFault> add(std::string_view name, std::string_view value) {
    constexpr HeadFault kTwo{400, "the length of the body is told twice\n"};
    if (same_letters(name, "content-length")) {
      if (given || chunked) return kTwo;
      given = true;
      const bool number = !value.empty() && value.size() <= kLengthDigitsMax &&
                          std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
      if (!number) return HeadFault{400, "the length of the body is not a number\n"};
    } else if (same_letters(name, "transfer-encoding")) {
      if (given || chunked) return kTwo;
      chunked = true;
      if (!same_letters(value, "chunked")) {
        return HeadFault{501, "this transfer encoding is not understood\n"};
      }
    }
    return std::nullopt;
  }
};

}  // namespace

std::size_t find_head_end(std::string_view bytes) {
  const std::size_t at = bytes.find(kEnd);
  return at == std::string_view::npos ? at : at + kEnd.size();
}

std::optional<HeadFault> check_begun_head(std::string_view bytes) {
  if (bytes.find('\0') != std::string_view::npos) return kBadLine;
  for (std::size_t at = bytes.find('\n'); at != std::string_view::npos;
       at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') return kBadLine;
  }
  return std::nullopt;
}

std::optional<HeadFault> check_head(std::string_view head, const HttpLimits& limits) {
  if (head.size() > limits.head_bytes_max) return HeadFault{431, "the head is too long\n"};
  if (auto fault = check_begun_head(head)) return fault;
  const std::size_t first = head.find("\r\n");
  if (auto fault = check_request_line(head.substr(0, first), limits)) return fault;
  head.remove_prefix(first + 2);
  std::size_t count = 0;
  BodyLength length;
  for (;;) {
    const std::size_t end = head.find("\r\n");
    if (end == 0 || end == std::string_view::npos) return std::nullopt;
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (++count > limits.headers_max) return HeadFault{431, "the head has too many fields\n"};
    const std::size_t colon = line.find(':');
    // A folded line begins with a blank, which is in no name.
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return kBadLine;
    if (!is_value(line.substr(colon + 1))) return kBadLine;
    if (auto fault = length.add(line.substr(0, colon), trimmed(line.substr(colon + 1)))) {
      return fault;
    }
  }
}

}  // namespace duhui::net
