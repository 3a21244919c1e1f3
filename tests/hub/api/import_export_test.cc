#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "hub/api/registry_import.h"
#include "hub/app/registry_files.h"
#include "shared/api/record_ids.h"
#include "tests/hub/api/memory_access.h"
#include "tests/shared/record/sample_data.h"

namespace duhui::hub {
namespace {

using duhui::testing::SampleFile;
using testing::Json;
using testing::TestHub;

/// Who imports what names nobody.
constexpr const char* kImportedBy = "u-off-430202-1";

/// What an export has beside or instead of the input, by record type. Nothing else may differ.
const std::map<std::string, std::set<std::string>> kOfTheHub = {
    // What people have to look at follows from other records and from today.
    {"visit_record", {"flags"}},
    {"problem", {"flags", "timeline[].effective_on", "timeline[].waived_reason"}},
    // The events which the files tell only in part.
    {"rectification_notice", {"flags", "state_log"}},
    {"rectification_response", {"state_log"}},
    {"escalation", {"state_log"}},
    {"consultation_letter", {"state_log"}},
    {"evaluation", {"state_log"}},
    {"task", {"state_log"}},
    {"campaign", {"state_log"}},
    {"template", {"state"}},
    // What has no id of its own is told by its UUID.
    {"school_profile", {"id"}},
    {"policy_setting", {"id"}},
    {"indicator_value", {"id"}},
};

bool is_record_file(const SampleFile& file) {
  static const std::set<std::string> types = {
      "visit_record", "problem",    "rectification_notice", "rectification_response",
      "recheck",      "escalation", "evaluation",           "consultation_letter",
      "complaint"};
  return types.count(file.type) != 0;
}

/// The records of a file as they are handed in.
std::vector<Json> records_of(const SampleFile& file) {
  std::vector<Json> records = duhui::testing::sample_records(file);
  // The one calendar of a city needs no id of its own in its file.
  if (file.type == "calendar") records.front()["id"] = "calendar";
  return records;
}

std::string id_of(const SampleFile& file, const Json& record) {
  const std::string readable = api::readable_id(*Schema::instance().find(file.type), record);
  return readable.empty() ? record.value("id", "") : readable;
}

void import_file(TestHub& hub, const SampleFile& file, const std::vector<Json>& records) {
  if (!is_record_file(file)) {
    const Json taken = hub.posted("/import", {{"kind", file.type}, {"rows", records}});
    EXPECT_EQ(taken.value("created", Json()), records.size()) << file.file;
    return;
  }
  Json wanted = Json::array();
  for (const Json& record : records) {
    wanted.push_back(
        {{"type", file.type}, {"as", kImportedBy}, {"value", record}, {"import", true}});
  }
  const Json taken = hub.posted("/records", {{"records", wanted}});
  EXPECT_EQ(taken.value("saved", Json()), records.size()) << file.file;
}

std::map<std::string, Json> exported(TestHub& hub, const SampleFile& file) {
  std::map<std::string, Json> records;
  std::string after;
  for (;;) {
    const Json page = hub.got("/export?type=" + file.type + "&limit=500" + after);
    for (const Json& record : page["records"]) records[id_of(file, record)] = record;
    if (page["next"].is_null()) return records;
    after = "&after=" + page["next"].get<std::string>();
  }
}

/// Sets have no order.
Json sorted(Json value) {
  if (value.is_structured()) {
    for (Json& inner : value) inner = sorted(std::move(inner));
  }
  if (value.is_array()) std::sort(value.begin(), value.end());
  return value;
}

/// `flags` or `timeline[].effective_on`, taken out wherever it is.
void take_out(Json* record, const std::string& path) {
  const std::size_t list = path.find("[].");
  if (list == std::string::npos) {
    record->erase(path);
    return;
  }
  const auto entries = record->find(path.substr(0, list));
  if (entries == record->end()) return;
  for (Json& entry : *entries) entry.erase(path.substr(list + 3));
}

Json comparable(const SampleFile& file, Json record) {
  const auto of_the_hub = kOfTheHub.find(file.type);
  if (of_the_hub != kOfTheHub.end()) {
    for (const std::string& path : of_the_hub->second) take_out(&record, path);
  }
  return sorted(duhui::testing::without_unset(record));
}

TEST(ImportExport, EveryRecordOfTheSampleDataComesOutAsItWentIn) {
  TestHub hub;
  for (const SampleFile& file : duhui::testing::sample_files()) {
    import_file(hub, file, records_of(file));
  }
  std::map<std::string, std::map<std::string, Json>> all;
  std::size_t compared = 0;
  for (const SampleFile& file : duhui::testing::sample_files()) {
    auto& records = all[file.type];
    if (records.empty()) records = exported(hub, file);
    for (const Json& record : records_of(file)) {
      const std::string id = id_of(file, record);
      EXPECT_EQ(records.count(id), 1u) << file.file << " " << id;
      EXPECT_EQ(comparable(file, record), comparable(file, records[id])) << file.file << " " << id;
      ++compared;
    }
  }
  EXPECT_GT(compared, 2800u);
}

}  // namespace
}  // namespace duhui::hub
