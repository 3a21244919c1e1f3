#include "hub/app/hub_settings.h"

#include <charconv>
#include <filesystem>

#include "shared/web/sign_in_settings.h"

namespace duhui::hub {

Result<ListenAddress> parse_listen_address(const std::string& text) {
  const auto colon = text.rfind(':');
  ListenAddress address;
  if (colon == std::string::npos || colon == 0) {
    return Error{ErrorCode::invalid_input, "host:port is wanted, not \"" + text + "\""};
  }
  address.host = text.substr(0, colon);
  const char* end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data() + colon + 1, end, address.port);
  if (failed != std::errc() || rest != end) {
    return Error{ErrorCode::invalid_input,
                 "port: 0 to 65535, not \"" + text.substr(colon + 1) + "\""};
  }
  return address;
}

cli::SettingsFile settings_file(HubSettings& settings) {
  cli::SettingsFile file;
  file.add_text("data", &settings.data);
  file.add_text("name", &settings.name);
  const auto take_devices = [&settings](const std::string& text) -> Status {
    DUHUI_TRY(address, parse_listen_address(text));
    settings.devices = std::move(address);
    return Done{};
  };
  file.add_parsed("devices.listen", take_devices, [&settings] { return settings.devices.text(); });
  file.add_text("devices.public_address", &settings.public_address);
  file.add_switch("devices.behind_tls_proxy", &settings.behind_tls_proxy);
  file.add_number("devices.connections_max", &settings.connections_max, 1, 100'000);
  file.add_number("devices.connections_per_address_max", &settings.connections_per_address_max, 1,
                  100'000);
  const auto take_http = [&settings](const std::string& text) -> Status {
    DUHUI_TRY(address, parse_listen_address(text));
    DUHUI_CHECK_OK(check_http(address));
    settings.http = std::move(address);
    return Done{};
  };
  file.add_parsed("http.listen", take_http, [&settings] { return settings.http.text(); });
  web::add_lan_settings(&file, &settings.lan);
  web::add_sign_in_settings(&file, &settings.sign_in);
  file.add_text("log.level", &settings.log_level, {"debug", "info", "warn", "error", "off"});
  file.add_number("log.bytes_max", &settings.log_bytes_max, 64 << 10, 1 << 30);
  return file;
}

ReadSettings read_settings(const std::string& toml_text, const std::string& name) {
  ReadSettings read;
  read.file = name;
  const std::string short_name = std::filesystem::path(name).filename().string();
  read.problems = settings_file(read.settings).read(toml_text, short_name);
  if (auto lan = web::check_lan(read.settings.lan); !lan) {
    read.problems.push_back(short_name + ": " + lan.error().detail);
  }
  if (auto times = web::check_sign_in(read.settings.sign_in); !times) {
    read.problems.push_back(short_name + ": " + times.error().detail);
  }
  return read;
}

Status check_http(const ListenAddress& address) { return web::check_plain_address(address.host); }

}  // namespace duhui::hub
