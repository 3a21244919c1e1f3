#include "shared/record/record_json.h"

#include <charconv>
#include <optional>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <nlohmann/json.hpp>

#include "duhui/record/v1/common.pb.h"
#include "shared/merge/schema.h"
#include "shared/record/field_rule.h"
#include "shared/record/json_reader.h"
#include "shared/record/json_writer.h"

namespace duhui {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Json = nlohmann::json;

std::vector<const google::protobuf::Descriptor*> record_types() {
  std::vector<const google::protobuf::Descriptor*> types;
  for (const auto& [number, schema] : Schema::instance().types()) {
    types.push_back(schema.descriptor);
  }
  return types;
}

template <typename Number>
std::optional<Number> whole_text(const std::string& text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

Json number_cell(const std::string& text) {
  if (const auto whole = whole_text<std::int64_t>(text)) return *whole;
  if (const auto number = whole_text<double>(text)) return *number;
  return text;  // for a number field the reader then names the place
}

Json cell_json(const FieldDescriptor& field, const std::string& text) {
  if (field.is_repeated()) {
    Json list = Json::array();
    for (std::string& part : split_text(text, ';')) list.push_back(std::move(part));
    return list;
  }
  if (field.message_type() == record::v1::Scalar::descriptor()) return number_cell(text);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text == "yes") return true;
      if (text == "no") return false;
      return text;
    case FieldDescriptor::CPPTYPE_STRING:
    case FieldDescriptor::CPPTYPE_ENUM:
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return text;
    default:
      return number_cell(text);
  }
}

}  // namespace

const RecordJson& RecordJson::instance() {
  static const RecordJson json(record_types());
  return json;
}

RecordJson::RecordJson(const std::vector<const google::protobuf::Descriptor*>& types)
    : layouts_(types) {}

Status RecordJson::read(const Json& value, Message* out) const {
  return JsonReader(layouts_).read_message(value, out);
}

Json RecordJson::write(const Message& message) const { return message_json(layouts_, message); }

Status RecordJson::read_field(const FieldDescriptor& field, const Json& value, Message* out) const {
  return JsonReader(layouts_, json_path_of(field)).read_field(field, value, out);
}

Json RecordJson::write_field(const FieldDescriptor& field, const Message& message) const {
  return field_json(layouts_, field, message);
}

Status RecordJson::read_element(const FieldDescriptor& field,
                                const Json& value,
                                Message* out) const {
  return JsonReader(layouts_, json_path_of(field)).read_element(field, value, out);
}

Status RecordJson::read_entry(const FieldDescriptor& field,
                              const std::string& key,
                              const Json& value,
                              Message* out) const {
  return JsonReader(layouts_, json_path_of(field)).read_entry(field, key, value, out);
}

Result<Json> RecordJson::registry_row(const google::protobuf::Descriptor& type,
                                      const std::map<std::string, std::string>& row) const {
  Json object = Json::object();
  const JsonNode& layout = layouts_.of(type);
  for (const auto& [column, text] : row) {
    const auto node = layout.children.find(column);
    if (node == layout.children.end() || node->second.field == nullptr) {
      return Error{ErrorCode::invalid_input, "unknown_field: " + column};
    }
    if (!text.empty()) object[column] = cell_json(*node->second.field, text);
  }
  return object;
}

std::unique_ptr<Message> new_message(const google::protobuf::Descriptor& type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type)->New());
}

}  // namespace duhui
