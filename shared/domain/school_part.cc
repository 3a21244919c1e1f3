#include "shared/domain/school_part.h"

#include <algorithm>
#include <memory>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "shared/domain/frozen.h"
#include "shared/domain/record_events.h"

namespace duhui {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using record::v1::RecordRule;

/// Whether any field of the register is hidden.
bool is_hidden(const RecordSchema& schema, std::uint32_t register_field) {
  return std::ranges::any_of(schema.fields, [register_field](const auto& entry) {
    const FieldSchema& field = entry.second;
    return field.register_field == register_field &&
           (field.rule.hidden_from_school() || field.rule.restricted());
  });
}

/// Takes the notes out of the steps a write of the event list holds. False: there were none.
bool strip_notes(const RecordSchema& schema, const FieldDescriptor& events, std::string* value) {
  const std::unique_ptr<Message> record(google::protobuf::MessageFactory::generated_factory()
                                            ->GetPrototype(schema.descriptor)
                                            ->New());
  if (!record->ParseFromString(*value)) return false;
  const auto& reflection = *record->GetReflection();
  bool found = false;
  for (int n = 0; n < reflection.FieldSize(*record, &events); ++n) {
    Message* step = reflection.MutableRepeatedMessage(record.get(), &events, n);
    const Descriptor& type = *step->GetDescriptor();
    for (int at = 0; at < type.field_count(); ++at) {
      const FieldDescriptor* field = type.field(at);
      if (!is_step_note(field->name()) || field->is_repeated() ||
          !step->GetReflection()->HasField(*step, field)) {
        continue;
      }
      step->GetReflection()->ClearField(step, field);
      found = true;
    }
  }
  if (found) *value = record->SerializeAsString();
  return found;
}

}  // namespace

bool is_step_note(std::string_view sub_field) {
  return sub_field == "note" || sub_field == "reason";
}

bool open_to_school(const RecordSchema& schema, std::string_view state, bool presented) {
  const RecordRule& rule = schema.rule;
  switch (rule.school_sight()) {
    case record::v1::SCHOOL_SIGHT_ALWAYS:
    case record::v1::SCHOOL_SIGHT_ANNOUNCED:  // unannounced ones are not sent to a school at all
      return true;
    case record::v1::SCHOOL_SIGHT_IN_STATES:
      return presented ||
             std::ranges::find(rule.school_states(), state) != rule.school_states().end();
    case record::v1::SCHOOL_SIGHT_NEVER:
    case record::v1::SCHOOL_SIGHT_UNSPECIFIED:
    default:
      return false;
  }
}

bool is_presented(const RecordSchema& schema, const RecordState& state) {
  const FieldDescriptor* signatures = schema.descriptor->FindFieldByName("signatures");
  if (signatures == nullptr) return false;
  const Register* reg = state.find({static_cast<std::uint32_t>(signatures->number()), {}});
  return reg != nullptr && std::ranges::any_of(reg->live, [](const RegisterWrite& write) {
           return write.value.has_value();
         });
}

bool open_to_school(const RecordSchema& schema, const RecordState& state) {
  if (schema.rule.school_sight() != record::v1::SCHOOL_SIGHT_IN_STATES) {
    return open_to_school(schema, {}, false);
  }
  const std::string name = state_name(schema, fold_record(schema, state).folded.state);
  return open_to_school(schema, name, is_presented(schema, state));
}

bool is_lockable(const RecordSchema* schema) {
  if (schema == nullptr) return true;
  const RecordRule& rule = schema->rule;
  const bool of_office = rule.audience() == record::v1::AUDIENCE_SUPERVISION ||
                         rule.audience() == record::v1::AUDIENCE_OFFICE;
  return of_office && !rule.before_sign_in();
}

SchoolPart school_part(const RecordSchema* schema,
                       bool open,
                       const sync::v1::Op& op,
                       sync::v1::Op* part) {
  if (!is_lockable(schema)) return SchoolPart::all;
  if (!open || schema == nullptr) return SchoolPart::nothing;
  const FieldDescriptor* events =
      schema->rule.state_field().empty()
          ? nullptr
          : schema->descriptor->FindFieldByName(schema->rule.state_field());
  bool whole = op.reason().empty();
  *part = op;
  part->clear_reason();
  part->clear_writes();
  for (const sync::v1::Write& write : op.writes()) {
    if (is_hidden(*schema, write.field())) {
      whole = false;
      continue;
    }
    sync::v1::Write* kept = part->add_writes();
    *kept = write;
    const bool steps = events != nullptr && write.has_value() &&
                       static_cast<int>(write.field()) == events->number();
    if (steps && strip_notes(*schema, *events, kept->mutable_value())) whole = false;
  }
  return whole ? SchoolPart::all : SchoolPart::some;
}

}  // namespace duhui
