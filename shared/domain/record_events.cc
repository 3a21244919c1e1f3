#include "shared/domain/record_events.h"

#include <map>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "shared/domain/evaluation_state.h"
#include "shared/domain/notice_state.h"
#include "shared/domain/problem_state.h"
#include "shared/domain/task_state.h"
#include "shared/domain/visit_status.h"
#include "shared/record/field_rule.h"
#include "shared/record/record_json.h"

namespace duhui {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

/// Steps of the office that need no table: each follows what was there.
class PlainMachine : public StateMachine {
 public:
  int initial() const override { return 1; }
  std::string refusal(int, const StateEvent&) const override { return {}; }
  std::optional<int> next(int, const StateEvent& event) const override { return event.to; }
  int compare(const StateEvent&, const StateEvent&) const override { return 0; }
};

const FieldDescriptor* event_list(const RecordSchema& schema) {
  return schema.descriptor->FindFieldByName(schema.rule.state_field());
}

const FieldDescriptor* target_field(const RecordSchema& schema) {
  const auto* type = event_list(schema)->message_type();
  const auto* to = type->FindFieldByName("to");
  return to != nullptr ? to : type->FindFieldByName("event");
}

std::string text_of(const Message& entry, const char* name) {
  const auto* field = entry.GetDescriptor()->FindFieldByName(name);
  return field == nullptr ? std::string() : entry.GetReflection()->GetString(entry, field);
}

StateEvent read_event(const RecordSchema& schema, const Message& entry) {
  StateEvent event;
  event.to = entry.GetReflection()->GetEnumValue(entry, target_field(schema));
  const auto* level = entry.GetDescriptor()->FindFieldByName("level");
  if (level != nullptr && level->enum_type() != nullptr) {
    event.level = static_cast<std::uint32_t>(entry.GetReflection()->GetEnumValue(entry, level));
  }
  event.person = text_of(entry, "by");
  event.at = text_of(entry, "at");
  event.note = text_of(entry, "note");
  if (event.note.empty()) event.note = text_of(entry, "reason");
  return event;
}

/// Adds the entries of one write; each follows the one before it in the same op.
void add_entries(const RecordSchema& schema,
                 const RecordState& state,
                 const RegisterWrite& write,
                 std::vector<StateEvent>* events) {
  if (!write.value) return;
  const auto message = new_message(*schema.descriptor);
  if (!message->ParseFromString(*write.value)) return;
  const OpFacts* op = state.op(write.dot);
  const auto* list = event_list(schema);
  for (int i = 0; i < message->GetReflection()->FieldSize(*message, list); ++i) {
    StateEvent event =
        read_event(schema, message->GetReflection()->GetRepeatedMessage(*message, list, i));
    event.dot = write.dot;
    event.index = static_cast<std::uint32_t>(i);
    if (op != nullptr) {
      event.rank = op->stamp.rank;
      event.effective_ms = op->stamp.effective_ms;
      if (event.person.empty()) event.person = op->person;
      // What an import brings with the record carries its own history: many people's steps.
      event.founding = op->creates && i == 0;
      if (op->creates && i != 0) event.rank = 0;
    }
    if (i > 0) event.after.push_back(events->size() - 1);
    events->push_back(std::move(event));
  }
}

}  // namespace

const StateMachine& machine_of(const RecordSchema& schema) {
  static const PlainMachine plain;
  const std::string& name = schema.rule.name();
  if (name == "visit_record") return visit_status_machine();
  if (name == "problem") return problem_state_machine();
  if (name == "rectification_notice") return notice_state_machine();
  if (name == "rectification_response") return response_state_machine();
  if (name == "escalation") return escalation_state_machine();
  if (name == "task") return task_state_machine();
  if (name == "evaluation") return evaluation_state_machine();
  return plain;
}

std::vector<StateEvent> events_of(const RecordSchema& schema, const RecordState& state) {
  std::vector<StateEvent> events;
  const auto* list = event_list(schema);
  const Register* entries =
      list == nullptr ? nullptr
                      : state.find({static_cast<std::uint32_t>(list->number()), std::string()});
  if (entries == nullptr) return events;
  std::map<Dot, std::pair<std::size_t, std::size_t>> places;  // first and last entry of an op
  std::vector<const RegisterWrite*> writes;
  for (const auto& write : entries->live) writes.push_back(&write);
  for (const auto& write : entries->history) writes.push_back(&write);
  for (const RegisterWrite* write : writes) {
    const std::size_t first = events.size();
    add_entries(schema, state, *write, &events);
    if (events.size() > first) places[write->dot] = {first, events.size() - 1};
  }
  for (const RegisterWrite* write : writes) {
    const auto own = places.find(write->dot);
    if (own == places.end()) continue;
    for (const Dot& before : write->replaces) {
      const auto found = places.find(before);
      if (found != places.end()) events[own->second.first].after.push_back(found->second.second);
    }
  }
  return events;
}

std::string state_name(const RecordSchema& schema, int state) {
  const auto* field = schema.descriptor->FindFieldByName(schema.rule.state());
  const auto* value = field == nullptr ? nullptr : field->enum_type()->FindValueByNumber(state);
  return value == nullptr ? std::to_string(state) : identifier_of(*value);
}

std::string event_name(const RecordSchema& schema, int to) {
  const auto* value = target_field(schema)->enum_type()->FindValueByNumber(to);
  return value == nullptr ? std::to_string(to) : identifier_of(*value);
}

}  // namespace duhui
