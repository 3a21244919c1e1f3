#include "shared/web/lan_settings.h"

#include <array>

#include <arpa/inet.h>

#include "shared/api/web_guard.h"

namespace duhui::web {
namespace {

bool is_address(int family, const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(family, text.c_str(), bytes.data()) == 1;
}

Status check_address(const std::string& text) {
  if (is_address(AF_INET, text) || is_address(AF_INET6, text)) return Done{};
  return Error{ErrorCode::invalid_input, "an address of this machine, not \"" + text + "\""};
}

bool is_every_address(const std::string& address) {
  return address == "0.0.0.0" || address == "::";
}

}  // namespace

void add_lan_settings(cli::SettingsFile* file, LanSettings* settings) {
  file->add_switch("lan.enabled", &settings->enabled);
  const auto take = [settings](const std::string& text) -> Status {
    DUHUI_CHECK_OK(check_address(text));
    settings->address = text;
    return Done{};
  };
  file->add_parsed("lan.address", take, [settings] { return settings->address; });
  file->add_number("lan.port", &settings->port, 0, 65535);
  file->add_list("lan.allowed_hosts", &settings->allowed_hosts,
                 [](const std::string& name) { return api::check_host_name(name); });
}

Status check_lan(const LanSettings& settings) {
  if (!settings.enabled || !lan_hosts(settings).empty()) return Done{};
  return Error{ErrorCode::invalid_input,
               "lan.allowed_hosts: the names or addresses that people will type, such as "
               "\"192.168.1.7\""};
}

std::vector<std::string> lan_hosts(const LanSettings& settings) {
  std::vector<std::string> hosts = settings.allowed_hosts;
  if (!is_every_address(settings.address)) {
    const bool v6 = is_address(AF_INET6, settings.address);
    hosts.push_back(v6 ? "[" + settings.address + "]" : settings.address);
  }
  return hosts;
}

Status check_plain_address(const std::string& address) {
  if (is_address(AF_INET, address) && address.starts_with("127.")) return Done{};
  return Error{ErrorCode::invalid_input,
               "only 127.0.0.0/8: plain HTTP never leaves this machine; pages for others are set "
               "under [lan]"};
}

}  // namespace duhui::web
