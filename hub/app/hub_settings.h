#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "shared/base/result.h"

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
  std::string public_address{};  // what tickets say: "host:port" or a host
  std::size_t connections_max = 12'000;
  std::size_t connections_per_address_max = 2'000;
  std::string log_level = "info";
  std::size_t log_bytes_max = 8u << 20;  // of one log file; two older ones are kept
};

/// Reads settings over their defaults. `invalid_input` names the line; a key that is not known is
/// an error, since a mistyped one would silently do nothing.
Result<HubSettings> parse_settings(const std::string& toml_text, const std::string& name);

/// What no single value shows: the API answers on this machine only.
Status check_settings(const HubSettings& settings);

/// The settings as a file with every key, for `config check` and as a start for one's own.
std::string settings_text(const HubSettings& settings);

}  // namespace duhui::hub
