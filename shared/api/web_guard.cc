#include "shared/api/web_guard.h"

#include <algorithm>
#include <array>

namespace duhui::api {
namespace {

using Refusal = std::optional<ApiResponse>;

constexpr std::string_view kMethods = "GET, HEAD, POST, PUT, PATCH, DELETE";
constexpr std::string_view kCookieName = "duhui_session";
constexpr std::string_view kCsrfName = "x-duhui-csrf";
constexpr std::size_t kTokenBytesMin = 16;
constexpr std::size_t kTokenBytesMax = 128;

Refusal refusal(int status, ErrorCode code, std::string detail) {
  ApiResponse answer = error_answer({code, std::move(detail)});
  answer.status = status;
  return answer;
}

Refusal malformed(std::string detail) {
  return refusal(400, ErrorCode::invalid_input, std::move(detail));
}

Refusal foreign_page(std::string detail) {
  return refusal(403, ErrorCode::forbidden, "foreign_page: " + std::move(detail));
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

struct Found {
  std::size_t count = 0;
  std::string_view value{};  // of the last
};

Found find(const WebHeaders& headers, std::string_view name) {
  Found found;
  for (const auto& [key, value] : headers) {
    if (key != name) continue;
    ++found.count;
    found.value = value;
  }
  return found;
}

// --- names of hosts ---

struct Host {
  std::string name{};  // lower case; an address of version 6 with its brackets
  std::string port{};  // empty: none
};

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && text.front() != '0' &&
         std::ranges::all_of(text, is_digit) && std::stoul(std::string(text)) <= 65535;
}

/// Labels of letters, digits and hyphens between single dots; also addresses of version 4.
bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 253 && !name.starts_with('.') && !name.ends_with('.') &&
         name.find("..") == std::string_view::npos && std::ranges::all_of(name, [](char c) {
           return is_letter(c) || is_digit(c) || c == '-' || c == '.';
         });
}

/// Without zone ("%eth0"): a zone means something on one machine only.
bool is_address6(std::string_view inside) {
  return inside.size() >= 2 && inside.size() <= 45 &&
         std::ranges::all_of(inside, [](char c) { return is_hex(c) || c == ':' || c == '.'; });
}

std::optional<Host> parse_host(std::string_view text) {
  Host host;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || !is_address6(text.substr(1, end - 1))) return {};
    host.name = lower(text.substr(0, end + 1));
    rest = text.substr(end + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    if (!is_name(text.substr(0, colon))) return {};
    host.name = lower(text.substr(0, colon));
    rest = text.substr(colon);
  }
  if (rest.empty()) return host;
  if (!rest.starts_with(':') || !is_port(rest.substr(1))) return {};
  host.port = std::string(rest.substr(1));
  return host;
}

/// Whether `host` is `allowed`. A port that either leaves out is the listener's own.
bool matches(const Host& host, const Host& allowed, std::uint16_t port) {
  const std::string own = std::to_string(port);
  return host.name == allowed.name &&
         (host.port.empty() ? own : host.port) == (allowed.port.empty() ? own : allowed.port);
}

Refusal check_host(const WebHead& head,
                   const std::vector<std::string>& hosts,
                   std::optional<Host>* asked) {
  const Found found = find(head.headers, "host");
  if (found.count != 1) return malformed("host: one is wanted");
  *asked = parse_host(found.value);
  if (!*asked) return malformed("host: not a name and a port");
  for (const std::string& name : hosts) {
    const auto allowed = parse_host(name);
    if (allowed && matches(**asked, *allowed, head.port)) return {};
  }
  return refusal(421, ErrorCode::forbidden, "foreign_host: this name is not served here");
}

// --- the page that asks ---

std::string_view default_port(bool secure) { return secure ? "443" : "80"; }

/// "http://localhost:7481" is the page of Host "localhost:7481" on a plain port.
bool is_own_origin(std::string_view origin, const Host& asked, bool secure) {
  const std::string_view scheme = secure ? "https://" : "http://";
  if (!origin.starts_with(scheme)) return false;
  const auto page = parse_host(origin.substr(scheme.size()));
  const auto port_of = [secure](const Host& host) {
    return host.port.empty() ? std::string(default_port(secure)) : host.port;
  };
  return page && page->name == asked.name && port_of(*page) == port_of(asked);
}

Refusal check_page(const WebHead& head, const Host& asked) {
  const Found origin = find(head.headers, "origin");
  if (origin.count > 1) return malformed("origin: more than one");
  if (origin.count == 1 && !is_own_origin(origin.value, asked, head.secure)) {
    return foreign_page("origin");
  }
  const Found site = find(head.headers, "sec-fetch-site");
  if (site.count > 1) return malformed("sec-fetch-site: more than one");
  if (site.count == 1 && site.value != "same-origin" && site.value != "none") {
    return foreign_page("sec-fetch-site");
  }
  return {};
}

// --- what is asked ---

bool only_asks(std::string_view method) { return method == "GET" || method == "HEAD"; }

Refusal check_method(std::string_view method) {
  constexpr std::array<std::string_view, 6> kKnown = {"GET", "HEAD",  "POST",
                                                      "PUT", "PATCH", "DELETE"};
  if (std::ranges::find(kKnown, method) != kKnown.end()) return {};
  Refusal answer = refusal(405, ErrorCode::invalid_input, "method: " + std::string(kMethods));
  answer->headers.emplace_back("Allow", kMethods);
  return answer;
}

/// Of one byte in percent-encoding; nothing: not encoded so.
std::optional<char> encoded_byte(std::string_view text) {
  if (text.size() < 3 || !is_hex(text[1]) || !is_hex(text[2])) return {};
  const auto digit = [](char c) {
    return is_digit(c) ? c - '0' : lower({&c, 1}).front() - 'a' + 10;
  };
  return static_cast<char>(digit(text[1]) * 16 + digit(text[2]));
}

/// A path that every reader reads alike: plain slashes between parts that are not empty, no part
/// that means "here" or "above", no control characters. A slash inside an id comes encoded.
bool is_plain_path(std::string_view path) {
  if (!path.starts_with('/') || path.find("//") != std::string_view::npos) return false;
  for (std::size_t at = 0; at < path.size(); ++at) {
    const char c = path[at];
    if (c == '\\' || c == '#' || c <= ' ' || c >= '\x7f') return false;
    if (c != '%') continue;
    const auto byte = encoded_byte(path.substr(at));
    if (!byte || *byte == '.' || *byte == '\\' || *byte == '%' ||
        static_cast<unsigned char>(*byte) < ' ' || *byte == '\x7f') {
      return false;
    }
  }
  for (std::string_view rest = path; !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view part = rest.substr(0, rest.find('/'));
    if (part == "." || part == "..") return false;
    rest.remove_prefix(part.size());
  }
  return true;
}

bool is_plain_query(std::string_view query) {
  for (std::size_t at = 0; at < query.size(); ++at) {
    const char c = query[at];
    if (c == '#' || c <= ' ' || c >= '\x7f') return false;
    if (c == '%' && !encoded_byte(query.substr(at))) return false;
  }
  return true;
}

Refusal check_target(std::string_view target) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  if (!is_plain_path(target.substr(0, mark))) return malformed("target: not a plain path");
  if (!is_plain_query(target.substr(mark))) return malformed("target: not a plain query");
  return {};
}

/// "application/json", "application/json; charset=utf-8"
bool is_json(std::string_view content_type) {
  const std::string type = lower(content_type);
  const std::size_t end = std::min(type.find(';'), type.size());
  const std::string_view view = type;
  if (trimmed(view.substr(0, end)) != "application/json") return false;
  return end == type.size() || trimmed(view.substr(end + 1)) == "charset=utf-8";
}

Refusal check_body(const WebHead& head) {
  // Our clients and every browser know how long their body is.
  if (find(head.headers, "transfer-encoding").count > 0) {
    return refusal(411, ErrorCode::invalid_input, "content-length: wanted");
  }
  const Found length = find(head.headers, "content-length");
  if (length.count > 1) return malformed("content-length: more than one");
  if (find(head.headers, "content-encoding").count > 0) {
    return refusal(415, ErrorCode::invalid_input, "media_type: without content-encoding");
  }
  if (only_asks(head.method)) {
    const bool none = length.count == 0 || length.value == "0";
    return none ? Refusal() : malformed("body: a question has none");
  }
  const Found type = find(head.headers, "content-type");
  if (type.count == 1 && is_json(type.value)) return {};
  // A page of another site cannot send that either without asking first.
  if (type.count == 1 && head.method == "PATCH" && type.value == kPieceType) return {};
  return refusal(415, ErrorCode::invalid_input, "media_type: application/json");
}

Refusal check_upgrade(const WebHeaders& headers) {
  const bool asked = find(headers, "upgrade").count > 0 ||
                     find(headers, "sec-websocket-key").count > 0 ||
                     find(headers, "http2-settings").count > 0;
  return asked ? malformed("upgrade: this port speaks HTTP/1.1 only") : Refusal();
}

// --- what we gave out ---

/// As random_token() makes them: base64url.
std::string token_or_nothing(std::string_view text) {
  const bool right = text.size() >= kTokenBytesMin && text.size() <= kTokenBytesMax &&
                     std::ranges::all_of(text, [](char c) {
                       return is_letter(c) || is_digit(c) || c == '-' || c == '_';
                     });
  return right ? std::string(text) : std::string();
}

}  // namespace

std::vector<std::string> loopback_hosts() { return {"localhost", "127.0.0.1", "[::1]"}; }

Status check_host_name(std::string_view text) {
  if (parse_host(text)) return Done{};
  return Error{ErrorCode::invalid_input,
               "a name or an address, with or without a port, not \"" + std::string(text) + "\""};
}

std::optional<ApiResponse> refuse_foreign(const WebHead& head,
                                          const std::vector<std::string>& hosts) {
  std::optional<Host> asked;
  if (auto no = check_host(head, hosts, &asked)) return no;
  if (auto no = check_page(head, *asked)) return no;
  if (auto no = check_upgrade(head.headers)) return no;
  if (auto no = check_method(head.method)) return no;
  if (auto no = check_target(head.target)) return no;
  return check_body(head);
}

const WebHeaders& web_answer_headers() {
  static const WebHeaders kHeaders = {
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
       "font-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; "
       "base-uri 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Cache-Control", "no-store"}};
  return kHeaders;
}

std::string session_token(const WebHeaders& headers) {
  const Found cookies = find(headers, "cookie");
  if (cookies.count != 1) return {};
  std::string_view value;
  std::size_t count = 0;
  for (std::string_view rest = cookies.value; !rest.empty();) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view pair = trimmed(rest.substr(0, end));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    // Cookies of other programs on this machine come along: whatever they hold is not looked at.
    if (trimmed(pair.substr(0, equals)) == kCookieName) {
      ++count;
      value = pair.substr(std::min(equals + 1, pair.size()));
      if (pair.substr(0, equals) != kCookieName) value = {};
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return count == 1 ? token_or_nothing(value) : std::string();
}

std::string csrf_token(const WebHeaders& headers) {
  const Found found = find(headers, kCsrfName);
  return found.count == 1 ? token_or_nothing(found.value) : std::string();
}

}  // namespace duhui::api
