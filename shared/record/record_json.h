#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "shared/base/result.h"
#include "shared/record/json_layout.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace duhui {

/// The JSON form of records, read from the schema: field names, glossary identifiers for
/// enumerators, maps as objects, lists as arrays, numbers as they are (whole numbers stay whole).
///
/// Null, an absent name, and - for lists, maps and nested objects - empty all mean "not set", and
/// what is not set is left out when writing. `""`, 0 and false are values. A name that the schema
/// does not have is an error, never dropped. Errors are `invalid_input` ("unknown_field: place",
/// "wrong_type: place: ...") or `limit_exceeded`.
///
/// Immutable; safe to share between threads.
class RecordJson {
 public:
  /// For the record types of `Schema::instance()`.
  static const RecordJson& instance();
  explicit RecordJson(const std::vector<const google::protobuf::Descriptor*>& types);

  /// Reads a whole record (or sub-message) into the empty message `out`.
  Status read(const nlohmann::json& value, google::protobuf::Message* out) const;
  nlohmann::json write(const google::protobuf::Message& message) const;

  /// One whole field: a list as an array, a map as an object. Null clears nothing: `out` is as it
  /// was.
  Status read_field(const google::protobuf::FieldDescriptor& field,
                    const nlohmann::json& value,
                    google::protobuf::Message* out) const;
  /// Null: not set.
  nlohmann::json write_field(const google::protobuf::FieldDescriptor& field,
                             const google::protobuf::Message& message) const;

  /// Appends one element to a list.
  Status read_element(const google::protobuf::FieldDescriptor& field,
                      const nlohmann::json& value,
                      google::protobuf::Message* out) const;
  /// Adds one entry to a map.
  Status read_entry(const google::protobuf::FieldDescriptor& field,
                    const std::string& key,
                    const nlohmann::json& value,
                    google::protobuf::Message* out) const;

  /// A row of a registry file as JSON: columns are field names; `yes` and `no`, numbers and lists
  /// (joined by ';') by the field's type; an empty cell is not set.
  Result<nlohmann::json> registry_row(const google::protobuf::Descriptor& type,
                                      const std::map<std::string, std::string>& row) const;

  const JsonLayouts& layouts() const { return layouts_; }

 private:
  JsonLayouts layouts_;
};

/// An empty message of a generated type.
std::unique_ptr<google::protobuf::Message> new_message(const google::protobuf::Descriptor& type);

}  // namespace duhui
