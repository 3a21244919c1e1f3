#include "shared/record/json_reader.h"

#include <cassert>
#include <limits>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "duhui/record/v1/common.pb.h"
#include "shared/record/base64.h"
#include "shared/record/field_rule.h"
#include "shared/record/limits.h"
#include "shared/record/scalar_json.h"

namespace duhui {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Json = nlohmann::json;

/// Extends the place of the reader for the time of one step.
class Step {
 public:
  Step(std::string& place, const std::string& name) : place_(place), size_(place.size()) {
    if (!place_.empty()) place_ += '.';
    place_ += name;
  }
  ~Step() { place_.resize(size_); }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

 private:
  std::string& place_;
  std::size_t size_;
};

/// Whether `value` is a whole number within [low, high].
bool whole_between(const Json& value, std::int64_t low, std::uint64_t high) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>() <= high;
  if (!value.is_number_integer()) return false;
  const auto number = value.get<std::int64_t>();
  return number >= low && (number < 0 || static_cast<std::uint64_t>(number) <= high);
}

}  // namespace

Error JsonReader::wrong_type(const char* wants) const {
  return {ErrorCode::invalid_input, "wrong_type: " + place_ + ": wants " + wants};
}

Status JsonReader::read_message(const Json& value, Message* out) {
  assert(out != nullptr);
  if (!value.is_object()) return wrong_type("an object");
  return read_node(layouts_.of(*out->GetDescriptor()), value, out);
}

Status JsonReader::read_node(const JsonNode& node, const Json& value, Message* out) {
  if (value.is_null()) return Done{};
  if (!value.is_object()) return wrong_type("an object");
  for (const auto& [name, member] : value.items()) {
    const Step step(place_, name);
    const auto child = node.children.find(name);
    if (child == node.children.end() ||
        (child->second.field != nullptr && rule_of(*child->second.field).secret())) {
      return Error{ErrorCode::invalid_input, "unknown_field: " + place_};
    }
    if (child->second.field == nullptr) {
      DUHUI_CHECK_OK(read_node(child->second, member, out));
    } else {
      DUHUI_CHECK_OK(read_field(*child->second.field, member, out));
    }
  }
  return Done{};
}

Status JsonReader::read_field(const FieldDescriptor& field, const Json& value, Message* out) {
  if (value.is_null()) return Done{};
  if (field.is_map()) {
    if (!value.is_object()) return wrong_type("an object");
    for (const auto& [key, member] : value.items()) {
      const Step step(place_, key);
      DUHUI_CHECK_OK(read_entry(field, key, member, out));
    }
    return Done{};
  }
  if (!field.is_repeated()) return read_single(field, value, out);
  if (rule_of(field).keyed_json()) {
    std::vector<std::string> keys;
    return read_keyed(field, value, &keys, out);
  }
  if (!value.is_array()) return wrong_type("an array");
  for (const Json& element : value) DUHUI_CHECK_OK(read_element(field, element, out));
  return Done{};
}

Status JsonReader::read_single(const FieldDescriptor& field, const Json& value, Message* out) {
  return read_value(field, value, out, false);
}

Status JsonReader::read_element(const FieldDescriptor& field, const Json& value, Message* out) {
  if (value.is_null()) return wrong_type("an element");
  return read_value(field, value, out, true);
}

Status JsonReader::read_entry(const FieldDescriptor& field,
                              const std::string& key,
                              const Json& value,
                              Message* out) {
  if (value.is_null()) return Done{};
  if (key.empty()) return wrong_type("a key");
  const auto* entry_type = field.message_type();
  Message* entry = out->GetReflection()->AddMessage(out, &field);
  entry->GetReflection()->SetString(entry, entry_type->map_key(), key);
  return read_value(*entry_type->map_value(), value, entry, false);
}

/// {key: {key: value}}, as deep as the element has key sub-fields.
Status JsonReader::read_keyed(const FieldDescriptor& field,
                              const Json& value,
                              std::vector<std::string>* keys,
                              Message* out) {
  const auto names = key_fields(field);
  if (keys->size() < names.size()) {
    if (value.is_null()) return Done{};
    if (!value.is_object()) return wrong_type("an object");
    for (const auto& [key, member] : value.items()) {
      const Step step(place_, key);
      keys->push_back(key);
      DUHUI_CHECK_OK(read_keyed(field, member, keys, out));
      keys->pop_back();
    }
    return Done{};
  }
  if (value.is_null()) return Done{};
  const auto* type = field.message_type();
  Message* element = out->GetReflection()->AddMessage(out, &field);
  for (std::size_t i = 0; i < names.size(); ++i) {
    element->GetReflection()->SetString(element, type->FindFieldByName(names[i]), (*keys)[i]);
  }
  return read_value(*type->FindFieldByName("value"), value, element, false);
}

Status JsonReader::read_number(const FieldDescriptor& field,
                               const Json& value,
                               Message* out,
                               bool add) {
  const auto* reflection = out->GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      using Limits = std::numeric_limits<std::int32_t>;
      if (!whole_between(value, Limits::min(), Limits::max())) return wrong_type("a whole number");
      const auto number = value.get<std::int32_t>();
      add ? reflection->AddInt32(out, &field, number) : reflection->SetInt32(out, &field, number);
      return Done{};
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      using Limits = std::numeric_limits<std::int64_t>;
      if (!whole_between(value, Limits::min(), Limits::max())) return wrong_type("a whole number");
      const auto number = value.get<std::int64_t>();
      add ? reflection->AddInt64(out, &field, number) : reflection->SetInt64(out, &field, number);
      return Done{};
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      const auto max = std::numeric_limits<std::uint32_t>::max();
      if (!whole_between(value, 0, max)) return wrong_type("a whole number");
      const auto number = value.get<std::uint32_t>();
      add ? reflection->AddUInt32(out, &field, number) : reflection->SetUInt32(out, &field, number);
      return Done{};
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      const auto max = std::numeric_limits<std::uint64_t>::max();
      if (!whole_between(value, 0, max)) return wrong_type("a whole number");
      const auto number = value.get<std::uint64_t>();
      add ? reflection->AddUInt64(out, &field, number) : reflection->SetUInt64(out, &field, number);
      return Done{};
    }
    default: {
      if (!value.is_number()) return wrong_type("a number");
      const auto number = value.get<double>();
      add ? reflection->AddDouble(out, &field, number) : reflection->SetDouble(out, &field, number);
      return Done{};
    }
  }
}

Status JsonReader::read_value(const FieldDescriptor& field,
                              const Json& value,
                              Message* out,
                              bool add) {
  if (value.is_null()) return Done{};
  const auto* reflection = out->GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      if (!value.is_string()) return wrong_type("text");
      std::string text = value.get<std::string>();
      if (text.size() > kJsonStringBytesMax) {
        return Error{ErrorCode::limit_exceeded, "text too long: " + place_};
      }
      if (field.type() == FieldDescriptor::TYPE_BYTES) {
        auto bytes = from_base64(text);
        if (!bytes) return wrong_type("base64");
        text = std::move(*bytes);
      }
      add ? reflection->AddString(out, &field, std::move(text))
          : reflection->SetString(out, &field, std::move(text));
      return Done{};
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      if (!value.is_boolean()) return wrong_type("true or false");
      add ? reflection->AddBool(out, &field, value.get<bool>())
          : reflection->SetBool(out, &field, value.get<bool>());
      return Done{};
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      if (!value.is_string()) return wrong_type("an identifier");
      const auto* found = find_identifier(*field.enum_type(), value.get_ref<const std::string&>());
      if (found == nullptr)
        return wrong_type(("an identifier of " + field.enum_type()->name()).c_str());
      add ? reflection->AddEnum(out, &field, found) : reflection->SetEnum(out, &field, found);
      return Done{};
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      Message* child =
          add ? reflection->AddMessage(out, &field) : reflection->MutableMessage(out, &field);
      return read_sub_message(value, child);
    }
    default:
      return read_number(field, value, out, add);
  }
}

Status JsonReader::read_sub_message(const Json& value, Message* out) {
  const auto located = [this](Status status) -> Status {
    if (status) return status;
    return Error{status.error().code, "wrong_type: " + place_ + ": " + status.error().detail};
  };
  if (auto* scalar = dynamic_cast<record::v1::Scalar*>(out)) {
    return located(read_scalar(value, scalar));
  }
  if (auto* any = dynamic_cast<record::v1::Value*>(out)) {
    return located(duhui::read_value(value, any));
  }
  if (auto* file = dynamic_cast<record::v1::FileRef*>(out); file != nullptr && value.is_string()) {
    file->set_file_name(value.get<std::string>());
    return Done{};
  }
  return read_message(value, out);
}

}  // namespace duhui
