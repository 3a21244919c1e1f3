#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "shared/api/answer.h"
#include "shared/base/result.h"

namespace duhui::cli {

/// Documented for scripts; never renumbered.
enum class ExitCode : std::uint8_t {
  done = 0,
  failed = 1,
  usage = 2,
  not_found = 3,
  refused = 4,      // by a rule
  unavailable = 5,  // service or storage
  conflict = 6,
};

ExitCode exit_code(ErrorCode code);

/// `--lang zh|en` among the arguments, otherwise LC_ALL, LC_MESSAGES or LANG; Chinese if that
/// starts with "zh". Known before the options are declared, because their help is in that language.
api::Language choose_language(int argc, char** argv);

/// Where a command speaks to the person or the script that called it.
class Console {
 public:
  Console(api::Language language, std::ostream& out, std::ostream& err)
      : language_(language), out_(out), err_(err) {}

  bool json() const { return json_; }
  bool* json_flag() { return &json_; }
  api::Language language() const { return language_; }
  /// A settings file may name another language than the locale.
  void use(api::Language language) { language_ = language; }
  std::ostream& out() { return out_; }
  std::ostream& err() { return err_; }

  /// The text in the person's language.
  std::string operator()(std::string_view zh, std::string_view en) const {
    return std::string(language_ == api::Language::zh ? zh : en);
  }
  void print(const nlohmann::json& value);
  /// Tells what went wrong (with --json as JSON on standard output) and returns the exit code.
  int fail(const Error& error);

 private:
  api::Language language_;
  std::ostream& out_;
  std::ostream& err_;
  bool json_ = false;
};

}  // namespace duhui::cli
