#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "duhui/record/v1/options.pb.h"

namespace google::protobuf {
class Descriptor;
class EnumDescriptor;
class EnumValueDescriptor;
class FieldDescriptor;
}  // namespace google::protobuf

namespace duhui {

/// The merge rule of a field; the default one when it has none (sub-fields).
const record::v1::FieldRule& rule_of(const google::protobuf::FieldDescriptor& field);

/// The sub-fields that identify one element of a repeated field; empty: the scalar itself.
std::vector<std::string> key_fields(const google::protobuf::FieldDescriptor& field);

/// The glossary's identifier of an enumerator: VISIT_KIND_ROUTINE of VisitKind is "routine".
std::string identifier_of(const google::protobuf::EnumValueDescriptor& value);
/// Null: no such identifier. The zero value ("unspecified") has none.
const google::protobuf::EnumValueDescriptor* find_identifier(
    const google::protobuf::EnumDescriptor& type, std::string_view identifier);

std::vector<std::string> split_text(std::string_view text, char separator);

}  // namespace duhui
