#include "agent/app/agent_settings.h"

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include <nlohmann/json.hpp>
#include <toml++/toml.h>
#include <unistd.h>

namespace duhui::agent {
namespace {

/// Reads known names out of a table and remembers what was wrong with the others.
class Reader {
 public:
  Reader(std::string file, std::vector<std::string>* problems)
      : file_(std::move(file)), problems_(problems) {}

  using Take = std::function<bool(const toml::node&)>;

  void read(const toml::table& table,
            const std::string& prefix,
            const std::map<std::string, Take>& known) {
    for (const auto& [key, node] : table) {
      const std::string name = prefix + std::string(key.str());
      const auto found = known.find(std::string(key.str()));
      if (found == known.end()) {
        complain(node, name + ": unknown setting");
      } else if (!found->second(node)) {
        complain(node, name + ": not a valid value");
      }
    }
  }

  void complain(const toml::node& node, const std::string& what) {
    problems_->push_back(file_ + ":" + std::to_string(node.source().begin.line) + ": " + what);
  }

 private:
  const std::string file_;
  std::vector<std::string>* const problems_;
};

Reader::Take text_into(std::string* place, const std::set<std::string>& allowed = {}) {
  return [place, allowed](const toml::node& node) {
    const auto text = node.value<std::string>();
    if (!node.is_string() || (!allowed.empty() && !allowed.contains(*text))) return false;
    *place = *text;
    return true;
  };
}

bool take_port(const toml::node& node, std::uint16_t* port) {
  const auto number = node.value<std::int64_t>();
  if (!node.is_integer() || *number < 0 || *number > 65535) return false;
  *port = static_cast<std::uint16_t>(*number);
  return true;
}

}  // namespace

Result<ReadSettings> read_settings(const std::string& path) {
  if (!std::filesystem::exists(path)) {
    return Error{ErrorCode::not_found, "settings: no such file: " + path};
  }
  ReadSettings read;
  const std::string name = std::filesystem::path(path).filename();
  toml::table table;
  try {
    table = toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    read.problems.push_back(name + ":" + std::to_string(error.source().begin.line) + ": " +
                            std::string(error.description()));
    return read;
  }
  AgentSettings& to = read.settings;
  Reader reader(name, &read.problems);
  const auto section = [&reader](const std::string& prefix,
                                 const std::map<std::string, Reader::Take>& known) {
    return [&reader, prefix, known](const toml::node& node) {
      if (!node.is_table()) return false;
      reader.read(*node.as_table(), prefix + ".", known);
      return true;
    };
  };
  reader.read(
      table, "",
      {{"data", text_into(&to.data)},
       {"language", text_into(&to.language, {"zh", "en"})},
       {"api",
        section(
            "api",
            {{"address", text_into(&to.api_address, {"127.0.0.1"})},
             {"port", [&to](const toml::node& node) { return take_port(node, &to.api_port); }}})},
       {"log", section("log", {{"level", text_into(&to.log_level, {"trace", "debug", "info", "warn",
                                                                   "error", "off"})},
                               {"file", text_into(&to.log_file)}})}});
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

nlohmann::json settings_json(const AgentSettings& settings) {
  return {{"data", settings.data},
          {"language", settings.language},
          {"api", {{"address", settings.api_address}, {"port", settings.api_port}}},
          {"log", {{"level", settings.log_level}, {"file", settings.log_file}}}};
}

}  // namespace duhui::agent
