#include "shared/record/record_path.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <nlohmann/json.hpp>

#include "shared/record/field_rule.h"
#include "shared/record/record_json.h"

namespace duhui {
namespace {

using google::protobuf::Message;
using Json = nlohmann::json;

Error unknown(std::string_view path) {
  return {ErrorCode::invalid_input, "unknown_field: " + std::string(path)};
}

}  // namespace

Result<RecordPath> parse_path(const RecordSchema& schema, std::string_view path) {
  const auto steps = split_text(path, '/');
  const JsonNode* node = &RecordJson::instance().layouts().of(*schema.descriptor);
  std::size_t at = 0;
  while (node->field == nullptr) {
    if (at == steps.size()) return unknown(path);
    const auto child = node->children.find(steps[at++]);
    if (child == node->children.end()) return unknown(path);
    node = &child->second;
  }
  const auto number = static_cast<std::uint32_t>(node->field->number());
  RecordPath out;
  out.field = &schema.fields.at(number);
  out.rest.assign(steps.begin() + static_cast<std::ptrdiff_t>(at), steps.end());
  return out;
}

Result<Fragment> only_fragment(const RecordSchema& schema, const Message& message) {
  DUHUI_TRY(fragments, split(schema, message));
  if (fragments.size() != 1) {
    return Error{ErrorCode::invalid_input, "not_writable: the edit names no register"};
  }
  return std::move(fragments.front());
}

Result<std::unique_ptr<Message>> element_with_key(const RecordSchema& schema,
                                                  const FieldSchema& field,
                                                  const std::vector<std::string>& key) {
  auto message = new_message(*schema.descriptor);
  const auto& json = RecordJson::instance();
  const auto names = key_fields(*field.field);
  if (names.empty()) {
    if (key.size() != 1) return unknown(json_path_of(*field.field));
    DUHUI_CHECK_OK(json.read_element(*field.field, key.front(), message.get()));
    return message;
  }
  if (key.size() != names.size()) return unknown(json_path_of(*field.field));
  auto* element = message->GetReflection()->AddMessage(message.get(), field.field);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto* part = field.field->message_type()->FindFieldByName(names[i]);
    DUHUI_CHECK_OK(json.read_field(*part, key[i], element));
  }
  return message;
}

bool copy_element(const RecordSchema& schema,
                  const FieldSchema& field,
                  const std::string& key,
                  const Message& from,
                  Message* to) {
  const auto* reflection = from.GetReflection();
  for (int i = 0; i < reflection->FieldSize(from, field.field); ++i) {
    to->Clear();
    auto* element = to->GetReflection()->AddMessage(to, field.field);
    element->CopyFrom(reflection->GetRepeatedMessage(from, field.field, i));
    const auto fragment = only_fragment(schema, *to);
    if (fragment && fragment->key.key == key) return true;
  }
  to->Clear();
  return false;
}

}  // namespace duhui
