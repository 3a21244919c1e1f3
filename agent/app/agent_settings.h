#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "shared/base/result.h"

namespace duhui::agent {

/// What the operator may set, with its defaults. TOML:
///
///   data = "/var/lib/duhui-agent"
///   language = "zh"            # of the command line; default: the locale
///   [api]
///   address = "127.0.0.1"      # loopback only
///   port = 0                   # 0: any free one, see listen.json
///   [log]
///   level = "info"             # trace debug info warn error off
///   file = ""                  # empty: standard error
struct AgentSettings {
  std::string data{};
  std::string language{};
  std::string api_address = "127.0.0.1";
  std::uint16_t api_port = 0;
  std::string log_level = "info";
  std::string log_file{};
};

/// The settings with the file's values; every mistake in the file is in `problems`.
struct ReadSettings {
  AgentSettings settings{};
  std::vector<std::string> problems{};  // "agent.toml:3: api.port: ..."
};

/// Reads `path`. `not_found`: there is no such file.
Result<ReadSettings> read_settings(const std::string& path);

/// Where records are kept unless somebody says otherwise.
std::string default_data_folder();

nlohmann::json settings_json(const AgentSettings& settings);

}  // namespace duhui::agent
