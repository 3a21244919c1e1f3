#include "shared/record/record_edit.h"

#include <algorithm>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <nlohmann/json.hpp>

#include "shared/base/bytes.h"
#include "shared/record/field_rule.h"
#include "shared/record/record_json.h"
#include "shared/record/record_path.h"

namespace duhui {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Json = nlohmann::json;

Error invalid(std::string detail) { return {ErrorCode::invalid_input, std::move(detail)}; }

Result<RecordEdit> one_write(const RecordSchema& schema, const Message& message) {
  DUHUI_TRY(fragment, only_fragment(schema, message));
  RecordEdit edit;
  edit.writes.push_back({std::move(fragment.key), std::move(fragment.value)});
  return edit;
}

RecordEdit one_removal(RegisterKey key) {
  RecordEdit edit;
  edit.writes.push_back({std::move(key), std::nullopt});
  return edit;
}

void fill(Message* entry, const char* name, const std::string& text) {
  const auto* field = entry->GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || field->type() != FieldDescriptor::TYPE_STRING || text.empty()) return;
  if (entry->GetReflection()->HasField(*entry, field)) return;
  entry->GetReflection()->SetString(entry, field, text);
}

/// The names under which entries keep their author and time.
void fill_author(Message* entry, const EditAuthor& author) {
  const bool signature = entry->GetDescriptor()->FindFieldByName("signer") != nullptr;
  fill(entry, signature ? "signer" : "by", author.person);
  fill(entry, signature ? "signed_at" : "at", author.at);
}

/// The field of an event that says where it leads.
const FieldDescriptor* target_of(const FieldDescriptor& events) {
  const auto* type = events.message_type();
  const auto* to = type->FindFieldByName("to");
  return to != nullptr ? to : type->FindFieldByName("event");
}

Status add_event(const RecordSchema& schema,
                 std::string_view to,
                 const Json& details,
                 const EditAuthor& author,
                 Message* out) {
  const auto* events = schema.descriptor->FindFieldByName(schema.rule.state_field());
  if (events == nullptr) return invalid("unknown_field: state of " + schema.rule.name());
  const auto* target = target_of(*events);
  const auto& codec = RecordJson::instance();
  Json entry = details.is_object() ? details : Json::object();
  entry[json_path_of(*target)] = std::string(to);
  // A problem's timeline calls the reason a note.
  if (entry.contains("reason") && events->message_type()->FindFieldByName("reason") == nullptr) {
    entry["note"] = std::move(entry["reason"]);
    entry.erase("reason");
  }
  DUHUI_CHECK_OK(codec.read_element(*events, entry, out));
  const int last = out->GetReflection()->FieldSize(*out, events) - 1;
  fill_author(out->GetReflection()->MutableRepeatedMessage(out, events, last), author);
  return Done{};
}

/// A group is written as a whole: the fields that were not changed come from what was shown.
Result<RecordEdit> set_field(const RecordSchema& schema,
                             const FieldSchema& field,
                             const Json& value,
                             const Message& shown) {
  auto message = new_message(*schema.descriptor);
  if (field.rule.group() != 0) {
    message->CopyFrom(shown);
    for (const auto& [number, other] : schema.fields) {
      const bool same = other.register_field == field.register_field && &other != &field;
      if (!same) message->GetReflection()->ClearField(message.get(), other.field);
    }
    message->GetReflection()->MutableUnknownFields(message.get())->Clear();
  }
  DUHUI_CHECK_OK(RecordJson::instance().read_field(*field.field, value, message.get()));
  DUHUI_TRY(fragments, split(schema, *message));
  if (fragments.empty()) return one_removal({field.register_field, {}});
  return one_write(schema, *message);
}

Result<RecordEdit> set_entry(const RecordSchema& schema,
                             const RecordPath& path,
                             const Json& value,
                             const Message& shown,
                             const EditAuthor& author) {
  const FieldSchema& field = *path.field;
  const std::string& key = path.rest.front();
  if (path.rest.size() > 2 || key.empty()) return invalid("unknown_field: " + key);
  auto message = new_message(*schema.descriptor);
  if (path.rest.size() == 1) {
    if (value.is_null()) return one_removal({field.register_field, key});
    DUHUI_CHECK_OK(RecordJson::instance().read_entry(*field.field, key, value, message.get()));
  } else {
    if (!copy_element(schema, field, key, shown, message.get())) {
      DUHUI_CHECK_OK(
          RecordJson::instance().read_entry(*field.field, key, Json::object(), message.get()));
    }
  }
  auto* entry = message->GetReflection()->MutableRepeatedMessage(message.get(), field.field, 0);
  const auto* value_field = field.field->message_type()->map_value();
  if (value_field->message_type() != nullptr) {
    auto* inner = entry->GetReflection()->MutableMessage(entry, value_field);
    if (path.rest.size() == 2) {
      const auto* part = inner->GetDescriptor()->FindFieldByName(path.rest[1]);
      if (part == nullptr) return invalid("unknown_field: " + path.rest[1]);
      inner->GetReflection()->ClearField(inner, part);
      DUHUI_CHECK_OK(RecordJson::instance().read_field(*part, value, inner));
    }
    fill_author(inner, author);
  } else if (path.rest.size() == 2) {
    return invalid("unknown_field: " + path.rest[1]);
  }
  return one_write(schema, *message);
}

Result<RecordEdit> set_element(const RecordSchema& schema,
                               const RecordPath& path,
                               const Json& value,
                               const Message& shown) {
  const FieldSchema& field = *path.field;
  const std::size_t names = std::max<std::size_t>(1, key_fields(*field.field).size());
  if (path.rest.size() < names || path.rest.size() > names + 1) {
    return invalid("unknown_field: " + json_path_of(*field.field));
  }
  const std::vector<std::string> key(path.rest.begin(),
                                     path.rest.begin() + static_cast<std::ptrdiff_t>(names));
  DUHUI_TRY(message, element_with_key(schema, field, key));
  DUHUI_TRY(fragment, only_fragment(schema, *message));
  const bool nested = field.rule.keyed_json();
  if (path.rest.size() == names && value.is_null()) return one_removal(fragment.key);
  if (path.rest.size() == names && !nested)
    return edit_add(schema, json_path_of(*field.field), value);

  const std::string part_name = nested ? "value" : path.rest.back();
  const auto* type = field.field->message_type();
  const auto* part = type == nullptr ? nullptr : type->FindFieldByName(part_name);
  if (part == nullptr) return invalid("unknown_field: " + part_name);
  auto whole = new_message(*schema.descriptor);
  if (!copy_element(schema, field, fragment.key.key, shown, whole.get())) {
    // A part of an element that is not there: somebody removed it meanwhile; it comes back.
    whole->CopyFrom(*message);
  }
  auto* element = whole->GetReflection()->MutableRepeatedMessage(whole.get(), field.field, 0);
  element->GetReflection()->ClearField(element, part);
  DUHUI_CHECK_OK(RecordJson::instance().read_field(*part, value, element));
  return one_write(schema, *whole);
}

}  // namespace

Result<RecordEdit> edit_create(const RecordSchema& schema,
                               const Json& value,
                               const EditAuthor& author) {
  auto message = new_message(*schema.descriptor);
  DUHUI_CHECK_OK(RecordJson::instance().read(value, message.get()));
  const auto* events = schema.descriptor->FindFieldByName(schema.rule.state_field());
  const auto* state = schema.descriptor->FindFieldByName(schema.rule.state());
  const auto* reflection = message->GetReflection();
  if (events != nullptr && reflection->HasField(*message, state) &&
      reflection->FieldSize(*message, events) == 0) {
    const std::string to = identifier_of(*reflection->GetEnum(*message, state));
    DUHUI_CHECK_OK(add_event(schema, to, nullptr, author, message.get()));
  }
  DUHUI_TRY(fragments, split(schema, *message));
  RecordEdit edit;
  for (Fragment& fragment : fragments) {
    edit.writes.push_back({std::move(fragment.key), std::move(fragment.value)});
  }
  return edit;
}

Result<RecordEdit> edit_set(const RecordSchema& schema,
                            std::string_view path,
                            const Json& value,
                            const Message& shown,
                            const EditAuthor& author) {
  DUHUI_TRY(place, parse_path(schema, path));
  if (place.field->rule.policy() == record::v1::POLICY_DERIVED) {
    return invalid("not_writable: " + std::string(path));
  }
  switch (place.field->shape) {
    case FieldSchema::Shape::single:
      if (!place.rest.empty()) return invalid("unknown_field: " + std::string(path));
      return set_field(schema, *place.field, value, shown);
    case FieldSchema::Shape::map:
      if (place.rest.empty())
        return invalid("not_writable: " + std::string(path) + ": needs a key");
      return set_entry(schema, place, value, shown, author);
    case FieldSchema::Shape::elements:
      return set_element(schema, place, value, shown);
    case FieldSchema::Shape::list:
      break;
  }
  return invalid("not_writable: " + std::string(path) + ": entries are only added");
}

Result<RecordEdit> edit_add(const RecordSchema& schema, std::string_view path, const Json& value) {
  DUHUI_TRY(place, parse_path(schema, path));
  if (place.field->shape != FieldSchema::Shape::elements || !place.rest.empty()) {
    return invalid("not_writable: " + std::string(path) + ": not a set");
  }
  auto message = new_message(*schema.descriptor);
  DUHUI_CHECK_OK(RecordJson::instance().read_element(*place.field->field, value, message.get()));
  return one_write(schema, *message);
}

Result<RecordEdit> edit_remove(const RecordSchema& schema,
                               std::string_view path,
                               const Json& member) {
  if (member.is_object()) {
    DUHUI_TRY(added, edit_add(schema, path, member));
    return one_removal(added.writes.front().key);
  }
  std::string whole(path);
  if (member.is_string()) whole += "/" + member.get<std::string>();
  DUHUI_TRY(key, register_of(schema, whole));
  const auto& field = schema.fields.at(key.field);
  if (field.shape != FieldSchema::Shape::elements && field.shape != FieldSchema::Shape::map) {
    return invalid("not_writable: " + std::string(path) + ": not a set");
  }
  return one_removal(std::move(key));
}

Result<RecordEdit> edit_append(const RecordSchema& schema,
                               std::string_view path,
                               const Json& value,
                               const EditAuthor& author) {
  DUHUI_TRY(place, parse_path(schema, path));
  if (place.field->shape != FieldSchema::Shape::list || !place.rest.empty()) {
    return invalid("not_writable: " + std::string(path) + ": not a list of entries");
  }
  auto message = new_message(*schema.descriptor);
  const auto* field = place.field->field;
  DUHUI_CHECK_OK(RecordJson::instance().read_element(*field, value, message.get()));
  fill_author(message->GetReflection()->MutableRepeatedMessage(message.get(), field, 0), author);
  DUHUI_TRY(edit, one_write(schema, *message));
  const bool state = field->name() == schema.rule.state_field();
  edit.sees_all = state || field->message_type()->FindFieldByName("signer") != nullptr;
  return edit;
}

Result<RecordEdit> edit_transition(const RecordSchema& schema,
                                   std::string_view to,
                                   const Json& details,
                                   const EditAuthor& author) {
  auto message = new_message(*schema.descriptor);
  DUHUI_CHECK_OK(add_event(schema, to, details, author, message.get()));
  DUHUI_TRY(edit, one_write(schema, *message));
  edit.sees_all = true;
  return edit;
}

RecordEdit edit_delete() {
  RecordEdit edit;
  std::string value;
  append_varint(value, std::uint64_t{kDeletedField} << 3);
  append_varint(value, 1);
  edit.writes.push_back({{kDeletedField, {}}, std::move(value)});
  edit.sees_all = true;
  return edit;
}

Result<RegisterKey> register_of(const RecordSchema& schema, std::string_view path) {
  DUHUI_TRY(place, parse_path(schema, path));
  const FieldSchema& field = *place.field;
  if (field.shape == FieldSchema::Shape::map && !place.rest.empty()) {
    return RegisterKey{field.register_field, place.rest.front()};
  }
  if (field.shape != FieldSchema::Shape::elements) {
    if (!place.rest.empty()) return invalid("unknown_field: " + std::string(path));
    return RegisterKey{field.register_field, {}};
  }
  const std::size_t names = std::max<std::size_t>(1, key_fields(*field.field).size());
  if (place.rest.size() < names) return invalid("unknown_field: " + std::string(path));
  place.rest.resize(names);
  DUHUI_TRY(element, element_with_key(schema, field, place.rest));
  DUHUI_TRY(fragment, only_fragment(schema, *element));
  return std::move(fragment.key);
}

}  // namespace duhui
