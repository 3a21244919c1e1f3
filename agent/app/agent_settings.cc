#include "agent/app/agent_settings.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <unistd.h>

#include "shared/base/bytes.h"
#include "shared/cli/assignments.h"
#include "shared/web/sign_in_settings.h"

namespace duhui::agent {

cli::SettingsFile settings_file(AgentSettings& settings) {
  cli::SettingsFile file;
  file.add_text("data", &settings.data);
  file.add_text("language", &settings.language, {"zh", "en", ""});
  const auto take_address = [&settings](const std::string& text) -> Status {
    DUHUI_CHECK_OK(web::check_plain_address(text));
    settings.api_address = text;
    return Done{};
  };
  file.add_parsed("api.address", take_address, [&settings] { return settings.api_address; });
  file.add_number("api.port", &settings.api_port, 0, 65535);
  web::add_lan_settings(&file, &settings.lan);
  web::add_sign_in_settings(&file, &settings.sign_in);
  file.add_switch("files.keep_original", &settings.files.keep_original);
  file.add_number("files.photo_kib", &settings.files.photo_kib, 20, 4096);
  file.add_number("files.photo_side", &settings.files.photo_side, 320, 8000);
  const auto check_folder = [](const std::string& path) -> Status {
    if (path.starts_with('/')) return Done{};
    return Error{ErrorCode::invalid_input, "a path from the root"};
  };
  file.add_list("usb.folders", &settings.usb_folders, check_folder);
  file.add_text("link.road", &settings.road, {"auto", "websocket", "https"});
  // A petabyte: what a file can say, and more than any month.
  constexpr std::int64_t kMonthlyBytesMax = std::int64_t{1} << 50;
  file.add_number("link.monthly_bytes", &settings.monthly_bytes, 0, kMonthlyBytesMax);
  const auto check_network = [](const std::string& name) -> Status {
    const bool is_one = name.size() == 16 && from_hex(name);
    if (is_one) return Done{};
    return Error{ErrorCode::invalid_input, "16 hexadecimal digits, as `status --json` tells them"};
  };
  file.add_list("link.free_networks", &settings.free_networks, check_network);
  file.add_switch("link.unmetered", &settings.unmetered);
  add_proxy_settings(&file, &settings.proxy);
  file.add_text("log.level", &settings.log_level,
                {"trace", "debug", "info", "warn", "error", "off"});
  file.add_text("log.file", &settings.log_file);
  return file;
}

Result<ReadSettings> read_settings(const std::string& path) {
  std::error_code denied;
  if (!std::filesystem::exists(path, denied) && !denied) {
    return Error{ErrorCode::not_found, "settings: no such file: " + path};
  }
  DUHUI_TRY(text, cli::read_argument_file(path));
  ReadSettings read;
  const std::string name = std::filesystem::path(path).filename().string();
  read.problems = settings_file(read.settings).read(text, name);
  if (auto lan = web::check_lan(read.settings.lan); !lan) {
    read.problems.push_back(name + ": " + lan.error().detail);
  }
  if (auto times = web::check_sign_in(read.settings.sign_in); !times) {
    read.problems.push_back(name + ": " + times.error().detail);
  }
  return read;
}

std::string default_data_folder() {
  if (::geteuid() == 0) return "/var/lib/duhui-agent";
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/') {
    return std::string(state) + "/duhui-agent";
  }
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "." : home) + "/.local/state/duhui-agent";
}

}  // namespace duhui::agent
