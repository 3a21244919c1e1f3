#include "shared/cli/settings_file.h"

#include <algorithm>
#include <sstream>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "shared/record/json_text.h"

namespace duhui::cli {
namespace {

using Json = nlohmann::json;

Error wanted(std::string what) { return {ErrorCode::invalid_input, std::move(what)}; }

/// Null: no text, no whole number, no switch and no list of those.
Json json_of(const toml::node& node) {
  if (const toml::array* list = node.as_array()) {
    Json values = Json::array();
    for (const toml::node& value : *list) values.push_back(json_of(value));
    return values;
  }
  if (node.is_boolean()) return node.value_or(false);
  if (node.is_string()) return node.value_or(std::string());
  if (node.is_integer()) return node.value_or(std::int64_t{0});
  return nullptr;
}

/// TOML knows all escapes of JSON.
std::string toml_of(const Json& value) { return json_text(value); }

std::string section_of(const std::string& name) {
  const std::size_t dot = name.find('.');
  return dot == std::string::npos ? std::string() : name.substr(0, dot);
}

}  // namespace

/// One reading of one file.
struct SettingsFile::Reading {
  const std::vector<Setting>& settings;
  std::vector<std::pair<std::uint32_t, std::string>> problems{};  // with their lines

  void complain(const toml::node& node, const std::string& what) {
    problems.emplace_back(node.source().begin.line, what);
  }

  void read(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) {
      const std::string name = prefix + std::string(key.str());
      const auto known = std::find_if(settings.begin(), settings.end(),
                                      [&](const Setting& one) { return one.name == name; });
      const bool section = std::any_of(settings.begin(), settings.end(), [&](const Setting& one) {
        return one.name.starts_with(name + ".");
      });
      const toml::table* inner = node.as_table();
      if (known != settings.end()) {
        if (auto taken = known->take(json_of(node)); !taken) {
          complain(node, name + ": " + taken.error().detail);
        }
      } else if (inner != nullptr && (section || !inner->empty())) {
        read(*inner, name + ".");
      } else {
        complain(node, name + (section ? ": a section [" + name + "]" : ": unknown setting"));
      }
    }
  }
};

void SettingsFile::add_text(std::string name,
                            std::string* place,
                            std::vector<std::string> allowed) {
  std::string names;
  for (const std::string& one : allowed) names += (names.empty() ? "" : ", ") + toml_of(one);
  const std::string wants = allowed.empty()       ? "a text in quotes"
                            : allowed.size() == 1 ? "only " + names
                                                  : "one of " + names;
  const auto take = [place, allowed = std::move(allowed), wants](const Json& value) -> Status {
    if (!value.is_string()) return wanted(wants);
    const std::string text = value.get<std::string>();
    const bool right =
        allowed.empty() || std::find(allowed.begin(), allowed.end(), text) != allowed.end();
    if (!right) return wanted(wants);
    *place = text;
    return Done{};
  };
  settings_.push_back({std::move(name), take, [place] { return Json(*place); }});
}

void SettingsFile::add_whole(std::string name,
                             std::int64_t least,
                             std::int64_t most,
                             std::function<void(std::int64_t)> take,
                             std::function<std::int64_t()> show) {
  const auto check = [least, most, take = std::move(take)](const Json& value) -> Status {
    if (!value.is_number_integer() || value < least || value > most) {
      return wanted("a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    take(value.get<std::int64_t>());
    return Done{};
  };
  settings_.push_back({std::move(name), check, [show = std::move(show)] { return Json(show()); }});
}

void SettingsFile::add_switch(std::string name, bool* place) {
  const auto take = [place](const Json& value) -> Status {
    if (!value.is_boolean()) return wanted("true or false");
    *place = value.get<bool>();
    return Done{};
  };
  settings_.push_back({std::move(name), take, [place] { return Json(*place); }});
}

void SettingsFile::add_list(std::string name,
                            std::vector<std::string>* place,
                            std::function<Status(const std::string&)> check) {
  const auto take = [place, check = std::move(check)](const Json& value) -> Status {
    if (!value.is_array()) return wanted("texts in quotes, in [brackets]");
    std::vector<std::string> texts;
    for (const Json& text : value) {
      if (!text.is_string()) return wanted("texts in quotes, in [brackets]");
      texts.push_back(text.get<std::string>());
      DUHUI_CHECK_OK(check(texts.back()));
    }
    *place = std::move(texts);
    return Done{};
  };
  settings_.push_back({std::move(name), take, [place] { return Json(*place); }});
}

void SettingsFile::add_parsed(std::string name,
                              std::function<Status(const std::string&)> take,
                              std::function<std::string()> show) {
  const auto check = [take = std::move(take)](const Json& value) -> Status {
    if (!value.is_string()) return wanted("a text in quotes");
    return take(value.get<std::string>());
  };
  settings_.push_back({std::move(name), check, [show = std::move(show)] { return Json(show()); }});
}

std::vector<std::string> SettingsFile::read(const std::string& text,
                                            const std::string& file) const {
  Reading reading{settings_};
  const toml::parse_result parsed = toml::parse(text);
  if (parsed) {
    reading.read(parsed.table(), "");
  } else {
    const auto& error = parsed.error();
    reading.problems.emplace_back(error.source().begin.line, std::string(error.description()));
  }
  std::stable_sort(reading.problems.begin(), reading.problems.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> problems;
  for (const auto& [line, what] : reading.problems) {
    problems.push_back(file + ":" + std::to_string(line) + ": " + what);
  }
  return problems;
}

std::string SettingsFile::toml() const {
  std::ostringstream out;
  std::string section;
  for (const Setting& setting : settings_) {
    const std::string within = section_of(setting.name);
    if (within != section) out << "\n[" << within << "]\n";
    section = within;
    const std::string key = within.empty() ? setting.name : setting.name.substr(within.size() + 1);
    out << key << " = " << toml_of(setting.show()) << "\n";
  }
  return out.str();
}

Json SettingsFile::json() const {
  Json all = Json::object();
  for (const Setting& setting : settings_) {
    const std::string within = section_of(setting.name);
    if (within.empty()) {
      all[setting.name] = setting.show();
    } else {
      all[within][setting.name.substr(within.size() + 1)] = setting.show();
    }
  }
  return all;
}

int report_settings(Console& console,
                    const SettingsFile& settings,
                    const std::string& file,
                    const std::vector<std::string>& problems) {
  const bool ok = problems.empty();
  if (console.json()) {
    console.print(
        {{"ok", ok}, {"file", file}, {"settings", settings.json()}, {"problems", problems}});
  } else if (!ok) {
    for (const std::string& problem : problems) console.out() << "✗ " << problem << "\n";
    console.out() << std::flush;
  } else {
    console.out() << "# "
                  << (file.empty() ? console("没有设置文件，全部为默认值。生效的值：",
                                             "no settings file, all defaults. In force:")
                                   : console("设置文件无误：", "the settings are in order: ") +
                                         file + console("。生效的值：", ". In force:"))
                  << "\n"
                  << settings.toml() << std::flush;
  }
  return static_cast<int>(ok ? ExitCode::done : ExitCode::usage);
}

Error settings_error(const std::vector<std::string>& problems) {
  std::string all;
  for (const std::string& problem : problems) all += (all.empty() ? "" : "; ") + problem;
  return {ErrorCode::invalid_input, "settings: " + all};
}

}  // namespace duhui::cli
