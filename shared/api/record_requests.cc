#include "shared/api/record_requests.h"

#include <algorithm>
#include <utility>

#include <google/protobuf/message.h>
#include <nlohmann/json.hpp>

#include "shared/api/provisional_numbers.h"
#include "shared/api/record_ids.h"
#include "shared/api/time_text.h"
#include "shared/base/scope.h"
#include "shared/crypto/registry_id.h"
#include "shared/domain/check_edit.h"
#include "shared/domain/told_events.h"
#include "shared/record/record_json.h"

namespace duhui::api {
namespace {

using Json = nlohmann::json;
using record::v1::Writer;

/// More than any form has fields; a script that wants more sends more requests.
constexpr std::size_t kEditsMax = 500;

Error invalid(std::string detail) { return {ErrorCode::invalid_input, std::move(detail)}; }

Result<std::string> text_of(const Json& body, const char* name, bool required) {
  const auto at = body.find(name);
  if (at == body.end() || at->is_null()) {
    if (required) return invalid(std::string("missing: ") + name);
    return std::string();
  }
  if (!at->is_string()) return invalid(std::string("wrong_type: ") + name + ": text");
  return at->get<std::string>();
}

Result<bool> truth_of(const Json& body, const char* name) {
  const auto at = body.find(name);
  if (at == body.end() || at->is_null()) return false;
  if (!at->is_boolean()) return invalid(std::string("wrong_type: ") + name + ": true or false");
  return at->get<bool>();
}

/// When the record says it was made; for records that were made elsewhere before.
std::string made_at(const Json& value, const std::string& otherwise) {
  for (const char* name : {"created_at", "found_at", "issued_at", "at", "received_at"}) {
    const auto at = value.find(name);
    if (at != value.end() && at->is_string()) return at->get<std::string>();
  }
  return otherwise;
}

std::vector<IntendedWrite> writes_of(const RecordEdit& edit) {
  std::vector<IntendedWrite> writes;
  writes.reserve(edit.writes.size());
  for (const RegisterEdit& write : edit.writes) writes.push_back({write.key, write.value});
  return writes;
}

/// The record with the edits of this request so far.
class Draft {
 public:
  using Values = std::map<RegisterKey, std::optional<std::string>>;

  /// `seen_otherwise`: the registers that the person had on screen with another value.
  Draft(const Presented& shown, const RecordSchema& schema, Values seen_otherwise)
      : schema_(schema), seen_otherwise_(std::move(seen_otherwise)) {
    for (const ShownRegister& reg : shown.view.registers) {
      for (const AuthoredValue& value : reg.shown) fragments_[reg.key] += value.value.value_or("");
    }
  }

  /// As it will be shown here.
  std::unique_ptr<google::protobuf::Message> message() const { return parsed(fragments_); }

  /// As the person saw it: who changes a part of an answer keeps the other parts as they were on
  /// screen, not as somebody else has made them since.
  std::unique_ptr<google::protobuf::Message> message_as_seen() const {
    std::map<RegisterKey, std::string> seen = fragments_;
    for (const auto& [key, value] : seen_otherwise_) {
      if (writes_.contains(key) || is_list(key)) continue;
      seen.erase(key);
      if (value) seen[key] = *value;
    }
    return parsed(seen);
  }

  /// Adds one edit; a later write of the same register replaces the earlier one, entries add up.
  void take(RecordEdit&& next) {
    for (RegisterEdit& write : next.writes) {
      auto [at, fresh] = writes_.try_emplace(write.key);
      if (is_list(write.key) && write.value) {
        fragments_[write.key] += *write.value;
        at->second = at->second.value_or("") + *write.value;
        continue;
      }
      fragments_.erase(write.key);
      if (write.value) fragments_[write.key] = *write.value;
      at->second = std::move(write.value);
    }
    sees_all_ = sees_all_ || next.sees_all;
  }

  RecordEdit edit() const {
    RecordEdit edit;
    edit.sees_all = sees_all_;
    for (const auto& [key, value] : writes_) edit.writes.push_back({key, value});
    return edit;
  }

 private:
  bool is_list(const RegisterKey& key) const {
    const FieldSchema* field = schema_.find(key.field);
    return field != nullptr && field->shape == FieldSchema::Shape::list;
  }

  std::unique_ptr<google::protobuf::Message> parsed(
      const std::map<RegisterKey, std::string>& fragments) const {
    auto message = new_message(*schema_.descriptor);
    std::string bytes;
    for (const auto& [key, fragment] : fragments) bytes += fragment;
    if (!message->ParseFromString(bytes)) message->Clear();
    return message;
  }

  const RecordSchema& schema_;
  const Values seen_otherwise_;
  std::map<RegisterKey, std::string> fragments_;
  std::map<RegisterKey, std::optional<std::string>> writes_;
  bool sees_all_ = false;
};

Result<RecordEdit> one_edit(const RecordSchema& schema,
                            const Json& body,
                            const Draft& draft,
                            const EditAuthor& author) {
  if (!body.is_object()) return invalid("edits: objects");
  DUHUI_TRY(what, text_of(body, "do", true));
  const Json value = body.contains("value") ? body["value"] : Json();
  if (what == "delete") return edit_delete();
  DUHUI_TRY(field, text_of(body, "field", what != "transition"));
  if (what == "set") return edit_set(schema, field, value, *draft.message_as_seen(), author);
  if (what == "add") return edit_add(schema, field, value);
  if (what == "remove") return edit_remove(schema, field, value);
  if (what == "append") return edit_append(schema, field, value, author);
  if (what == "transition") {
    if (!value.is_string()) return invalid("wrong_type: value: the next state");
    Json details = body.contains("details") ? body["details"] : Json();
    if (body.contains("reason") && !details.is_object()) details = Json::object();
    if (body.contains("reason")) details["reason"] = body["reason"];
    return edit_transition(schema, value.get<std::string>(), details, author);
  }
  return invalid("do: set, add, remove, append, transition or delete");
}

/// A transition's reason is told once, on the request or on the edit.
Json with_reason(const Json& edit, const std::string& reason) {
  Json out = edit;
  if (!reason.empty() && out.is_object() && !out.contains("reason")) out["reason"] = reason;
  return out;
}

/// A device creates records in its own scopes; the hub anywhere.
bool writable_here(const std::vector<std::string>& granted, const std::string& scope) {
  return granted.empty() || std::any_of(granted.begin(), granted.end(), [&](const auto& one) {
           return scope_writable(one, scope);
         });
}

bool issues_notice(const RecordSchema& schema, const Json& edits) {
  return std::any_of(edits.begin(), edits.end(), [&](const Json& edit) {
    return edit.value("do", "") == "transition" && is_issuing(schema, edit.value("value", Json()));
  });
}

Error at_place(Error error, const std::string& place) {
  error.detail = place + ": " + error.detail;
  return error;
}

}  // namespace

Result<NewRecord> RecordRequests::create(const Json& body) {
  if (!body.is_object()) return invalid("body: an object");
  DUHUI_TRY(type, text_of(body, "type", true));
  DUHUI_TRY(person, text_of(body, "as", true));
  DUHUI_TRY(id_name, text_of(body, "id", false));
  DUHUI_TRY(scope, text_of(body, "scope", false));
  DUHUI_TRY(reason, text_of(body, "reason", false));
  DUHUI_TRY(import, truth_of(body, "import"));
  DUHUI_TRY(schema, schema_named(type));
  if (!body.contains("value") || !body["value"].is_object()) {
    return invalid("missing: value: an object");
  }
  const std::string now = time_text(source_.facts().now);
  const EditAuthor author{.person = person, .at = import ? made_at(body["value"], now) : now};
  const Json value =
      import ? with_told_events(*schema, body["value"], author) : Json(body["value"]);
  DUHUI_TRY(edit, edit_create(*schema, value, author));

  NewRecord created;
  created.schema = schema;
  const std::string readable = readable_id(*schema, value);
  if (!schema->rule.id_fields().empty()) {
    if (readable.empty()) return invalid("missing: " + schema->rule.id_fields());
    created.intent.record = registry_record_id(type, readable);
    created.id_text = readable;
  } else {
    if (id_name.empty() && import && value.contains("id") && value["id"].is_string()) {
      id_name = value["id"];
    }
    created.intent.record = source_.mint_id();
    if (!id_name.empty()) {
      DUHUI_TRY(given, parse_record_id(id_name, {}));
      created.intent.record = given;
    }
    created.id_text = to_uuid_text(created.intent.record.view());
  }
  if (!import && is_issuing(*schema, value.value("state", Json())) &&
      !value.contains("provisional_no")) {
    DUHUI_TRY(number, next_provisional_number(source_, value.value("school_id", "")));
    if (!number.empty()) {
      const auto blank = new_message(*schema->descriptor);
      DUHUI_TRY(write, edit_set(*schema, "provisional_no", number, *blank, author));
      edit.writes.push_back(std::move(write.writes.front()));
    }
  }
  DUHUI_TRY(rank, people_.rank_of(person));
  DUHUI_CHECK_OK(check_files(*schema, edit));
  // Who is not known here (registries not arrived yet) is not turned away: the hub knows better.
  if (!import && rank != 0) {
    DUHUI_CHECK_OK(check_create(*schema, edit, static_cast<Writer>(rank)));
  }
  if (scope.empty()) {
    DUHUI_TRY(found, scopes_.scope_for(*schema, value));
    scope = std::move(found);
  }
  if (!writable_here(source_.facts().scopes, scope)) {
    return Error{ErrorCode::refused, "elsewhere: " + scope};
  }
  scopes_.note(created.intent.record, scope);
  created.intent.type = schema->rule.type();
  created.intent.creates = true;
  created.intent.scope = std::move(scope);
  created.intent.writes = writes_of(edit);
  created.intent.person = person;
  created.intent.rank = rank;
  created.intent.reason = std::move(reason);
  return created;
}

Result<std::vector<Intent>> RecordRequests::follow_ups_of(const NewRecord& created,
                                                          const Json& value) {
  RecordEdit edit;
  for (const IntendedWrite& write : created.intent.writes) {
    edit.writes.push_back({write.key, write.value});
  }
  Json after = value;
  after["id"] = created.id_text;
  const EditAuthor author{.person = created.intent.person, .at = time_text(source_.facts().now)};
  return implied(*created.schema, created.id_text, after, edit, author, created.intent.rank);
}

Result<std::vector<Intent>> RecordRequests::edit(const RecordId& id,
                                                 const RecordState& state,
                                                 const Json& body) {
  if (!body.is_object()) return invalid("body: an object");
  DUHUI_TRY(person, text_of(body, "as", true));
  DUHUI_TRY(seen, text_of(body, "seen", false));
  DUHUI_TRY(reason, text_of(body, "reason", false));
  if (!body.contains("edits") || !body["edits"].is_array() || body["edits"].empty()) {
    return invalid("missing: edits");
  }
  if (body["edits"].size() > kEditsMax) {
    return Error{ErrorCode::limit_exceeded, "edits: at most " + std::to_string(kEditsMax)};
  }
  DUHUI_TRY(shown, lookup_.present_record(id, state));
  const RecordSchema& schema = *shown.schema;
  const EditAuthor author{.person = person, .at = time_text(source_.facts().now)};
  Intent intent;
  intent.record = id;
  intent.type = state.type();
  intent.person = person;
  intent.reason = reason;
  intent.seen = seen;
  DUHUI_TRY(changed, changed_since_seen(intent, state, source_.facts().origin));
  Draft draft(shown, schema, std::move(changed));
  for (std::size_t n = 0; n < body["edits"].size(); ++n) {
    auto next = one_edit(schema, with_reason(body["edits"][n], reason), draft, author);
    if (!next) {
      return at_place(std::move(next).error(), "edits[" + std::to_string(n) + "]");
    }
    draft.take(std::move(*next));
  }
  DUHUI_TRY(rank, people_.rank_of(person));
  DUHUI_CHECK_OK(check_files(schema, draft.edit()));
  if (rank != 0) {
    DUHUI_CHECK_OK(check_edit(shown, draft.edit(), person, static_cast<Writer>(rank)));
  }
  if (issues_notice(schema, body["edits"]) && !shown.record.contains("provisional_no")) {
    DUHUI_TRY(number, next_provisional_number(source_, shown.record.value("school_id", "")));
    if (!number.empty()) {
      DUHUI_TRY(write, edit_set(schema, "provisional_no", number, *draft.message(), author));
      draft.take(std::move(write));
    }
  }
  const RecordEdit edit = draft.edit();
  intent.writes = writes_of(edit);
  intent.rank = rank;
  intent.sees_all = edit.sees_all;
  std::vector<Intent> intents{std::move(intent)};
  Json after = RecordJson::instance().write(*draft.message());
  after["id"] = shown.id;
  DUHUI_TRY(others, implied(schema, shown.id, after, edit, author, rank));
  for (Intent& other : others) intents.push_back(std::move(other));
  return intents;
}

FollowUpContext RecordRequests::follow_up_context() {
  FollowUpContext context;
  context.problem_state = [this](const std::string& id) -> std::optional<std::string> {
    const auto bytes = from_uuid_text(id);
    if (!bytes) return std::nullopt;
    const RecordId record = *RecordId::from_bytes(*bytes);
    auto state = source_.state(record);
    if (!state || !*state) return std::nullopt;
    auto shown = lookup_.present_record(record, **state);
    if (!shown) return std::nullopt;
    return shown->state;
  };
  context.problems_of_notice = [this](const std::string& id) {
    std::vector<std::string> problems;
    const auto bytes = from_uuid_text(id);
    if (!bytes) return problems;
    const RecordId record = *RecordId::from_bytes(*bytes);
    auto state = source_.state(record);
    if (!state || !*state) return problems;
    auto shown = lookup_.present_record(record, **state);
    if (!shown || !shown->record.contains("problem_ids")) return problems;
    for (const Json& problem : shown->record["problem_ids"]) problems.push_back(problem);
    return problems;
  };
  return context;
}

Result<std::vector<Intent>> RecordRequests::implied(const RecordSchema& schema,
                                                    const std::string& id,
                                                    const Json& after,
                                                    const RecordEdit& edit,
                                                    const EditAuthor& author,
                                                    std::uint32_t rank) {
  std::vector<Intent> intents;
  for (FollowUp& next : follow_ups(schema, id, after, edit, author, follow_up_context())) {
    DUHUI_TRY(record, parse_record_id(next.record_id, next.type));
    DUHUI_TRY(type, schema_named(next.type));
    Intent intent;
    intent.record = record;
    intent.type = type->rule.type();
    intent.writes = writes_of(next.edit);
    intent.person = author.person;
    intent.rank = rank;
    intent.sees_all = next.edit.sees_all;
    intents.push_back(std::move(intent));
  }
  return intents;
}

}  // namespace duhui::api
