#include "shared/domain/told_events.h"

#include <string>
#include <utility>

#include <google/protobuf/descriptor.h>

#include "shared/record/json_layout.h"

namespace duhui {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& value, const char* name) {
  const auto at = value.find(name);
  return at != value.end() && at->is_string() ? at->get<std::string>() : std::string();
}

void put_text(Json* event, const char* name, const std::string& text) {
  if (!text.empty()) (*event)[name] = text;
}

/// What the record tells of the event that led to its state; empty: no more than any record does.
Json last_event(const std::string& type, const std::string& state, const Json& value) {
  Json event = Json::object();
  if (type == "rectification_notice" && state == "withdrawn") {
    const Json act = value.value("withdrawn", Json());
    if (!act.is_object()) return event;
    for (const char* name : {"at", "by", "reason"}) put_text(&event, name, text_of(act, name));
  }
  if (type == "rectification_response" && state == "sent") {
    put_text(&event, "at", text_of(value, "at"));
    put_text(&event, "by", text_of(value, "by"));
  }
  if (type == "escalation" && state == "cancelled") {
    put_text(&event, "at", text_of(value, "cancelled_at"));
  }
  if (type == "task" && state == "cancelled") {
    put_text(&event, "reason", text_of(value, "cancelled_reason"));
  }
  return event;
}

Json* last_entry(Json* timeline, const char* event) {
  for (auto entry = timeline->rbegin(); entry != timeline->rend(); ++entry) {
    if (entry->is_object() && text_of(*entry, "event") == event) return &*entry;
  }
  return nullptr;
}

/// A problem comes with its timeline; beside it stands what the office decided for the figures.
void complete_timeline(const Json& value, Json* timeline) {
  const std::string day = text_of(value, "closed_effective_on");
  Json* closed = last_entry(timeline, "closed");
  if (closed != nullptr && !day.empty() && !closed->contains("effective_on") &&
      day != text_of(*closed, "at").substr(0, 10)) {
    (*closed)["effective_on"] = day;
  }
  const std::string reason = text_of(value, "waived_reason");
  Json* waived = last_entry(timeline, "waived");
  if (waived != nullptr && !reason.empty() && reason != text_of(*waived, "note")) {
    (*waived)["waived_reason"] = reason;
  }
}

}  // namespace

Json with_told_events(const RecordSchema& schema, Json value, const EditAuthor& author) {
  const auto* events = schema.descriptor->FindFieldByName(schema.rule.state_field());
  if (events == nullptr || !value.is_object()) return value;
  const std::string list = json_path_of(*events);
  const auto told = value.find(list);
  if (told != value.end() && told->is_array() && !told->empty()) {
    if (schema.rule.name() != "problem") return value;
    Json timeline = *told;
    complete_timeline(value, &timeline);
    value[list] = std::move(timeline);
    return value;
  }
  const std::string state = text_of(value, schema.rule.state().c_str());
  Json event = last_event(schema.rule.name(), state, value);
  if (event.empty()) return value;
  event["state"] = state;
  if (!event.contains("at")) put_text(&event, "at", author.at);
  if (!event.contains("by")) put_text(&event, "by", author.person);
  value[list] = Json::array({std::move(event)});
  return value;
}

}  // namespace duhui
