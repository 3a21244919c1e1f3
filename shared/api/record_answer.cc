#include "shared/api/record_answer.h"

#include <algorithm>
#include <cctype>

#include "shared/api/record_ids.h"
#include "shared/api/time_text.h"
#include "shared/record/field_rule.h"
#include "shared/record/json_layout.h"
#include "shared/record/record_edit.h"

namespace duhui::api {
namespace {

using Json = nlohmann::json;

std::string lower_name(std::string_view prefix, std::string_view name) {
  if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  std::string text(name);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string quality_name(sync::v1::TimeQuality quality) {
  return lower_name("TIME_QUALITY_", sync::v1::TimeQuality_Name(quality));
}

Json dots_json(const std::vector<Dot>& dots) {
  Json list = Json::array();
  for (const Dot& dot : dots) list.push_back(to_string(dot));
  return list;
}

/// What replaced the write `dot` of a register.
Json replacements(const RecordState& state, const RegisterKey& key, const Dot& dot) {
  const Register* reg = state.find(key);
  if (reg == nullptr) return Json::array();
  for (const RegisterWrite& write : reg->history) {
    if (write.dot == dot) return dots_json(write.replaced_by);
  }
  return Json::array();
}

/// The part of a value that `rest` ("caption") names; the value itself for an empty one.
Json narrowed(Json value, std::string_view rest) {
  while (!rest.empty() && !value.is_null()) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const std::string name(rest.substr(0, end));
    value = value.is_object() && value.contains(name) ? Json(value[name]) : Json();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return value;
}

void narrow_all(Json* list, std::string_view rest) {
  for (Json& entry : *list) entry["value"] = narrowed(std::move(entry["value"]), rest);
}

Json authored_list(const RecordSchema& schema,
                   const RegisterKey& key,
                   const std::vector<AuthoredValue>& values) {
  Json list = Json::array();
  for (const AuthoredValue& value : values) list.push_back(authored_answer(schema, key, value));
  return list;
}

/// siblings, history, proposals, conflict and policy of one register.
Json register_answer(const RecordState& state,
                     const RecordSchema& schema,
                     const ShownRegister& shown) {
  Json history = Json::array();
  for (const AuthoredValue& value : shown.history) {
    Json entry = authored_answer(schema, shown.key, value);
    entry["replaced_by"] = replacements(state, shown.key, value.dot);
    history.push_back(std::move(entry));
  }
  return {{"siblings", authored_list(schema, shown.key, shown.siblings)},
          {"history", std::move(history)},
          {"proposals", authored_list(schema, shown.key, shown.proposals)},
          {"conflict", shown.in_conflict()},
          {"policy", policy_name(shown.policy)}};
}

Json empty_register(const FieldSchema* field) {
  const auto policy = field == nullptr ? record::v1::POLICY_LATEST : field->rule.policy();
  return {{"siblings", Json::array()},
          {"history", Json::array()},
          {"proposals", Json::array()},
          {"conflict", false},
          {"policy", policy_name(policy)}};
}

void merge_into(Json* whole, Json part, const std::string& path) {
  for (const char* name : {"siblings", "history", "proposals"}) {
    for (Json& entry : part[name]) {
      entry["path"] = path;
      (*whole)[name].push_back(std::move(entry));
    }
  }
  if (part["conflict"].get<bool>()) (*whole)["conflict"] = true;
}

bool has_many_registers(const FieldSchema& field) {
  return field.shape == FieldSchema::Shape::map || field.shape == FieldSchema::Shape::elements;
}

/// The field whose JSON place is exactly `path`; null: none.
const FieldSchema* whole_field(const RecordSchema& schema, std::string_view path) {
  for (const auto& [number, field] : schema.fields) {
    if (json_path_of(*field.field) == path) return &field;
  }
  return nullptr;
}

Json timeline_json(const Presented& shown) {
  Json timeline = Json::array();
  for (const TimelineEntry& entry : shown.timeline) {
    Json line = {
        {"event", entry.event}, {"by", entry.by}, {"at", entry.at}, {"effective", entry.effective}};
    if (!entry.note.empty()) line["note"] = entry.note;
    if (!entry.reason.empty()) line["reason"] = entry.reason;
    timeline.push_back(std::move(line));
  }
  return timeline;
}

Json amendments_json(const Presented& shown) {
  Json amendments = Json::array();
  for (const Amendment& amendment : shown.view.amendments) {
    Json fields = Json::array();
    for (const RegisterKey& key : amendment.registers) {
      fields.push_back(path_of(*shown.schema, key));
    }
    amendments.push_back({{"by", amendment.person},
                          {"at", time_text(WallTime{amendment.stamp.effective_ms})},
                          {"reason", amendment.reason},
                          {"fields", std::move(fields)},
                          {"dot", to_string(amendment.dot)}});
  }
  return amendments;
}

/// What people without authority wrote, for who may decide.
Json proposals_json(const Presented& shown) {
  Json proposals = Json::array();
  for (const ShownRegister& reg : shown.view.registers) {
    for (Json& proposal : authored_list(*shown.schema, reg.key, reg.proposals)) {
      proposal["field"] = path_of(*shown.schema, reg.key);
      proposals.push_back(std::move(proposal));
    }
  }
  return proposals;
}

Json conflicts_json(const Presented& shown) {
  Json conflicts = Json::array();
  for (const ShownRegister& reg : shown.view.registers) {
    if (!reg.in_conflict()) continue;
    conflicts.push_back({{"field", path_of(*shown.schema, reg.key)},
                         {"siblings", authored_list(*shown.schema, reg.key, reg.siblings)}});
  }
  return conflicts;
}

}  // namespace

std::string policy_name(record::v1::Policy policy) {
  return lower_name("POLICY_", record::v1::Policy_Name(policy));
}

std::string_view sign_in_name(sync::v1::SignIn sign_in) {
  switch (sign_in) {
    case sync::v1::SIGN_IN_AT_DEVICE:
      return "at_device";
    case sync::v1::SIGN_IN_AT_HUB:
      return "at_hub";
    case sync::v1::SIGN_IN_PROVISIONAL:
      return "provisional";
    case sync::v1::SIGN_IN_OPERATOR:
      return "operator";
    case sync::v1::SIGN_IN_IMPORT:
      return "import";
    default:
      return "none";
  }
}

Json authored_answer(const RecordSchema& schema,
                     const RegisterKey& key,
                     const AuthoredValue& value) {
  return {{"value", value.value ? fragment_json(schema, key, *value.value) : Json()},
          {"by", value.person},
          {"at", time_text(WallTime{value.stamp.effective_ms})},
          {"quality", quality_name(value.stamp.quality)},
          {"reason", value.reason},
          {"dot", to_string(value.dot)}};
}

Json record_answer(const RecordId& id,
                   const RecordState& state,
                   const Presented& shown,
                   const std::string& seen) {
  Json answer = {{"id", shown.id},
                 {"uuid", to_uuid_text(id.view())},
                 {"type", shown.schema->rule.name()},
                 {"scope", state.scope()},
                 {"state", shown.state},
                 {"revision", shown.revision},
                 {"value", shown.record},
                 {"flags", shown.flags},
                 {"seen", seen},
                 {"conflicts", conflicts_json(shown)},
                 {"amendments", amendments_json(shown)},
                 {"proposals", proposals_json(shown)},
                 {"submit_blockers", shown.submit_blockers},
                 {"timeline", timeline_json(shown)},
                 {"deleted", shown.view.deleted},
                 {"born", true}};
  if (shown.view.restored) {
    const Restoration& restored = *shown.view.restored;
    answer["restored_because"] = {
        {"edited_by", restored.because_of_person},
        {"dot", to_string(restored.because_of)},
        {"deleted_by", restored.deletion.person},
        {"deleted_at", time_text(WallTime{restored.deletion.stamp.effective_ms})}};
  } else if (!shown.restored_because.empty()) {
    answer["restored_because"] = {{"edited_by", shown.restored_because}};
  }
  if (!shown.effective_recheck.empty()) answer["effective_recheck"] = shown.effective_recheck;
  return answer;
}

Json unborn_answer(const RecordId& id, const RecordState& state, const std::string& seen) {
  const std::string uuid = to_uuid_text(id.view());
  return {{"id", uuid},
          {"uuid", uuid},
          {"type", type_name(state.type())},
          {"scope", state.scope()},
          {"state", ""},
          {"revision", 1},
          {"value", Json::object()},
          {"flags", Json::array()},
          {"seen", seen},
          {"conflicts", Json::array()},
          {"amendments", Json::array()},
          {"proposals", Json::array()},
          {"submit_blockers", Json::array()},
          {"timeline", Json::array()},
          {"deleted", false},
          {"born", state.stage() == RecordState::Stage::born}};
}

Result<Json> field_answer(const RecordState& state, const Presented& shown, std::string_view path) {
  const RecordSchema& schema = *shown.schema;
  const FieldSchema* whole = whole_field(schema, path);
  const bool derived = whole != nullptr && whole->rule.policy() == record::v1::POLICY_DERIVED;
  if (derived || (whole != nullptr && has_many_registers(*whole))) {
    Json answer = empty_register(whole);
    for (const ShownRegister& reg : shown.view.registers) {
      if (derived || reg.key.field != whole->register_field) continue;
      merge_into(&answer, register_answer(state, schema, reg), path_of(schema, reg.key));
    }
    answer["path"] = path;
    answer["shown"] = narrowed(shown.record, path);
    return answer;
  }
  DUHUI_TRY(key, register_of(schema, path));
  const ShownRegister* reg = shown.view.find(key);
  Json answer = reg == nullptr ? empty_register(schema.find(key.field))
                               : register_answer(state, schema, *reg);
  const FieldSchema* field = schema.find(key.field);
  std::string_view rest;
  if (field != nullptr && field->rule.group() != 0) {
    rest = path;
  } else if (const std::string named = path_of(schema, key); path.size() > named.size()) {
    rest = path.substr(named.size() + 1);
  }
  for (const char* name : {"siblings", "history", "proposals"}) narrow_all(&answer[name], rest);
  answer["path"] = path;
  if (whole != nullptr) {
    // Whatever the domain has made of it (stale signatures, hidden photos).
    answer["shown"] = narrowed(shown.record, path);
  } else {
    std::string bytes;
    if (reg != nullptr) {
      for (const AuthoredValue& value : reg->shown) bytes += value.value.value_or("");
    }
    const bool any = reg != nullptr && !reg->shown.empty();
    answer["shown"] = any ? narrowed(fragment_json(schema, key, bytes), rest) : Json();
  }
  return answer;
}

Json row_answer(const RecordRow& row, const std::string& id) {
  return {{"id", id},
          {"uuid", to_uuid_text(row.id.view())},
          {"type", type_name(row.type)},
          {"scope", row.scope},
          {"state", row.state},
          {"date", row.date},
          {"school_id", row.school_id},
          {"open_conflicts", row.open_conflicts},
          {"deleted", row.deleted}};
}

Json conflict_answers(const Presented& shown) {
  Json conflicts = conflicts_json(shown);
  for (Json& conflict : conflicts) {
    conflict["record"] = shown.id;
    conflict["type"] = shown.schema->rule.name();
    // Open since the later of the competing values was written.
    std::string since;
    for (const Json& sibling : conflict["siblings"]) {
      since = std::max(since, sibling["at"].get<std::string>());
    }
    conflict["since"] = since;
  }
  return conflicts;
}

RecordRow row_of(const RecordId& id, const RecordState& state, const Presented& shown) {
  const auto text = [&shown](const char* name) {
    const auto at = shown.record.find(name);
    return at != shown.record.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  RecordRow row{.id = id,
                .type = state.type(),
                .scope = state.scope(),
                .state = shown.state,
                .date = {},
                .school_id = text("school_id"),
                .open_conflicts = static_cast<std::uint32_t>(shown.view.open_conflicts()),
                .deleted = shown.view.deleted};
  for (const char* name : {"visit_date", "date", "found_at", "issued_at", "at", "created_at"}) {
    if (row.date.empty()) row.date = text(name).substr(0, 10);
  }
  return row;
}

}  // namespace duhui::api
