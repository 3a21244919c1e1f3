#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/base/result.h"
#include "shared/cli/console.h"

namespace duhui::cli {

/// The settings of a program, one by one: how each is called in its TOML file, where its value
/// goes and which values are right. Both programs read, check and show their settings with it.
class SettingsFile {
 public:
  /// `place` outlives this; what it holds now is the default.
  void add_text(std::string name, std::string* place, std::vector<std::string> allowed = {});
  template <typename Number>
  void add_number(std::string name, Number* place, std::int64_t least, std::int64_t most) {
    const auto take = [place](std::int64_t value) { *place = static_cast<Number>(value); };
    const auto show = [place] { return static_cast<std::int64_t>(*place); };
    add_whole(std::move(name), least, most, take, show);
  }
  void add_switch(std::string name, bool* place);
  /// Texts in [brackets]. `check`: its error says what each must be.
  void add_list(std::string name,
                std::vector<std::string>* place,
                std::function<Status(const std::string&)> check);
  /// A text that `take` understands; its error says what is wanted.
  void add_parsed(std::string name,
                  std::function<Status(const std::string&)> take,
                  std::function<std::string()> show);

  /// Takes what is right in the text of `file`. Every mistake, in the order of the lines:
  /// "hub.toml:3: log.level: ...".
  std::vector<std::string> read(const std::string& text, const std::string& file) const;

  /// All settings with the values they have now, as a file and as JSON.
  std::string toml() const;
  nlohmann::json json() const;

 private:
  struct Setting {
    std::string name;  // "section.key"; keys without a section come first
    std::function<Status(const nlohmann::json&)> take;
    std::function<nlohmann::json()> show;
  };
  struct Reading;

  void add_whole(std::string name,
                 std::int64_t least,
                 std::int64_t most,
                 std::function<void(std::int64_t)> take,
                 std::function<std::int64_t()> show);

  std::vector<Setting> settings_;
};

/// The answer of `config check`; returns its exit code. `file`: empty: there is none.
int report_settings(Console& console,
                    const SettingsFile& settings,
                    const std::string& file,
                    const std::vector<std::string>& problems);

/// The problems as one error; precondition: there are some.
Error settings_error(const std::vector<std::string>& problems);

}  // namespace duhui::cli
