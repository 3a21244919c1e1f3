#include "hub/app/hub_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <sstream>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace duhui::hub {
namespace {

std::string place(const std::string& name, const toml::node& node) {
  return name + ":" + std::to_string(node.source().begin.line);
}

Error wrong(const std::string& name, const toml::node& node, const std::string& what) {
  return {ErrorCode::invalid_input, place(name, node) + ": " + what};
}

/// Reads one value into its place; the Error says what it should have been.
using Reader = std::function<Status(const std::string&, const toml::node&)>;

Reader text_into(std::string& out) {
  return [&out](const std::string& name, const toml::node& node) -> Status {
    const auto value = node.value<std::string>();
    if (!node.is_string() || !value) return wrong(name, node, "a text in quotes is wanted");
    out = *value;
    return Done{};
  };
}

Reader address_into(ListenAddress& out) {
  return [&out](const std::string& name, const toml::node& node) -> Status {
    auto address = parse_listen_address(node.value_or(std::string()));
    if (!address) return wrong(name, node, address.error().detail);
    out = *address;
    return Done{};
  };
}

Reader count_into(std::size_t& out, std::int64_t least, std::int64_t most) {
  return [&out, least, most](const std::string& name, const toml::node& node) -> Status {
    const auto value = node.value<std::int64_t>();
    if (!node.is_integer() || !value || *value < least || *value > most) {
      return wrong(name, node,
                   "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    out = static_cast<std::size_t>(*value);
    return Done{};
  };
}

Reader level_into(std::string& out) {
  return [&out](const std::string& name, const toml::node& node) -> Status {
    constexpr std::array<std::string_view, 5> kLevels = {"debug", "info", "warn", "error", "off"};
    const std::string value = node.value_or(std::string());
    if (std::find(kLevels.begin(), kLevels.end(), value) == kLevels.end()) {
      return wrong(name, node, "debug, info, warn, error or off");
    }
    out = value;
    return Done{};
  };
}

std::map<std::string, Reader> readers_of(HubSettings& settings) {
  return {{"data", text_into(settings.data)},
          {"name", text_into(settings.name)},
          {"devices.listen", address_into(settings.devices)},
          {"devices.public_address", text_into(settings.public_address)},
          {"devices.connections_max", count_into(settings.connections_max, 1, 100'000)},
          {"devices.connections_per_address_max",
           count_into(settings.connections_per_address_max, 1, 100'000)},
          {"http.listen", address_into(settings.http)},
          {"log.level", level_into(settings.log_level)},
          {"log.bytes_max", count_into(settings.log_bytes_max, 64 << 10, 1 << 30)}};
}

Status read_table(const std::string& name,
                  const toml::table& table,
                  const std::string& prefix,
                  const std::map<std::string, Reader>& readers) {
  for (const auto& [key, node] : table) {
    const std::string full = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table()) {
      DUHUI_CHECK_OK(read_table(name, *inner, full + ".", readers));
      continue;
    }
    const auto reader = readers.find(full);
    if (reader == readers.end()) return wrong(name, node, "unknown key: " + full);
    if (auto done = reader->second(name, node); !done) {
      return Error{done.error().code, done.error().detail + " (" + full + ")"};
    }
  }
  return Done{};
}

std::string quoted(const std::string& text) {
  std::ostringstream out;
  out << toml::value<std::string>(text);
  return out.str();
}

bool is_loopback(const std::string& host) { return host.starts_with("127."); }

}  // namespace

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

Result<HubSettings> parse_settings(const std::string& toml_text, const std::string& name) {
  HubSettings settings;
  const toml::parse_result parsed = toml::parse(toml_text);
  if (!parsed) {
    const auto& error = parsed.error();
    return Error{ErrorCode::invalid_input, name + ":" + std::to_string(error.source().begin.line) +
                                               ": " + std::string(error.description())};
  }
  DUHUI_CHECK_OK(read_table(name, parsed.table(), "", readers_of(settings)));
  if (auto checked = check_settings(settings); !checked) {
    return Error{checked.error().code, name + ": " + checked.error().detail};
  }
  return settings;
}

Status check_settings(const HubSettings& settings) {
  if (is_loopback(settings.http.host)) return Done{};
  return Error{ErrorCode::invalid_input,
               "http.listen: only 127.0.0.0/8, for nobody signs in there yet"};
}

std::string settings_text(const HubSettings& settings) {
  std::ostringstream out;
  out << "data = " << quoted(settings.data) << "\n"
      << "name = " << quoted(settings.name) << "\n"
      << "\n[devices]\n"
      << "listen = " << quoted(settings.devices.text()) << "\n"
      << "public_address = " << quoted(settings.public_address) << "\n"
      << "connections_max = " << settings.connections_max << "\n"
      << "connections_per_address_max = " << settings.connections_per_address_max << "\n"
      << "\n[http]\n"
      << "listen = " << quoted(settings.http.text()) << "\n"
      << "\n[log]\n"
      << "level = " << quoted(settings.log_level) << "\n"
      << "bytes_max = " << settings.log_bytes_max << "\n";
  return out.str();
}

}  // namespace duhui::hub
