#include "hub/api/registry_import.h"

#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "hub/core/domain_rules.h"
#include "shared/api/people.h"
#include "shared/api/record_ids.h"
#include "shared/api/scopes.h"
#include "shared/crypto/registry_id.h"
#include "shared/domain/told_events.h"
#include "shared/record/record_edit.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kKinds = {{
    {"orgs", "org"},
    {"schools", "school"},
    {"school_profiles", "school_profile"},
    {"supervisors", "supervisor"},
    {"users", "user"},
    {"assignments", "assignment"},
    {"templates", "template"},
    {"campaigns", "campaign"},
    {"policy_settings", "policy_setting"},
    {"calendars", "calendar"},
    {"tasks", "task"},
    {"sample_draws", "sample_draw"},
    {"indicators", "indicator_value"},
}};
constexpr std::size_t kRowsMax = 2000;

/// What the import wrote last in each register.
std::map<RegisterKey, std::optional<std::string>> imported(const RecordState& state) {
  std::map<RegisterKey, std::optional<std::string>> values;
  for (const auto& [key, reg] : state.registers()) {
    const RegisterWrite* newest = nullptr;
    std::uint64_t newest_hlc = 0;
    const auto consider = [&](const RegisterWrite& write) {
      const OpFacts* op = state.op(write.dot);
      if (op == nullptr || op->person != kImporter || !op->stamp.at_hub) return;
      if (newest != nullptr && op->hlc < newest_hlc) return;
      newest = &write;
      newest_hlc = op->hlc;
    };
    for (const RegisterWrite& write : reg.history) consider(write);
    for (const RegisterWrite& write : reg.live) consider(write);
    if (newest != nullptr) values[key] = newest->value;
  }
  return values;
}

/// What differs between a row and what the import wrote before.
std::vector<IntendedWrite> difference(const RecordState& state, RecordEdit&& row) {
  std::map<RegisterKey, std::optional<std::string>> before = imported(state);
  std::vector<IntendedWrite> writes;
  for (RegisterEdit& write : row.writes) {
    const auto known = before.find(write.key);
    const bool same = known != before.end() && known->second == write.value;
    if (known != before.end()) before.erase(known);
    if (!same) writes.push_back({std::move(write.key), std::move(write.value)});
  }
  for (auto& [key, value] : before) {
    if (value) writes.push_back({key, std::nullopt});  // the row has it no longer
  }
  return writes;
}

Error at_row(Error error, std::size_t row) {
  error.detail = "row " + std::to_string(row) + ": " + error.detail;
  return error;
}

Result<Intent> intent_of(const RecordSchema& schema, const Json& row, std::string* name) {
  if (!row.is_object()) return Error{ErrorCode::invalid_input, "wrong_type: an object"};
  *name = api::readable_id(schema, row);
  if (name->empty()) return Error{ErrorCode::invalid_input, "missing: " + schema.rule.id_fields()};
  Intent intent;
  intent.record = registry_record_id(schema.rule.name(), *name);
  intent.type = schema.rule.type();
  intent.person = std::string(kImporter);
  intent.rank = record::v1::WRITER_HUB;
  return intent;
}

}  // namespace

Result<const RecordSchema*> schema_of_kind(const std::string& kind) {
  for (const auto& [name, type] : kKinds) {
    if (name == kind || type == kind) return api::schema_named(type);
  }
  return Error{ErrorCode::invalid_input, "kind: no such registry: " + kind};
}

Status RegistryImport::learn_root_scope(const Json& rows) {
  if (!records_.facts().root_scope.empty()) return Done{};
  for (const Json& row : rows) {
    if (!row.is_object() || row.value("kind", Json()) != "city") continue;
    const std::string root = row.value("id", "");
    if (root.empty()) continue;
    return hub_.change([&](HubTransaction& tx) { return tx.settings().put(kRootScopeKey, root); });
  }
  return Error{ErrorCode::invalid_input, "scope: no organisation of kind city in these rows"};
}

Result<ImportCounts> RegistryImport::take(const std::string& kind, const Json& rows) {
  DUHUI_TRY(schema, schema_of_kind(kind));
  if (!rows.is_array()) return Error{ErrorCode::invalid_input, "wrong_type: rows: a list"};
  if (rows.size() > kRowsMax) {
    return Error{ErrorCode::limit_exceeded, "rows: at most " + std::to_string(kRowsMax)};
  }
  if (schema->rule.name() == "org") DUHUI_CHECK_OK(learn_root_scope(rows));
  ImportCounts counts;
  api::ScopeFinder scopes(records_);
  std::set<std::string> names;
  std::vector<Intent> intents;
  for (const Json& row : rows) {
    ++counts.rows;
    std::string name;
    auto intent = intent_of(*schema, row, &name);
    if (!intent) return at_row(std::move(intent).error(), counts.rows);
    if (!names.insert(name).second) {
      return at_row({ErrorCode::invalid_input, "twice in these rows: " + name}, counts.rows);
    }
    auto edit = edit_create(*schema, with_told_events(*schema, row, {}), EditAuthor{});
    if (!edit) return at_row(std::move(edit).error(), counts.rows);
    DUHUI_TRY(state, records_.state(intent->record));
    if (state && state->stage() != RecordState::Stage::empty) {
      intent->writes = difference(*state, std::move(*edit));
      ++(intent->writes.empty() ? counts.unchanged : counts.changed);
      if (!intent->writes.empty()) intents.push_back(std::move(*intent));
      continue;
    }
    auto scope = scopes.scope_for(*schema, row);
    if (!scope) return at_row(std::move(scope).error(), counts.rows);
    intent->creates = true;
    intent->scope = std::move(*scope);
    for (RegisterEdit& write : edit->writes) {
      intent->writes.push_back({std::move(write.key), std::move(write.value)});
    }
    ++counts.created;
    intents.push_back(std::move(*intent));
  }
  DUHUI_CHECK_OK(api::check_names(records_, intents));
  DUHUI_TRY(dots, records_.save(std::move(intents)));
  static_cast<void>(dots);
  return counts;
}

}  // namespace duhui::hub
