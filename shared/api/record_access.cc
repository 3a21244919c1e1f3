#include "shared/api/record_access.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "shared/api/record_answer.h"
#include "shared/base/scope.h"
#include "shared/crypto/registry_id.h"
#include "shared/domain/grants.h"
#include "shared/domain/school_part.h"
#include "shared/domain/writers.h"
#include "shared/record/json_layout.h"
#include "shared/record/record_path.h"

namespace duhui::api {
namespace {

using Json = nlohmann::json;

/// Where records name the people who have to do with them.
constexpr std::array kPeopleFields = {"/participants/lead", "/participants/supervisor_ids",
                                      "/assignee_ids",      "/handler",
                                      "/supervisor_id",     "/rater_ids",
                                      "/issued_by",         "/target_person"};
constexpr std::array kSectionFields = {"/section_id", "/section_ids", "/section_copies",
                                       "/to_section"};

void collect(const Json& record, std::string_view place, std::vector<std::string>& out) {
  const Json::json_pointer pointer{std::string(place)};
  if (!record.contains(pointer)) return;
  const Json& found = record[pointer];
  if (found.is_string()) out.push_back(found);
  if (!found.is_array()) return;
  for (const Json& one : found) {
    if (one.is_string()) out.push_back(one);
  }
}

/// Takes "participants/lead" out of a record.
void erase_path(Json& value, std::string_view path) {
  const std::size_t slash = path.find('/');
  const std::string name(path.substr(0, slash));
  if (!value.is_object() || !value.contains(name)) return;
  if (slash == std::string_view::npos) {
    value.erase(name);
    return;
  }
  Json& inner = value[name];
  erase_path(inner, path.substr(slash + 1));
  if (inner.is_object() && inner.empty()) value.erase(name);
}

Error no_such_record(const RecordId& id) {
  return {ErrorCode::not_found, "no such record: " + to_uuid_text(id.view())};
}

Error refusal(const Ruling& ruling) {
  return {ruling.reason == "sign_in" ? ErrorCode::unauthenticated : ErrorCode::forbidden,
          std::string(ruling.reason)};
}

}  // namespace

RecordFacts RecordAccess::Known::facts() const {
  return {.schema = schema,
          .scope = scope,
          .about = about,
          .school_id = school_id,
          .state = state,
          .date = date,
          .unannounced = unannounced,
          .presented = presented,
          .people = people,
          .sections = sections};
}

bool RecordAccess::is_school(const std::string& id) {
  const auto known = schools_.find(id);
  if (known != schools_.end()) return known->second;
  const auto found = source_.state(registry_record_id("school", id));
  return schools_[id] = found && *found;
}

void RecordAccess::settle_place(Known& known) {
  std::string last(last_part(known.scope));
  if (known.school_id.empty() && is_school(last)) known.school_id = std::move(last);
  // What never leaves the hub has no place in the tree, and a school's profile stands with those of
  // its district: their school says whose they are.
  const bool at_hub = known.scope == kHubScope;
  const bool registry =
      known.schema != nullptr && known.schema->rule.audience() == record::v1::AUDIENCE_REGISTRY;
  if (!at_hub && (registry || known.school_id.empty())) return;
  if (!at_hub && last_part(known.scope) == known.school_id) return;
  auto scope = scopes_.of_school(known.school_id);
  // So does a surprise task, which is kept off the school's machine.
  const bool surprise = known.schema != nullptr && known.schema->rule.name() == "task";
  if (scope && (at_hub || surprise || scope_writable(known.scope, *scope))) {
    known.scope = std::move(*scope);
  }
  if (!scope && at_hub) known.scope = source_.facts().root_scope;
}

std::string RecordAccess::about(const RecordSchema& schema, const Json& value) {
  const auto text = [&value](const char* name) {
    const auto at = value.is_object() ? value.find(name) : value.end();
    return at != value.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  const std::string& root = source_.facts().root_scope;
  const auto place = [&](const std::string& id) {
    return place_in_tree(id, root,
                         [this](const std::string& one) { return parent_of(source_, one); });
  };
  const std::string& type = schema.rule.name();
  if (type == "org") {
    const std::string own = place(text("id"));
    return own.empty() ? place(text("parent_id")) : own;
  }
  if (const std::string school = text("school_id"); !school.empty()) {
    const auto scope = scopes_.of_school(school);
    return scope ? *scope : std::string("?");
  }
  for (const char* name : {"zone_id", "org_id", "district_id", "scope_org_id"}) {
    const std::string id = text(name);
    if (id.empty()) continue;
    // A place nobody knows is nobody's.
    const std::string found = place(id);
    return found.empty() ? std::string("?") : found;
  }
  return {};
}

RecordAccess::Known RecordAccess::of_row(const RecordRow& row) {
  Known known{.schema = Schema::instance().find(row.type),
              .scope = row.scope,
              .school_id = row.school_id,
              .state = row.state,
              .date = row.date};
  settle_place(known);
  return known;
}

RecordAccess::Known RecordAccess::of_state(const RecordId& id, const RecordState& state) {
  Known known{.schema = Schema::instance().find(state.type()), .scope = state.scope()};
  if (known.schema == nullptr || state.stage() != RecordState::Stage::born) return known;
  const Presented shown = present(*known.schema, to_uuid_text(id.view()), state, lookup_.narrow());
  RecordRow row = row_of(id, state, shown);
  known.school_id = std::move(row.school_id);
  known.state = std::move(row.state);
  known.date = std::move(row.date);
  known.unannounced = shown.record.value("unannounced", false);
  known.presented = shown.record.value("signatures", Json::array()).size() > 0;
  known.about = about(*known.schema, shown.record);
  for (const char* place : kPeopleFields) collect(shown.record, place, known.people);
  // Who is in a registry is named by the record itself.
  if (!known.schema->rule.id_fields().empty()) collect(shown.record, "/id", known.people);
  for (const char* place : kSectionFields) collect(shown.record, place, known.sections);
  for (const auto& [dot, op] : state.ops()) {
    if (!op.stamp.proposal && !op.person.empty()) known.people.push_back(op.person);
  }
  std::ranges::sort(known.people);
  known.people.erase(std::unique(known.people.begin(), known.people.end()), known.people.end());
  settle_place(known);
  return known;
}

Ruling RecordAccess::ruling(Verb verb, const Known& known) const {
  return authorize(subject_, verb, known.facts());
}

Result<bool> RecordAccess::may_list(const RecordRow& row, Verb verb) {
  Known known = of_row(row);
  if (known.schema == nullptr) return subject_.kind == Subject::Kind::operator_;
  // A row does not tell who is named, nor whether a task is a surprise.
  const bool tells_all = known.schema->rule.school_sight() != record::v1::SCHOOL_SIGHT_ANNOUNCED;
  const Ruling by_row = ruling(verb, known);
  if (by_row.allowed && tells_all) return true;
  // A row does not tell whether a sheet was laid before the school either.
  const bool maybe_presented = by_row.reason == "not_yet" && known.state != "discarded";
  if (!by_row.allowed && by_row.reason != "scope" && !maybe_presented) return false;
  // Whom a record names matters to supervisors and sections, not to the staff of another school.
  const bool school_only = std::ranges::all_of(
      subject_.grants, [](const Grant& grant) { return is_school_role(grant.role); });
  if (!by_row.allowed && school_only && !maybe_presented) return false;
  DUHUI_TRY(state, source_.state(row.id));
  return state && ruling(verb, of_state(row.id, *state)).allowed;
}

Status RecordAccess::check_read(const RecordId& id, const RecordState& state) {
  const Known known = of_state(id, state);
  const bool shapeless = known.schema == nullptr || state.stage() != RecordState::Stage::born;
  if (shapeless && subject_.kind == Subject::Kind::operator_) return Done{};
  if (shapeless || !ruling(Verb::read, known)) return no_such_record(id);
  return Done{};
}

Status RecordAccess::check(Verb verb, const RecordId& id, const RecordState& state) {
  const Known known = of_state(id, state);
  if (!ruling(Verb::read, known)) return no_such_record(id);
  if (const Ruling may = ruling(verb, known); !may) return refusal(may);
  return Done{};
}

Status RecordAccess::check_type(const Json& body) const {
  const auto type = body.find("type");
  if (type == body.end() || !type->is_string()) return Done{};
  const RecordSchema* schema = Schema::instance().find(type->get<std::string>());
  if (schema == nullptr) return Done{};
  if (const Ruling may = authorize_type(subject_, *schema); !may) return refusal(may);
  return Done{};
}

Status RecordAccess::check_import(const RecordSchema& schema,
                                  const std::string& scope,
                                  const Json& value) {
  if (schema.rule.name() == "user") return check_create(schema, scope, value);
  return check_new(Verb::read, schema, scope, value);
}

Status RecordAccess::check_create(const RecordSchema& schema,
                                  const std::string& scope,
                                  const Json& value) {
  return check_new(Verb::create, schema, scope, value);
}

Status RecordAccess::check_new(Verb verb,
                               const RecordSchema& schema,
                               const std::string& scope,
                               const Json& value) {
  Known known{.schema = &schema, .scope = scope};
  known.school_id =
      value.is_object() && value.contains("school_id") && value["school_id"].is_string()
          ? value["school_id"].get<std::string>()
          : std::string();
  known.about = about(schema, value);
  settle_place(known);
  if (const Ruling may = ruling(verb, known); !may) return refusal(may);
  return Done{};
}

Status RecordAccess::check_history(const RecordId& id,
                                   const RecordState& state,
                                   std::string_view path) {
  const Known known = of_state(id, state);
  if (!ruling(Verb::read, known)) return no_such_record(id);
  DUHUI_TRY(parsed, parse_path(*known.schema, path));
  if (parsed.field == nullptr) return Done{};
  if (hides(known, parsed.field->rule)) return Error{ErrorCode::forbidden, "role"};
  if (!reads_as_school(subject_, known.facts())) return Done{};
  if (may_write(parsed.field->rule, record::v1::WRITER_SCHOOL)) return Done{};
  return Error{ErrorCode::forbidden, "role"};
}

bool RecordAccess::hides(const Known& known, const record::v1::FieldRule& rule) const {
  return !authorize_field(subject_, known.facts(), rule);
}

void RecordAccess::redact_value(const RecordId& id, const RecordState& state, Json& value) {
  const Known known = of_state(id, state);
  if (known.schema == nullptr) return;
  for (const auto& [number, field] : known.schema->fields) {
    if (hides(known, field.rule)) erase_path(value, json_path_of(*field.field));
  }
  if (!reads_as_school(subject_, known.facts())) return;
  // What supervisors and office told one another on the way.
  for (const char* name : {"timeline", "status_log", "state_log", "state_events", "log"}) {
    if (!value.contains(name) || !value[name].is_array()) continue;
    for (Json& step : value[name]) {
      if (!step.is_object()) continue;
      std::erase_if(step.get_ref<Json::object_t&>(),
                    [](const auto& field) { return is_step_note(field.first); });
    }
  }
}

void RecordAccess::redact_conflicts(const RecordId& id, const RecordState& state, Json& conflicts) {
  const Known known = of_state(id, state);
  const bool school = reads_as_school(subject_, known.facts());
  std::erase_if(conflicts.get_ref<Json::array_t&>(), [&](const Json& conflict) {
    const auto parsed = parse_path(*known.schema, conflict.value("field", ""));
    if (!parsed || parsed->field == nullptr) return school;
    return hides(known, parsed->field->rule) ||
           (school && !may_write(parsed->field->rule, record::v1::WRITER_SCHOOL));
  });
}

void RecordAccess::redact_answer(const RecordId& id, const RecordState& state, Json& answer) {
  redact_value(id, state, answer["value"]);
  const Known known = of_state(id, state);
  if (known.schema == nullptr) return;
  redact_conflicts(id, state, answer["conflicts"]);
  if (!reads_as_school(subject_, known.facts())) return;
  // What supervisors and office have to settle among themselves.
  for (const char* name : {"flags", "amendments", "proposals", "submit_blockers"})
    answer[name] = Json::array();
  for (Json& step : answer["timeline"]) step.erase("note");
}

std::vector<std::string> RecordAccess::restricted_in(const RecordSchema& schema,
                                                     const Json& value) {
  std::vector<std::string> found;
  for (const auto& [number, field] : schema.fields) {
    if (!field.rule.restricted()) continue;
    const Json::json_pointer place{"/" + json_path_of(*field.field)};
    if (value.contains(place) && !value[place].is_null()) {
      found.push_back(json_path_of(*field.field));
    }
  }
  return found;
}

}  // namespace duhui::api
