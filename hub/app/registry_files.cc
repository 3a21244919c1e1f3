#include "hub/app/registry_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "hub/api/registry_import.h"
#include "hub/app/hub_folder.h"
#include "shared/cli/csv.h"
#include "shared/record/json_text.h"
#include "shared/record/record_json.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

struct Place {
  std::string_view file;
  std::string_view kind;
};
// In the order of their references.
constexpr std::array kFiles = {Place{"orgs.json", "orgs"},
                               Place{"schools.csv", "schools"},
                               Place{"school_profiles.csv", "school_profiles"},
                               Place{"supervisors.csv", "supervisors"},
                               Place{"users.csv", "users"},
                               Place{"assignments.csv", "assignments"},
                               Place{"campaigns.json", "campaigns"},
                               Place{"policy_settings.json", "policy_settings"},
                               Place{"calendar.json", "calendars"},
                               Place{"tasks.jsonl", "tasks"},
                               Place{"sample_draws.json", "sample_draws"},
                               Place{"indicators.csv", "indicators"}};
constexpr std::string_view kTemplates = "templates";
constexpr std::string_view kDevices = "agents.csv";

Error in_file(Error error, const std::string& name) {
  error.detail = name + ": " + error.detail;
  return error;
}

Status read_csv(const std::string& text, RegistryFile* file) {
  DUHUI_TRY(schema, schema_of_kind(file->kind));
  DUHUI_TRY(rows, cli::parse_csv(text));
  for (const cli::CsvRow& row : rows) {
    const std::string place = "line " + std::to_string(row.line);
    auto json = RecordJson::instance().registry_row(*schema->descriptor, row.cells);
    if (!json) return in_file(std::move(json).error(), place);
    file->rows.push_back(std::move(*json));
    file->places.push_back(place);
  }
  return Done{};
}

Status read_json_lines(const std::string& text, RegistryFile* file) {
  std::size_t line = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view row = std::string_view(text).substr(at, end - at);
    at = end + 1;
    const std::string place = "line " + std::to_string(++line);
    if (row.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto json = parse_json(row);
    if (!json) return in_file(std::move(json).error(), place);
    file->rows.push_back(std::move(*json));
    file->places.push_back(place);
  }
  return Done{};
}

Status read_json(const std::string& text, RegistryFile* file) {
  DUHUI_TRY(value, parse_json(text));
  if (!value.is_array()) value = Json::array({std::move(value)});
  for (Json& row : value) {
    // The one calendar of a city needs no id of its own in its file.
    if (file->kind == "calendars" && row.is_object() && !row.contains("id")) row["id"] = "calendar";
    file->rows.push_back(std::move(row));
    file->places.push_back("row " + std::to_string(file->rows.size()));
  }
  return Done{};
}

Result<RegistryFile> read_one(const std::string& folder, std::string name, std::string kind) {
  RegistryFile file{std::move(name), std::move(kind), {}, {}};
  auto text = read_file(folder + "/" + file.name);
  if (!text) return std::move(text).error();
  const Status read = file.name.ends_with(".csv")     ? read_csv(*text, &file)
                      : file.name.ends_with(".jsonl") ? read_json_lines(*text, &file)
                                                      : read_json(*text, &file);
  if (!read) return in_file(read.error(), file.name);
  return file;
}

/// Names of the template files, in order; none without the folder.
std::vector<std::string> template_files(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(folder + "/" + std::string(kTemplates), ignored)) {
    if (entry.path().extension() == ".json") {
      names.push_back(std::string(kTemplates) + "/" + entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The data files of the folder that no kind of registry reads.
std::vector<SkippedFile> skipped_files(const std::string& folder) {
  std::vector<SkippedFile> skipped;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const std::string ending = entry.path().extension().string();
    if (ending != ".csv" && ending != ".json" && ending != ".jsonl") continue;
    const auto is_it = [&](const Place& place) { return place.file == name; };
    if (std::any_of(kFiles.begin(), kFiles.end(), is_it)) continue;
    auto reason = SkippedFile::Reason::unknown;
    if (ending == ".jsonl") reason = SkippedFile::Reason::records;
    if (name == kDevices) reason = SkippedFile::Reason::devices;
    skipped.push_back({name, reason});
  }
  std::ranges::sort(skipped, {}, &SkippedFile::name);
  return skipped;
}

}  // namespace

std::string_view to_string(SkippedFile::Reason reason) {
  switch (reason) {
    case SkippedFile::Reason::records:
      return "records";
    case SkippedFile::Reason::devices:
      return "devices";
    case SkippedFile::Reason::unknown:
      return "unknown";
  }
  return {};
}

Result<RegistryFolder> read_registry_folder(const std::string& folder) {
  std::vector<RegistryFile> files;
  const auto add = [&](std::string name, std::string_view kind) -> Status {
    std::error_code ignored;
    if (!std::filesystem::exists(folder + "/" + name, ignored)) return Done{};
    DUHUI_TRY(file, read_one(folder, std::move(name), std::string(kind)));
    files.push_back(std::move(file));
    return Done{};
  };
  for (const Place& place : kFiles) DUHUI_CHECK_OK(add(std::string(place.file), place.kind));
  for (std::string& name : template_files(folder)) {
    DUHUI_CHECK_OK(add(std::move(name), kTemplates));
  }
  if (files.empty()) {
    return Error{ErrorCode::not_found,
                 folder + ": no registry file there (orgs.json, schools.csv ...)"};
  }
  return RegistryFolder{std::move(files), skipped_files(folder)};
}

}  // namespace duhui::hub
