#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/api/file_intake.h"
#include "agent/app/proxy_settings.h"
#include "shared/api/sign_in_desk.h"
#include "shared/base/result.h"
#include "shared/cli/settings_file.h"
#include "shared/web/lan_settings.h"

namespace duhui::agent {

/// What the operator may set, with its defaults. TOML:
///
///   data = "/var/lib/duhui-agent"
///   language = "zh"            # of the command line; default: the locale
///   [api]
///   address = "127.0.0.1"      # loopback only
///   port = 0                   # 0: any free one, see listen.json
///   [lan]                      # pages for other computers, see web::LanSettings
///   [sign_in]                  # how long, see web::add_sign_in_settings
///   [files]
///   keep_original = true       # of photos that were made smaller, without what the camera noted
///   photo_kib = 300            # what a photo is made to fit into
///   photo_side = 1600          # its longest side, in pixels
///   [usb]
///   folders = ["/srv/usb"]     # where bundles may go besides removable media
///   [link]
///   road = "auto"              # "websocket" or "https": only that one
///   monthly_bytes = 0          # what may be sent and received a month before files wait; 0: all
///   free_networks = []         # networks that cost nothing, as GET /status names them
///   unmetered = false          # no network costs anything
///   [proxy]                    # on the way to the hub, see ProxySettings
///   url = ""                   # "http://host:port"; "none": whatever the environment says
///   user = ""
///   password = ""              # never shown, never logged
///   no_proxy = []
///   [log]
///   level = "info"             # trace debug info warn error off
///   file = ""                  # empty: standard error
struct AgentSettings {
  std::string data{};
  std::string language{};
  std::string api_address = "127.0.0.1";
  std::uint16_t api_port = 0;
  web::LanSettings lan{};
  api::SignInLimits sign_in{};
  FileSettings files{};
  std::vector<std::string> usb_folders{};
  std::string road = "auto";
  std::uint64_t monthly_bytes = 0;
  std::vector<std::string> free_networks{};
  bool unmetered = false;
  ProxySettings proxy{};
  std::string log_level = "info";
  std::string log_file{};
};

/// Each setting of `settings` under its name in the file. `settings` outlives the answer.
cli::SettingsFile settings_file(AgentSettings& settings);

/// The settings with the file's values; every mistake in the file is in `problems`.
struct ReadSettings {
  AgentSettings settings{};
  std::vector<std::string> problems{};  // "agent.toml:3: api.port: ..."
};

/// Reads `path`. `not_found`: there is no such file.
Result<ReadSettings> read_settings(const std::string& path);

/// Where records are kept unless somebody says otherwise.
std::string default_data_folder();

}  // namespace duhui::agent
