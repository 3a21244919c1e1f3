#include <map>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <google/protobuf/wire_format_lite.h>

#include "shared/base/bytes.h"
#include "shared/merge/limits.h"
#include "shared/merge/schema.h"
#include "shared/merge/wire_field.h"

namespace duhui {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;

Error invalid(std::string detail) { return {ErrorCode::invalid_input, std::move(detail)}; }

WireField::Type wire_type_of(const FieldDescriptor& field) {
  return static_cast<WireField::Type>(
      WireFormatLite::WireTypeForFieldType(static_cast<WireFormatLite::FieldType>(field.type())));
}

bool is_packed(const FieldDescriptor& declared, const WireField& field) {
  return declared.is_packable() && field.type == WireField::Type::bytes;
}

/// The text of one key sub-field; empty: absent.
std::string key_text(const FieldDescriptor& declared, const WireField& field) {
  switch (declared.type()) {
    case FieldDescriptor::TYPE_STRING:
      return std::string(field.payload);
    case FieldDescriptor::TYPE_BYTES:
      return to_hex(field.payload);
    case FieldDescriptor::TYPE_SINT32:
    case FieldDescriptor::TYPE_SINT64:
      return std::to_string(WireFormatLite::ZigZagDecode64(field.value));
    case FieldDescriptor::TYPE_INT32:
    case FieldDescriptor::TYPE_SFIXED32:
      return std::to_string(static_cast<std::int32_t>(field.value));
    case FieldDescriptor::TYPE_INT64:
    case FieldDescriptor::TYPE_SFIXED64:
      return std::to_string(static_cast<std::int64_t>(field.value));
    case FieldDescriptor::TYPE_UINT32:
    case FieldDescriptor::TYPE_UINT64:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_FIXED64:
      return std::to_string(field.value);
    case FieldDescriptor::TYPE_BOOL:
      return field.value != 0 ? "1" : "0";
    case FieldDescriptor::TYPE_ENUM:  // zero is "unspecified": no key
      return field.value == 0 ? "" : std::to_string(static_cast<std::int32_t>(field.value));
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_DOUBLE:
    case FieldDescriptor::TYPE_GROUP:
    case FieldDescriptor::TYPE_MESSAGE:
      return {};  // cannot identify anything
  }
  return {};
}

/// A number without presence that equals its default is not encoded; as a key it is still "0".
std::string absent_key_text(const FieldDescriptor& declared) {
  if (declared.has_presence()) return {};
  switch (declared.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
    case FieldDescriptor::CPPTYPE_BOOL:
      return "0";
    default:
      return {};
  }
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '%') {
      out += "%25";
    } else if (c == '/') {
      out += "%2F";
    } else {
      out += c;
    }
  }
  return out;
}

/// Key of the element (or map entry) message `payload`; empty: it has none.
std::string message_key(const FieldSchema& field, std::string_view payload) {
  std::string joined;
  bool any = false;
  for (std::size_t at = 0; at < field.key_fields.size(); ++at) {
    const FieldDescriptor& declared = *field.key_fields[at];
    const auto found = last_field(payload, static_cast<std::uint32_t>(declared.number()));
    std::string text = found && found->type == wire_type_of(declared) ? key_text(declared, *found)
                                                                      : absent_key_text(declared);
    any = any || !text.empty();
    if (field.key_fields.size() == 1) return text;
    if (at != 0) joined += '/';
    joined += escaped(text);
  }
  return any ? joined : std::string{};
}

struct Element {
  std::string key;
  std::string bytes;
};

/// The elements one field of the wire holds: one, or several if it is packed.
Result<std::vector<Element>> elements_of(const FieldSchema& field, const WireField& wire) {
  const FieldDescriptor& declared = *field.field;
  std::vector<Element> out;
  if (is_packed(declared, wire)) {
    std::string_view rest = wire.payload;
    while (!rest.empty()) {
      const std::string_view before = rest;
      WireField one;
      one.type = wire_type_of(declared);
      const auto value = take_packed(rest, one.type);
      if (!value) return invalid("truncated packed field");
      one.value = *value;
      std::string bytes;
      append_varint(bytes,
                    (std::uint64_t{wire.number} << 3) | static_cast<std::uint64_t>(one.type));
      bytes += before.substr(0, before.size() - rest.size());
      out.push_back({key_text(declared, one), std::move(bytes)});
    }
  } else {
    std::string key = declared.message_type() != nullptr ? message_key(field, wire.payload)
                                                         : key_text(declared, wire);
    out.push_back({std::move(key), std::string(wire.raw)});
  }
  for (const Element& element : out) {
    if (element.key.empty()) return invalid(declared.full_name() + ": an element without its key");
    if (element.key.size() > kKeyBytesMax) return invalid(declared.full_name() + ": key too long");
  }
  return out;
}

bool has_element_keys(const FieldSchema& field) {
  return field.shape == FieldSchema::Shape::map || field.shape == FieldSchema::Shape::elements;
}

Status check_packed(const FieldDescriptor& declared, std::string_view payload) {
  while (!payload.empty()) {
    if (!take_packed(payload, wire_type_of(declared))) return invalid("truncated packed field");
  }
  return Done{};
}

Status check_message(const Descriptor& message, std::string_view bytes, int depth);

/// Whether a parser that knows `declared` can read `wire`.
Status check_field(const FieldDescriptor& declared, const WireField& wire, int depth) {
  if (wire.type != wire_type_of(declared)) {
    if (is_packed(declared, wire)) return check_packed(declared, wire.payload);
    return invalid(declared.full_name() + ": wrong wire type");
  }
  if (declared.type() == FieldDescriptor::TYPE_STRING && !is_valid_utf8(wire.payload)) {
    return invalid(declared.full_name() + ": not UTF-8");
  }
  if (declared.message_type() == nullptr) return Done{};
  return check_message(*declared.message_type(), wire.payload, depth + 1);
}

Status check_message(const Descriptor& message, std::string_view bytes, int depth) {
  if (depth > kValueDepthMax) return invalid("messages nested too deep");
  while (!bytes.empty()) {
    const auto wire = take_field(bytes);
    if (!wire) return invalid(message.full_name() + ": malformed encoding");
    const auto* declared = message.FindFieldByNumber(static_cast<int>(wire->number));
    if (declared != nullptr) DUHUI_CHECK_OK(check_field(*declared, *wire, depth));
  }
  return Done{};
}

Status check_unknown(const RegisterKey& key, std::string_view value) {
  while (!value.empty()) {
    const auto wire = take_field(value);
    if (!wire) return invalid("malformed encoding");
    if (wire->number != key.field) return invalid("holds a field of another register");
  }
  return Done{};
}

/// How many elements one field of the wire holds, checking that each is named by `key`.
Result<int> check_elements(const FieldSchema& field,
                           const RegisterKey& key,
                           const WireField& wire) {
  DUHUI_TRY(elements, elements_of(field, wire));
  for (const Element& element : elements) {
    if (element.key != key.key) return invalid("holds an element of another register");
  }
  return static_cast<int>(elements.size());
}

}  // namespace

Result<std::vector<std::string>> element_keys(const FieldSchema& field, std::string_view fragment) {
  std::vector<std::string> keys;
  while (!fragment.empty()) {
    const auto wire = take_field(fragment);
    if (!wire) return invalid("malformed encoding");
    DUHUI_TRY(elements, elements_of(field, *wire));
    for (Element& element : elements) keys.push_back(std::move(element.key));
  }
  return keys;
}

Result<std::vector<Fragment>> split(const RecordSchema& schema,
                                    const google::protobuf::Message& record) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);  // nested maps too: equal values, equal bytes
    if (!record.SerializePartialToCodedStream(&coded)) return invalid("record cannot be encoded");
  }

  std::map<RegisterKey, std::string> registers;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const auto wire = take_field(rest);
    if (!wire) return invalid("malformed unknown field");
    const auto at = schema.fields.find(wire->number);
    if (at == schema.fields.end()) {
      registers[{wire->number, {}}] += wire->raw;
      continue;
    }
    const FieldSchema& field = at->second;
    if (field.rule.policy() == record::v1::POLICY_DERIVED) continue;
    if (!has_element_keys(field)) {
      registers[{field.register_field, {}}] += wire->raw;
      continue;
    }
    DUHUI_TRY(elements, elements_of(field, *wire));
    for (Element& element : elements) {
      RegisterKey key{field.register_field, std::move(element.key)};
      if (registers.contains(key)) return invalid("two elements with the key " + key.key);
      registers.emplace(std::move(key), std::move(element.bytes));
    }
  }
  std::vector<Fragment> out;
  out.reserve(registers.size());
  for (auto& [key, value] : registers) out.push_back({key, std::move(value)});
  return out;
}

Status check_fragment(const RecordSchema& schema, const RegisterKey& key, std::string_view value) {
  const auto leader = schema.fields.find(key.field);
  if (leader == schema.fields.end()) return check_unknown(key, value);
  if (leader->second.register_field != key.field)
    return invalid("not the first field of its group");
  const bool keyed = has_element_keys(leader->second);
  if (keyed == key.key.empty()) return invalid(keyed ? "key missing" : "key on a plain field");

  int elements = 0;
  while (!value.empty()) {
    const auto wire = take_field(value);
    if (!wire) return invalid("malformed encoding");
    const auto at = schema.fields.find(wire->number);
    if (at == schema.fields.end() || at->second.register_field != key.field) {
      return invalid("holds a field of another register");
    }
    const FieldSchema& field = at->second;
    if (field.rule.policy() == record::v1::POLICY_DERIVED)
      return invalid("derived fields never travel");
    DUHUI_CHECK_OK(check_field(*field.field, *wire, 0));
    if (keyed) {
      DUHUI_TRY(count, check_elements(field, key, *wire));
      elements += count;
    } else if (!field.field->is_repeated() && last_field(value, wire->number)) {
      return invalid("a single field twice");
    }
  }
  if (elements > 1) return invalid("two elements in one register");
  return Done{};
}

}  // namespace duhui
