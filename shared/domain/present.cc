#include "shared/domain/present.h"

#include <algorithm>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "duhui/record/v1/visit.pb.h"
#include "shared/domain/frozen.h"
#include "shared/domain/present_internal.h"
#include "shared/domain/record_events.h"
#include "shared/record/field_rule.h"
#include "shared/record/json_layout.h"
#include "shared/record/record_edit.h"
#include "shared/record/record_json.h"

namespace duhui {
namespace {

using Json = nlohmann::json;

std::vector<TimelineEntry> timeline_of(const PresentInput& input) {
  std::vector<TimelineEntry> timeline;
  std::vector<std::size_t> order(input.events.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto& events = input.events;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(events[a].effective_ms, events[a].dot, events[a].index) <
           std::tie(events[b].effective_ms, events[b].dot, events[b].index);
  });
  for (const std::size_t i : order) {
    const auto& verdict = input.folded.verdicts[i];
    timeline.push_back({.event = event_name(input.schema, events[i].to),
                        .by = events[i].person,
                        .at = events[i].at,
                        .note = events[i].note,
                        .effective = verdict.effective,
                        .reason = verdict.reason,
                        .dot = events[i].dot});
  }
  return timeline;
}

/// A member of a set that one person removed while another worked on it.
bool kept_after_concurrent_edit(const RecordSchema& schema, const RecordState& state) {
  for (const auto& [key, reg] : state.registers()) {
    const FieldSchema* field = schema.find(key.field);
    if (field == nullptr || field->shape != FieldSchema::Shape::elements) continue;
    const auto has_value = [](const RegisterWrite& write) { return write.value.has_value(); };
    if (std::any_of(reg.live.begin(), reg.live.end(), has_value) &&
        !std::all_of(reg.live.begin(), reg.live.end(), has_value)) {
      return true;
    }
  }
  return false;
}

bool clock_was_wrong(const OpStamp& stamp) {
  return stamp.quality == sync::v1::TIME_QUALITY_MONOTONIC ||
         stamp.quality == sync::v1::TIME_QUALITY_OFFSET ||
         stamp.quality == sync::v1::TIME_QUALITY_CLAMPED;
}

void add_common_flags(const PresentInput& input, Presented* out) {
  if (!out->view.amendments.empty()) out->flags.push_back("amendment_pending");
  if (kept_after_concurrent_edit(input.schema, input.state)) {
    out->flags.push_back("kept_after_concurrent_edit");
  }
  for (const auto& [dot, op] : input.state.ops()) {
    if (clock_was_wrong(op.stamp)) out->flags.push_back("clock_skew");
    if (clock_was_wrong(op.stamp)) break;
  }
  if (out->view.restored) {
    out->flags.push_back("restored");
    out->restored_because = out->view.restored->because_of_person;
  }
  for (const StateEvent& event : input.events) {
    if (event.void_because == "edited_meanwhile") out->flags.push_back("restored");
  }
}

void add_type_facts(const PresentInput& input, Presented* out) {
  const std::string& type = input.schema.rule.name();
  if (type == "visit_record") add_visit_facts(input, out);
  if (type == "problem") add_problem_facts(input, out);
  if (type == "rectification_notice") add_notice_facts(input, out);
  if (type == "rectification_response") add_response_facts(input, out);
  if (type == "escalation") add_escalation_facts(input, out);
  if (type == "task") add_task_facts(input, out);
  if (type == "evaluation") add_evaluation_facts(input, out);
}

Json authored_json(const Presented& presented,
                   const RegisterKey& key,
                   const std::vector<AuthoredValue>& values) {
  Json list = Json::array();
  for (const AuthoredValue& value : values) {
    list.push_back(
        {{"value", value.value ? fragment_json(*presented.schema, key, *value.value) : Json()},
         {"by", value.person},
         {"at_ms", value.stamp.effective_ms},
         {"reason", value.reason}});
  }
  return list;
}

}  // namespace

bool Presented::has_flag(std::string_view flag) const {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

Presented present(const RecordSchema& schema,
                  const std::string& id,
                  const RecordState& state,
                  const DomainContext& context) {
  Presented out;
  out.schema = &schema;
  out.id = id;
  const Folding folding = fold_record(schema, state);
  const FoldedState& folded = folding.folded;
  const auto& frozen = folding.frozen_at;
  const PresentInput input{schema, state, context, folding.events, folded};
  ViewOptions options;
  if (schema.rule.name() == "visit_record") {
    options.override_policy = item_policies(schema, state, context);
  }
  options.frozen_at = frozen ? &*frozen : nullptr;
  out.view = view(schema, state, options);
  out.override_policy = options.override_policy;
  out.frozen_at = frozen;

  auto message = new_message(*schema.descriptor);
  // What cannot be parsed stays in the record's registers; the rest of it is shown.
  if (!message->ParseFromString(out.view.message_bytes())) message->Clear();
  out.record = RecordJson::instance().write(*message);
  out.record["id"] = id;
  out.message = std::move(message);
  if (!schema.rule.state().empty()) {
    const bool discarded = schema.rule.name() == "visit_record" && out.view.deleted;
    out.state = discarded ? "discarded" : state_name(schema, folded.state);
    out.revision = folded.round;
    out.record[schema.rule.state()] = out.state;
  }
  out.timeline = timeline_of(input);
  for (const ShownRegister& shown : out.view.registers) {
    if (shown.in_conflict()) out.conflicts.push_back(path_of(schema, shown.key));
  }
  add_common_flags(input, &out);
  add_type_facts(input, &out);
  for (const Json& flag : out.record.value("flags", Json::array())) {
    if (flag.is_string()) out.flags.push_back(flag.get<std::string>());
  }
  std::sort(out.flags.begin(), out.flags.end());
  out.flags.erase(std::unique(out.flags.begin(), out.flags.end()), out.flags.end());
  if (!out.flags.empty()) out.record["flags"] = out.flags;
  return out;
}

Result<Json> present_field(const Presented& presented, std::string_view path) {
  DUHUI_TRY(key, register_of(*presented.schema, path));
  Json out = {{"shown", nullptr},
              {"siblings", Json::array()},
              {"history", Json::array()},
              {"proposals", Json::array()},
              {"conflict", false}};
  const ShownRegister* shown = presented.view.find(key);
  if (shown == nullptr) return out;
  out["siblings"] = authored_json(presented, key, shown->siblings);
  out["history"] = authored_json(presented, key, shown->history);
  out["proposals"] = authored_json(presented, key, shown->proposals);
  out["conflict"] = shown->in_conflict();
  std::string bytes;
  for (const AuthoredValue& value : shown->shown) bytes += value.value.value_or("");
  if (shown->shown.empty()) return out;
  Json value = fragment_json(*presented.schema, key, bytes);
  // The rest of the path goes on inside the value: a sub-field, or one field of a group.
  const std::string register_path = path_of(*presented.schema, key);
  const FieldSchema* field = presented.schema->find(key.field);
  std::string rest(path);
  if (field == nullptr || field->rule.group() == 0) {
    rest = path.size() > register_path.size() ? std::string(path.substr(register_path.size() + 1))
                                              : std::string();
  }
  if (!rest.empty() && value.is_object()) value = value.contains(rest) ? Json(value[rest]) : Json();
  out["shown"] = std::move(value);
  return out;
}

}  // namespace duhui
