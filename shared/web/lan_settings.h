#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shared/cli/settings_file.h"

namespace duhui::web {

/// Pages for other computers of the local network: over TLS only, for people who sign in only.
///
///   [lan]
///   enabled = false
///   address = "0.0.0.0"
///   port = 7482                # 0: any free one, see listen.json
///   allowed_hosts = []         # names and addresses that people type, such as "192.168.1.7"
struct LanSettings {
  bool enabled = false;
  std::string address = "0.0.0.0";
  std::uint16_t port = 7482;
  std::vector<std::string> allowed_hosts{};
};

/// Adds each setting as `lan.*`. `settings` outlives the file.
void add_lan_settings(cli::SettingsFile* file, LanSettings* settings);

/// `invalid_input`: enabled, and nobody could reach a page: all addresses under no name.
Status check_lan(const LanSettings& settings);

/// The names under which pages are served: those allowed, and the address if it is one.
std::vector<std::string> lan_hosts(const LanSettings& settings);

/// `invalid_input`: plain HTTP would leave this machine.
Status check_plain_address(const std::string& address);

}  // namespace duhui::web
