#include "shared/cli/assignments.h"

#include <fstream>
#include <iostream>
#include <iterator>

namespace duhui::cli {
namespace {

using Json = nlohmann::json;

Error invalid(std::string detail) { return {ErrorCode::invalid_input, std::move(detail)}; }

}  // namespace

Result<std::string> read_argument_file(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream file(path, std::ios::binary);
  if (!file) return invalid("file: cannot read " + path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (file.bad()) return invalid("file: cannot read " + path);
  return text;
}

Result<std::string> read_password_file(const std::string& path) {
  DUHUI_TRY(text, read_argument_file(path));
  std::string line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return invalid("password: the file is empty");
  return line;
}

Result<Json> parse_value(const std::string& text) {
  if (text.starts_with('@')) {
    DUHUI_TRY(content, read_argument_file(text.substr(1)));
    Json parsed = Json::parse(content, nullptr, false);
    return parsed.is_discarded() ? Json(content) : parsed;
  }
  Json parsed = Json::parse(text, nullptr, false);
  return parsed.is_discarded() ? Json(text) : parsed;
}

Result<std::pair<std::string, Json>> parse_assignment(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return invalid("field=value: " + text);
  DUHUI_TRY(value, parse_value(text.substr(equals + 1)));
  return std::pair<std::string, Json>(text.substr(0, equals), std::move(value));
}

Result<Json> object_from(const std::vector<std::string>& assignments, Json start) {
  if (!start.is_object()) return invalid("value: an object");
  for (const std::string& text : assignments) {
    DUHUI_TRY(one, parse_assignment(text));
    Json* place = &start;
    std::string rest = one.first;
    for (std::size_t slash; (slash = rest.find('/')) != std::string::npos;) {
      place = &(*place)[rest.substr(0, slash)];
      if (!place->is_null() && !place->is_object()) return invalid("field=value: " + text);
      rest.erase(0, slash + 1);
    }
    (*place)[rest] = std::move(one.second);
  }
  return start;
}

}  // namespace duhui::cli
