#include "shared/cli/console.h"

#include <cstdlib>

#include <nlohmann/json.hpp>

#include "shared/record/json_text.h"

namespace duhui::cli {

ExitCode exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input:
      return ExitCode::usage;
    case ErrorCode::not_found:
      return ExitCode::not_found;
    case ErrorCode::refused:
    case ErrorCode::unauthenticated:
    case ErrorCode::forbidden:
      return ExitCode::refused;
    case ErrorCode::conflict:
      return ExitCode::conflict;
    case ErrorCode::unavailable:
    case ErrorCode::throttled:
    case ErrorCode::storage_failed:
      return ExitCode::unavailable;
    case ErrorCode::corrupt_data:
    case ErrorCode::limit_exceeded:
      return ExitCode::failed;
  }
  return ExitCode::failed;
}

api::Language choose_language(int argc, char** argv) {
  std::string_view chosen;
  for (int at = 1; at < argc; ++at) {
    const std::string_view argument = argv[at];
    if (argument.starts_with("--lang=")) chosen = argument.substr(7);
    if (argument == "--lang" && at + 1 < argc) chosen = argv[at + 1];
  }
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(name);
    if (chosen.empty() && value != nullptr) chosen = value;
  }
  return chosen.starts_with("zh") ? api::Language::zh : api::Language::en;
}

void Console::print(const nlohmann::json& value) { out_ << json_text(value) << std::endl; }

int Console::fail(const Error& error) {
  if (json_) {
    print(api::error_answer(error).body);
  } else {
    err_ << "✗ " << api::message_of(error, language_) << "\n  " << to_string(error) << std::endl;
  }
  return static_cast<int>(exit_code(error.code));
}

}  // namespace duhui::cli
