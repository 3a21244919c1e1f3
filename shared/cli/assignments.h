#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/base/result.h"

namespace duhui::cli {

/// A whole file; "-": standard input.
Result<std::string> read_argument_file(const std::string& path);

/// The first line of a file, or of standard input ("-"): a password is never an argument, where
/// everybody on the machine can read it.
Result<std::string> read_password_file(const std::string& path);

/// What somebody typed as a value: JSON if it is JSON, otherwise text; "@file" (JSON or text).
Result<nlohmann::json> parse_value(const std::string& text);

/// "field=value" taken apart.
Result<std::pair<std::string, nlohmann::json>> parse_assignment(const std::string& text);

/// A value from "field=value" arguments; "participants/lead=sup-001" makes an object inside.
Result<nlohmann::json> object_from(const std::vector<std::string>& assignments,
                                   nlohmann::json start);

}  // namespace duhui::cli
