#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "shared/api/sign_in_desk.h"
#include "shared/base/result.h"
#include "shared/cli/settings_file.h"
#include "shared/web/lan_settings.h"

namespace duhui::hub {

/// "0.0.0.0:7443"
struct ListenAddress {
  std::string host{};
  std::uint16_t port = 0;

  std::string text() const { return host + ":" + std::to_string(port); }
};

/// `invalid_input`: not "host:port".
Result<ListenAddress> parse_listen_address(const std::string& text);

/// The settings of duhui-hub, as in hub.toml; every one has a default.
struct HubSettings {
  std::string data = "/var/lib/duhui-hub";
  std::string name = "中心";
  ListenAddress devices{"0.0.0.0", 7443};
  ListenAddress http{"127.0.0.1", 7480};
  web::LanSettings lan{};
  api::SignInLimits sign_in{};
  std::string public_address{};  // what tickets say: "host:port" or a host
  /// In front of the devices' port TLS ends at a proxy that has the hub's own key.
  bool behind_tls_proxy = false;
  std::size_t connections_max = 12'000;
  std::size_t connections_per_address_max = 2'000;
  std::string log_level = "info";
  std::size_t log_bytes_max = 8u << 20;  // of one log file; two older ones are kept
};

/// Each setting of `settings` under its name in the file. `settings` outlives the answer.
cli::SettingsFile settings_file(HubSettings& settings);

/// The settings with the file's values; every mistake in the file is in `problems`.
struct ReadSettings {
  HubSettings settings{};
  std::string file{};                   // empty: there is none
  std::vector<std::string> problems{};  // "hub.toml:3: http.listen: ..."
};

/// Reads the text of the file `name` over the defaults. A name that is not known is a problem,
/// since a mistyped one would silently do nothing.
ReadSettings read_settings(const std::string& toml_text, const std::string& name);

/// `invalid_input`: the API would not answer on this machine only.
Status check_http(const ListenAddress& address);

}  // namespace duhui::hub
