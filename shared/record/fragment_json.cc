#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <nlohmann/json.hpp>

#include "shared/record/field_rule.h"
#include "shared/record/record_edit.h"
#include "shared/record/record_json.h"

namespace duhui {
namespace {

using google::protobuf::Message;
using Json = nlohmann::json;

/// Key sub-fields are in the register key as the merge writes them; enumerators by number.
std::string readable_part(const google::protobuf::FieldDescriptor& part, const std::string& text) {
  if (part.enum_type() == nullptr) return text;
  for (int i = 0; i < part.enum_type()->value_count(); ++i) {
    const auto& value = *part.enum_type()->value(i);
    if (std::to_string(value.number()) == text) return identifier_of(value);
  }
  return text;
}

std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 3, "%2F") == 0 || text.compare(i, 3, "%25") == 0) {
      out += text[i + 2] == 'F' ? '/' : '%';
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string readable_key(const google::protobuf::FieldDescriptor& field, const std::string& key) {
  const auto names = key_fields(field);
  if (names.empty() || field.message_type() == nullptr) return key;
  const auto* type = field.message_type();
  if (names.size() == 1) return readable_part(*type->FindFieldByName(names.front()), key);
  std::string out;
  std::size_t at = 0;
  for (const std::string& part : split_text(key, '/')) {
    if (at == names.size()) break;
    if (at != 0) out += '/';
    out += readable_part(*type->FindFieldByName(names[at++]), unescaped(part));
  }
  return out;
}

Json group_json(const RecordSchema& schema, std::uint32_t leader, const Message& message) {
  Json object = Json::object();
  for (const auto& [number, field] : schema.fields) {
    if (field.register_field != leader) continue;
    Json value = RecordJson::instance().write_field(*field.field, message);
    if (!value.is_null()) object[json_path_of(*field.field)] = std::move(value);
  }
  return object;
}

}  // namespace

std::string path_of(const RecordSchema& schema, const RegisterKey& key) {
  if (key.field == kDeletedField) return "deleted";
  const FieldSchema* field = schema.find(key.field);
  if (field == nullptr) return "field/" + std::to_string(key.field);
  std::string path = json_path_of(*field->field);
  if (!key.key.empty()) path += "/" + readable_key(*field->field, key.key);
  return path;
}

Json fragment_json(const RecordSchema& schema, const RegisterKey& key, std::string_view fragment) {
  if (key.field == kDeletedField) return true;
  const FieldSchema* field = schema.find(key.field);
  if (field == nullptr) return nullptr;
  auto message = new_message(*schema.descriptor);
  // A value that cannot be read is kept in the record, but there is nothing to show.
  if (!message->ParseFromArray(fragment.data(), static_cast<int>(fragment.size()))) return nullptr;
  if (field->rule.group() != 0) return group_json(schema, key.field, *message);
  Json value = RecordJson::instance().write_field(*field->field, *message);
  if (field->shape == FieldSchema::Shape::map) return value.is_null() ? value : value.front();
  if (field->shape != FieldSchema::Shape::elements || value.empty()) return value;
  // {item: {author: number}}: only the number is the value of this register.
  while (field->rule.keyed_json() && value.is_object()) value = Json(value.front());
  return value.is_array() ? Json(value.front()) : value;
}

}  // namespace duhui
