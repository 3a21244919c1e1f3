#pragma once

#include <optional>
#include <string>

#include "shared/cli/console.h"

namespace CLI {
class App;
}  // namespace CLI

namespace duhui::cli {

/// Help in the console's language: labels, `--help`, `--version`. For a new App, before its
/// subcommands are added: they take over what it has then.
void speak(CLI::App& app, const Console& console, const std::string& version);

/// What the exit codes mean: the end of the help of a program and of its groups.
std::string exit_codes(const Console& console);

/// Reads the arguments. An exit code: the program ends here, for help was asked for and given, or
/// the usage was wrong and the person was told what (with --json as JSON on standard output).
std::optional<int> parse_arguments(CLI::App& app, int argc, char** argv, Console& console);

}  // namespace duhui::cli
