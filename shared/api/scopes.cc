#include "shared/api/scopes.h"

#include <set>

#include <nlohmann/json.hpp>

#include "duhui/record/v1/org.pb.h"
#include "shared/api/record_ids.h"
#include "shared/crypto/registry_id.h"
#include "shared/merge/view.h"

namespace duhui::api {
namespace {

using Json = nlohmann::json;

Error unknown(std::string detail) {
  return {ErrorCode::invalid_input, "scope: " + std::move(detail)};
}

std::string text_at(const Json& value, const char* name) {
  const auto at = value.find(name);
  return at != value.end() && at->is_string() ? at->get<std::string>() : std::string();
}

/// Registries that every school of the city reads.
const std::set<std::string, std::less<>> kCityTypes = {
    "org",      "template",    "campaign", "policy_setting",  "supervisor", "user",
    "calendar", "sample_draw", "training", "monthly_meeting", "document"};
const std::set<std::string, std::less<>> kDistrictTypes = {"school", "school_profile",
                                                           "assignment"};

/// Whether a record of this registry is here; its message then.
template <typename Message>
bool read_registry(RecordSource& source, const char* type, const std::string& id, Message* out) {
  const auto state = source.state(registry_record_id(type, id));
  if (!state || !*state) return false;
  const ShownMessage shown = shown_message(*Schema::instance().find(type), **state, {});
  return !shown.deleted && out->ParseFromString(shown.bytes);
}

}  // namespace

std::string_view last_part(std::string_view scope) { return scope.substr(scope.rfind('/') + 1); }

std::string parent_of(RecordSource& source, const std::string& id) {
  record::v1::Org org;
  if (read_registry(source, "org", id, &org)) return org.parent_id();
  record::v1::School school;
  if (!read_registry(source, "school", id, &school)) return {};
  return school.zone_id().empty() ? school.district_id() : school.zone_id();
}

Result<ScopeFinder::School> ScopeFinder::school(const std::string& school_id) {
  const auto known = schools_.find(school_id);
  if (known != schools_.end()) return known->second;
  const RecordSchema* schema = Schema::instance().find("school");
  DUHUI_TRY(state, source_.state(registry_record_id("school", school_id)));
  record::v1::School row;
  if (!state || schema == nullptr ||
      !row.ParseFromString(shown_message(*schema, *state, {}).bytes) || row.district_id().empty()) {
    return unknown("school " + school_id + " is not known here");
  }
  return schools_[school_id] = School{row.district_id(), row.zone_id()};
}

Result<std::string> ScopeFinder::of_district(const std::string& school_id) {
  if (facts_.root_scope.empty()) return unknown("the city is not known yet");
  DUHUI_TRY(row, school(school_id));
  return facts_.root_scope + "/" + row.district;
}

Result<std::string> ScopeFinder::of_school(const std::string& school_id) {
  // A device of one school knows its place from its ticket, before any registry has arrived.
  for (const std::string& scope : facts_.scopes) {
    if (scope == school_id || scope.ends_with("/" + school_id)) return scope;
  }
  if (facts_.root_scope.empty()) return unknown("the city is not known yet");
  DUHUI_TRY(row, school(school_id));
  const std::string zone = row.zone.empty() ? "" : "/" + row.zone;
  return facts_.root_scope + "/" + row.district + zone + "/" + school_id;
}

Result<std::string> ScopeFinder::of_surprise(const std::string& school_id, const Json& assignees) {
  DUHUI_TRY(district, of_district(school_id));
  const bool one = assignees.is_array() && assignees.size() == 1 && assignees[0].is_string();
  const std::string who = one ? assignees[0].get<std::string>() : std::string(kSupervisorsScope);
  return district + "/" + who;
}

Result<std::string> ScopeFinder::of_record(const std::string& text) {
  const auto bytes = from_uuid_text(text);
  if (!bytes) return unknown("of record " + text);
  const RecordId id = *RecordId::from_bytes(*bytes);
  const auto noted = noted_.find(id);
  if (noted != noted_.end()) return noted->second;
  DUHUI_TRY(state, source_.state(id));
  if (!state || state->scope().empty()) return unknown("record " + text + " is not known here");
  return state->scope();
}

Result<std::string> ScopeFinder::scope_for(const RecordSchema& schema, const Json& value) {
  const std::string& type = schema.rule.name();
  if (schema.rule.hub_only()) return std::string(kHubScope);
  if (kCityTypes.contains(type)) {
    if (facts_.root_scope.empty()) return unknown("the city is not known yet");
    return facts_.root_scope;
  }
  const std::string school_id = text_at(value, type == "school" ? "id" : "school_id");
  if (kDistrictTypes.contains(type)) {
    if (type != "school") return of_district(school_id);
    if (facts_.root_scope.empty()) return unknown("the city is not known yet");
    const std::string district = text_at(value, "district_id");
    if (!district.empty()) schools_[school_id] = School{district, text_at(value, "zone_id")};
    return district.empty() ? facts_.root_scope : facts_.root_scope + "/" + district;
  }
  if (type == "task" && value.value("unannounced", Json(false)) == Json(true)) {
    return of_surprise(school_id, value.value("assignee_ids", Json::array()));
  }
  if (!school_id.empty()) return of_school(school_id);
  if (text_at(value, "entity_kind") == "school") return of_school(text_at(value, "entity_id"));
  if (text_at(value, "entity_kind") == "district" && !facts_.root_scope.empty()) {
    return facts_.root_scope + "/" + text_at(value, "entity_id");
  }
  for (const char* name : {"notice_id", "problem_id", "visit_id", "target_id"}) {
    const std::string id = text_at(value, name);
    if (!id.empty()) return of_record(id);
  }
  const Json problems = value.value("problem_ids", Json::array());
  if (problems.is_array() && !problems.empty() && problems[0].is_string()) {
    return of_record(problems[0].get<std::string>());
  }
  if (facts_.scopes.size() == 1) return facts_.scopes.front();
  if (facts_.scopes.empty() && !facts_.root_scope.empty()) return facts_.root_scope;
  return unknown("the value names no school");
}

}  // namespace duhui::api
