#include "agent/app/proxy_settings.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>

namespace duhui::agent {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

Error wanted() {
  return {ErrorCode::invalid_input,
          "\"http://host:port\" is wanted, with user:password@ before the host if need be"};
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

/// "%40" is "@".
std::optional<std::string> unescaped(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      result += text[at];
      continue;
    }
    unsigned code = 0;
    if (at + 3 > text.size()) return std::nullopt;
    const char* digits = text.data() + at + 1;
    const auto [rest, failed] = std::from_chars(digits, digits + 2, code, 16);
    if (failed != std::errc() || rest != digits + 2) return std::nullopt;
    result += static_cast<char>(code);
    at += 2;
  }
  return result;
}

/// Takes ":3128" off the end of `host`, and brackets off an IPv6 address.
bool split_port(std::string_view* host, std::uint16_t* port) {
  const std::size_t colon = host->rfind(':');
  const bool bracketed = host->starts_with('[');
  const bool has_port = colon != std::string_view::npos && (!bracketed || host->find(']') < colon);
  if (has_port) {
    const std::string_view digits = host->substr(colon + 1);
    const auto [rest, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), *port);
    if (failed != std::errc() || rest != digits.data() + digits.size() || *port == 0) return false;
    *host = host->substr(0, colon);
  }
  if (bracketed) {
    if (!host->ends_with(']')) return false;
    *host = host->substr(1, host->size() - 2);
  }
  return !host->empty() && (bracketed || host->find(':') == std::string_view::npos);
}

bool names(std::string pattern, const std::string& host) {
  if (pattern == "*") return true;
  error_code no_address;
  const auto address = asio::ip::make_address(host, no_address);
  if (pattern.find('/') != std::string::npos) {
    error_code no_network;
    const auto network = asio::ip::make_network_v4(pattern, no_network);
    if (no_network || no_address || !address.is_v4()) return false;
    const auto mask = network.netmask().to_uint();
    return (address.to_v4().to_uint() & mask) == (network.address().to_uint() & mask);
  }
  if (!no_address) {
    error_code no_pattern;
    return asio::ip::make_address(pattern, no_pattern) == address && !no_pattern;
  }
  if (pattern.starts_with("*.")) pattern.erase(0, 1);
  if (pattern.starts_with('.')) return host.ends_with(pattern) || host == pattern.substr(1);
  return host == pattern || host.ends_with("." + pattern);
}

bool is_this_machine(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  error_code failed;
  const auto address = asio::ip::make_address(std::string(host), failed);
  return !failed && address.is_loopback();
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',' || c == ' ') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  std::erase(parts, "");
  return parts;
}

std::string said(const Environment& environment, const char* small, const char* large) {
  std::string value = environment(small);
  return value.empty() ? environment(large) : value;
}

std::string shown(const ProxySettings& settings) {
  if (settings.none) return "none";
  const net::HttpProxy& proxy = settings.proxy;
  if (proxy.host.empty()) return {};
  const bool ipv6 = proxy.host.find(':') != std::string::npos;
  const std::string host = ipv6 ? "[" + proxy.host + "]" : proxy.host;
  const std::string who = proxy.user.empty() ? "" : "***@";
  return "http://" + who + host + ":" + std::to_string(proxy.port);
}

}  // namespace

Result<net::HttpProxy> parse_proxy(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) {
    const std::string name = lower(url.substr(0, scheme));
    if (name != "http") {
      return Error{ErrorCode::invalid_input, "only http:// proxies are understood"};
    }
    url.remove_prefix(scheme + 3);
  }
  while (url.ends_with('/')) url.remove_suffix(1);
  net::HttpProxy proxy{.host = {}, .port = 80};
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    const std::string_view who = url.substr(0, at);
    const std::size_t colon = std::min(who.find(':'), who.size());
    const auto user = unescaped(who.substr(0, colon));
    const auto password = unescaped(who.substr(std::min(colon + 1, who.size())));
    if (!user || !password) return wanted();
    proxy.user = *user;
    proxy.password = *password;
    url.remove_prefix(at + 1);
  }
  // What would end a line of our request is in no host's name.
  const bool sound =
      std::ranges::all_of(url, [](char c) { return c > ' ' && c < '\x7f' && c != '/'; });
  if (!sound || !split_port(&url, &proxy.port)) return wanted();
  proxy.host = std::string(url);
  return proxy;
}

bool is_exempt(const std::vector<std::string>& no_proxy, std::string_view host) {
  const std::string wanted_host = lower(host);
  return std::ranges::any_of(
      no_proxy, [&](const std::string& pattern) { return names(lower(pattern), wanted_host); });
}

Environment process_environment() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
}

net::HttpProxy choose_proxy(const ProxySettings& settings,
                            const Environment& environment,
                            std::string_view host) {
  if (settings.none || is_exempt(settings.no_proxy, host)) return {};
  if (!settings.proxy.host.empty()) return settings.proxy;
  if (is_this_machine(host)) return {};
  if (is_exempt(split(said(environment, "no_proxy", "NO_PROXY")), host)) return {};
  for (const auto& [small, large] :
       {std::pair{"https_proxy", "HTTPS_PROXY"}, std::pair{"all_proxy", "ALL_PROXY"}}) {
    const std::string url = said(environment, small, large);
    if (url.empty()) continue;
    // What is not understood here is meant for other programs.
    if (auto proxy = parse_proxy(url)) return std::move(*proxy);
  }
  return {};
}

void add_proxy_settings(cli::SettingsFile* file, ProxySettings* settings) {
  const auto take = [settings](const std::string& text) -> Status {
    settings->none = text == "none";
    if (settings->none || text.empty()) return Done{};
    DUHUI_TRY(proxy, parse_proxy(text));
    // [proxy] user and password may stand before or behind the address.
    if (proxy.user.empty()) {
      proxy.user = settings->proxy.user;
      proxy.password = settings->proxy.password;
    }
    settings->proxy = std::move(proxy);
    return Done{};
  };
  file->add_parsed("proxy.url", take, [settings] { return shown(*settings); });
  file->add_text("proxy.user", &settings->proxy.user);
  const auto take_password = [settings](const std::string& text) -> Status {
    settings->proxy.password = text;
    return Done{};
  };
  file->add_parsed("proxy.password", take_password, [settings] {
    return std::string(settings->proxy.password.empty() ? "" : "***");
  });
  const auto check = [](const std::string& text) -> Status {
    if (!text.empty() && text.find(' ') == std::string::npos) return Done{};
    return Error{ErrorCode::invalid_input,
                 "names, addresses, networks (10.0.0.0/8) or \"*\" are wanted"};
  };
  file->add_list("proxy.no_proxy", &settings->no_proxy, check);
}

}  // namespace duhui::agent
