#include "shared/merge/schema.h"

#include <sstream>

#include <google/protobuf/descriptor.h>

#include "shared/merge/record_files.h"

namespace duhui {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

const record::v1::FieldRule& rule_of(const FieldDescriptor& field) {
  return field.options().GetExtension(record::v1::rule);
}

FieldSchema::Shape shape_of(const FieldDescriptor& field, const record::v1::FieldRule& rule) {
  if (field.is_map()) return FieldSchema::Shape::map;
  if (!field.is_repeated()) return FieldSchema::Shape::single;
  switch (rule.policy()) {
    case record::v1::POLICY_APPEND:
      return FieldSchema::Shape::list;
    case record::v1::POLICY_UNION:
    case record::v1::POLICY_PER_AUTHOR:
      return FieldSchema::Shape::elements;
    default:
      return rule.key().empty() ? FieldSchema::Shape::single : FieldSchema::Shape::elements;
  }
}

std::vector<const FieldDescriptor*> key_fields_of(const FieldDescriptor& field,
                                                  const record::v1::FieldRule& rule) {
  std::vector<const FieldDescriptor*> out;
  if (field.message_type() == nullptr) return out;
  if (field.is_map()) return {field.message_type()->map_key()};
  std::istringstream names(rule.key());
  for (std::string name; std::getline(names, name, ',');) {
    if (const auto* found = field.message_type()->FindFieldByName(name)) out.push_back(found);
  }
  return out;
}

const FieldDescriptor* deciding_field_of(const FieldDescriptor& value) {
  const Descriptor* message = value.message_type();
  if (message == nullptr) return nullptr;
  for (int at = 0; at < message->field_count(); ++at) {
    if (rule_of(*message->field(at)).decides()) return message->field(at);
  }
  return nullptr;
}

FieldSchema read_field(const FieldDescriptor& field) {
  FieldSchema out;
  out.field = &field;
  out.rule = rule_of(field);
  out.shape = shape_of(field, out.rule);
  out.value = field.is_map() ? field.message_type()->map_value() : &field;
  out.decides = deciding_field_of(*out.value);
  out.key_fields = key_fields_of(field, out.rule);
  out.register_field = static_cast<std::uint32_t>(field.number());
  return out;
}

/// Fields of a group become one register under the lowest number, whatever their own shapes are.
void join_groups(std::map<std::uint32_t, FieldSchema>& fields) {
  std::map<std::uint32_t, FieldSchema*> leaders;
  for (auto& [number, field] : fields) {
    const std::uint32_t group = field.rule.group();
    if (group == 0) continue;
    FieldSchema*& leader = leaders.try_emplace(group, &field).first->second;
    field.register_field = leader->register_field;
    if (leader != &field) leader->grouped = field.grouped = true;
    if (field.rule.decides()) leader->decides = field.field;
    leader->shape = field.shape = FieldSchema::Shape::single;
  }
}

}  // namespace

const FieldSchema* RecordSchema::find(std::uint32_t register_field) const {
  const auto at = fields.find(register_field);
  if (at == fields.end() || at->second.register_field != register_field) return nullptr;
  return &at->second;
}

const Schema& Schema::instance() {
  static const Schema schema(record_files());
  return schema;
}

Schema::Schema(const std::vector<const FileDescriptor*>& files) {
  for (const FileDescriptor* file : files) {
    for (int at = 0; at < file->message_type_count(); ++at) {
      const Descriptor& message = *file->message_type(at);
      if (!message.options().HasExtension(record::v1::record)) continue;
      RecordSchema record;
      record.descriptor = &message;
      record.rule = message.options().GetExtension(record::v1::record);
      for (int index = 0; index < message.field_count(); ++index) {
        const FieldDescriptor& field = *message.field(index);
        record.fields.emplace(static_cast<std::uint32_t>(field.number()), read_field(field));
      }
      join_groups(record.fields);
      types_.emplace(record.rule.type(), std::move(record));
    }
  }
}

const RecordSchema* Schema::find(std::uint32_t type) const {
  const auto at = types_.find(type);
  return at == types_.end() ? nullptr : &at->second;
}

const RecordSchema* Schema::find(std::string_view name) const {
  for (const auto& [type, record] : types_) {
    if (record.rule.name() == name) return &record;
  }
  return nullptr;
}

}  // namespace duhui
