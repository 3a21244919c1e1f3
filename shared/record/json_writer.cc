#include "shared/record/json_writer.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <nlohmann/json.hpp>

#include "duhui/record/v1/common.pb.h"
#include "shared/record/base64.h"
#include "shared/record/field_rule.h"
#include "shared/record/scalar_json.h"

namespace duhui {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Json = nlohmann::json;

Json text_json(const FieldDescriptor& field, std::string text) {
  return field.type() == FieldDescriptor::TYPE_BYTES ? to_base64(text) : std::move(text);
}

Json enum_json(const google::protobuf::EnumValueDescriptor* value, int number) {
  // A newer program's value that this one does not know: its number is all there is to show.
  if (value == nullptr || value->type()->FindValueByNumber(number) == nullptr) return number;
  return number == 0 ? Json() : Json(identifier_of(*value));
}

Json child_json(const JsonLayouts& layouts, const Message& child) {
  if (const auto* scalar = dynamic_cast<const record::v1::Scalar*>(&child)) {
    return write_scalar(*scalar);
  }
  if (const auto* value = dynamic_cast<const record::v1::Value*>(&child)) {
    return write_value(*value);
  }
  return message_json(layouts, child);
}

/// The value of a singular field, or of the element `at` of a repeated one.
Json one_json(const JsonLayouts& layouts,
              const FieldDescriptor& field,
              const Message& message,
              int at) {
  const auto* get = message.GetReflection();
  const bool many = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return text_json(field, many ? get->GetRepeatedString(message, &field, at)
                                   : get->GetString(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return many ? get->GetRepeatedBool(message, &field, at) : get->GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_INT32:
      return many ? get->GetRepeatedInt32(message, &field, at) : get->GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return many ? get->GetRepeatedInt64(message, &field, at) : get->GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return many ? get->GetRepeatedUInt32(message, &field, at) : get->GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return many ? get->GetRepeatedUInt64(message, &field, at) : get->GetUInt64(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return many ? get->GetRepeatedDouble(message, &field, at) : get->GetDouble(message, &field);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return many ? get->GetRepeatedFloat(message, &field, at) : get->GetFloat(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = many ? get->GetRepeatedEnumValue(message, &field, at)
                              : get->GetEnumValue(message, &field);
      return enum_json(field.enum_type()->FindValueByNumber(number), number);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return child_json(layouts, many ? get->GetRepeatedMessage(message, &field, at)
                                      : get->GetMessage(message, &field));
  }
  return nullptr;
}

Json map_json(const JsonLayouts& layouts, const FieldDescriptor& field, const Message& message) {
  Json object = Json::object();
  const auto* get = message.GetReflection();
  const auto* entry_type = field.message_type();
  for (int i = 0; i < get->FieldSize(message, &field); ++i) {
    const Message& entry = get->GetRepeatedMessage(message, &field, i);
    const std::string key = entry.GetReflection()->GetString(entry, entry_type->map_key());
    object[key] = one_json(layouts, *entry_type->map_value(), entry, 0);
  }
  return object;
}

Json keyed_json(const JsonLayouts& layouts, const FieldDescriptor& field, const Message& message) {
  Json object = Json::object();
  const auto* get = message.GetReflection();
  const auto* type = field.message_type();
  for (int i = 0; i < get->FieldSize(message, &field); ++i) {
    const Message& element = get->GetRepeatedMessage(message, &field, i);
    Json* place = &object;
    for (const std::string& name : key_fields(field)) {
      place = &(*place)[element.GetReflection()->GetString(element, type->FindFieldByName(name))];
    }
    *place = one_json(layouts, *type->FindFieldByName("value"), element, 0);
  }
  return object;
}

/// Null: nothing inside is set.
Json node_json(const JsonLayouts& layouts, const JsonNode& node, const Message& message) {
  if (node.field != nullptr) {
    return rule_of(*node.field).secret() ? Json() : field_json(layouts, *node.field, message);
  }
  Json object;
  for (const auto& [name, child] : node.children) {
    Json value = node_json(layouts, child, message);
    if (!value.is_null()) object[name] = std::move(value);
  }
  return object;
}

}  // namespace

Json field_json(const JsonLayouts& layouts, const FieldDescriptor& field, const Message& message) {
  const auto* get = message.GetReflection();
  if (!field.is_repeated()) {
    return get->HasField(message, &field) ? one_json(layouts, field, message, 0) : Json();
  }
  const int size = get->FieldSize(message, &field);
  if (size == 0) return nullptr;
  if (field.is_map()) return map_json(layouts, field, message);
  if (rule_of(field).keyed_json()) return keyed_json(layouts, field, message);
  Json array = Json::array();
  for (int i = 0; i < size; ++i) array.push_back(one_json(layouts, field, message, i));
  return array;
}

Json message_json(const JsonLayouts& layouts, const Message& message) {
  Json object = node_json(layouts, layouts.of(*message.GetDescriptor()), message);
  return object.is_null() ? Json::object() : object;
}

}  // namespace duhui
