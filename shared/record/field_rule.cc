#include "shared/record/field_rule.h"

#include <algorithm>
#include <cctype>

#include <google/protobuf/descriptor.h>

namespace duhui {
namespace {

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }
char upper(char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }

/// "VISIT_KIND_" for VisitKind.
std::string prefix_of(const google::protobuf::EnumDescriptor& type) {
  std::string prefix;
  for (const char c : type.name()) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0 && !prefix.empty()) prefix += '_';
    prefix += upper(c);
  }
  return prefix + '_';
}

}  // namespace

const record::v1::FieldRule& rule_of(const google::protobuf::FieldDescriptor& field) {
  return field.options().GetExtension(record::v1::rule);
}

std::vector<std::string> key_fields(const google::protobuf::FieldDescriptor& field) {
  const std::string& key = rule_of(field).key();
  return key.empty() ? std::vector<std::string>{} : split_text(key, ',');
}

std::string identifier_of(const google::protobuf::EnumValueDescriptor& value) {
  const std::string prefix = prefix_of(*value.type());
  std::string name = value.name();
  if (name.rfind(prefix, 0) == 0) name.erase(0, prefix.size());
  std::transform(name.begin(), name.end(), name.begin(), lower);
  return name;
}

const google::protobuf::EnumValueDescriptor* find_identifier(
    const google::protobuf::EnumDescriptor& type, std::string_view identifier) {
  std::string name = prefix_of(type);
  for (const char c : identifier) {
    // Identifiers are lower case only, so that each value has one spelling.
    if (std::isupper(static_cast<unsigned char>(c)) != 0) return nullptr;
    name += upper(c);
  }
  const auto* value = type.FindValueByName(name);
  return value == nullptr || value->number() == 0 ? nullptr : value;
}

std::vector<std::string> split_text(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace duhui
