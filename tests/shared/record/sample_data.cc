#include "tests/shared/record/sample_data.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "shared/merge/schema.h"
#include "shared/record/record_json.h"

namespace duhui::testing {
namespace {

/// RFC 4180, enough for files we wrote ourselves.
std::vector<std::vector<std::string>> csv_rows(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      rows.back().back() += c;
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      rows.back().emplace_back();
    } else if (!quoted && c == '\n') {
      rows.emplace_back(1);
    } else if (c != '\r') {
      rows.back().back() += c;
    }
  }
  if (rows.back().size() == 1 && rows.back().front().empty()) rows.pop_back();
  return rows;
}

std::vector<nlohmann::json> csv_records(const SampleFile& file) {
  const auto* schema = Schema::instance().find(file.type);
  const auto rows = csv_rows(sample_text(file.file));
  std::vector<nlohmann::json> records;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    std::map<std::string, std::string> row;
    for (std::size_t c = 0; c < rows[0].size(); ++c) row[rows[0][c]] = rows[i].at(c);
    auto json = RecordJson::instance().registry_row(*schema->descriptor, row);
    if (!json) throw std::runtime_error(file.file + ": " + to_string(json.error()));
    records.push_back(*json);
  }
  return records;
}

}  // namespace

const std::vector<SampleFile>& sample_files() {
  static const std::vector<SampleFile> files = [] {
    std::vector<SampleFile> list = {
        {"orgs.json", "org"},
        {"schools.csv", "school"},
        {"school_profiles.csv", "school_profile"},
        {"supervisors.csv", "supervisor"},
        {"users.csv", "user"},
        {"assignments.csv", "assignment"},
        {"policy_settings.json", "policy_setting"},
        {"campaigns.json", "campaign"},
        {"tasks.jsonl", "task"},
        {"visits.jsonl", "visit_record"},
        {"problems.jsonl", "problem"},
        {"notices.jsonl", "rectification_notice"},
        {"responses.jsonl", "rectification_response"},
        {"rechecks.jsonl", "recheck"},
        {"escalations.jsonl", "escalation"},
        {"consultation_letters.jsonl", "consultation_letter"},
        {"complaints.jsonl", "complaint"},
        {"evaluations.jsonl", "evaluation"},
        {"sample_draws.json", "sample_draw"},
        {"indicators.csv", "indicator_value"},
        {"calendar.json", "calendar"},
    };
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(DUHUI_TEST_DATA) + "/templates")) {
      list.push_back({"templates/" + entry.path().filename().string(), "template"});
    }
    return list;
  }();
  return files;
}

std::string sample_text(const std::string& file) {
  std::ifstream stream(std::string(DUHUI_TEST_DATA) + "/" + file, std::ios::binary);
  if (!stream) throw std::runtime_error("no test data: " + file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<nlohmann::json> sample_records(const SampleFile& file) {
  if (file.file.ends_with(".csv")) return csv_records(file);
  const std::string text = sample_text(file.file);
  std::vector<nlohmann::json> records;
  if (file.file.ends_with(".jsonl")) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty()) records.push_back(nlohmann::json::parse(line));
    }
    return records;
  }
  const auto value = nlohmann::json::parse(text);
  if (!value.is_array()) return {value};
  records.assign(value.begin(), value.end());
  return records;
}

nlohmann::json without_unset(const nlohmann::json& value) {
  if (value.is_array()) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& item : value) list.push_back(without_unset(item));
    return list;
  }
  if (!value.is_object()) return value;
  nlohmann::json object = nlohmann::json::object();
  for (const auto& [name, item] : value.items()) {
    nlohmann::json inner = without_unset(item);
    const bool empty = inner.is_null() || (inner.is_structured() && inner.empty());
    if (!empty) object[name] = std::move(inner);
  }
  return object;
}

}  // namespace duhui::testing
