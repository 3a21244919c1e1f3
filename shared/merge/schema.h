#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "duhui/record/v1/options.pb.h"
#include "shared/base/result.h"
#include "shared/merge/record_state.h"

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
class FileDescriptor;
class Message;
}  // namespace google::protobuf

namespace duhui {

/// How one top-level field of a record type merges; read from the field options once.
///
/// Element keys are text: strings as they are, numbers in decimal, enums by number, booleans as "0"
/// and "1", bytes in hexadecimal. Of several key sub-fields the texts are joined by "/", with "%"
/// and
/// "/" inside them written as "%25" and "%2F". Map keys likewise.
struct FieldSchema {
  enum class Shape : std::uint8_t {
    single,    // one register
    map,       // one register per map key
    elements,  // repeated: one register per element key (union, per_author)
    list,      // repeated, append: one register, every entry stays
  };
  const google::protobuf::FieldDescriptor* field = nullptr;
  record::v1::FieldRule rule;
  Shape shape = Shape::single;
  /// What one value is: the field itself, for a map the value field of its entries.
  const google::protobuf::FieldDescriptor* value = nullptr;
  /// The sub-field of the value (or, in a group, the field of the record) that `ask` and the
  /// extremes compare; null: the whole value.
  const google::protobuf::FieldDescriptor* decides = nullptr;
  /// Field numbers of the sub-fields that identify one element; empty: the element itself.
  std::vector<const google::protobuf::FieldDescriptor*> key_fields;
  /// Shares its register with other fields.
  bool grouped = false;
  /// Field number of the register: the lowest number of the field's group, or its own.
  std::uint32_t register_field = 0;
};

/// One record type.
struct RecordSchema {
  const google::protobuf::Descriptor* descriptor = nullptr;
  record::v1::RecordRule rule;
  std::map<std::uint32_t, FieldSchema> fields;  // by field number

  /// Rule of the register `register_field`; null: unknown field (kept, shown by `latest`).
  const FieldSchema* find(std::uint32_t register_field) const;
};

/// All record types of the .proto files linked into the program, by type number and by name.
/// Immutable; safe to share between threads.
class Schema {
 public:
  /// The schema of duhui.record.v1.
  static const Schema& instance();
  /// For tests: the record types declared in `file`.
  explicit Schema(const std::vector<const google::protobuf::FileDescriptor*>& files);

  const RecordSchema* find(std::uint32_t type) const;
  const RecordSchema* find(std::string_view name) const;
  const std::map<std::uint32_t, RecordSchema>& types() const { return types_; }

 private:
  std::map<std::uint32_t, RecordSchema> types_;
};

/// The element keys a fragment of a map or of a repeated field with elements holds, one per
/// element, in order. `invalid_input`: malformed, or an element without a key.
Result<std::vector<std::string>> element_keys(const FieldSchema& field, std::string_view fragment);

/// One register's part of a record message.
struct Fragment {
  RegisterKey key;
  std::string value;
};

/// Splits a record message into its registers' fragments, in key order. Unset, empty and derived
/// fields yield nothing; unknown fields keep their bytes. `invalid_input`: an element without its
/// key, or two elements with the same key.
Result<std::vector<Fragment>> split(const RecordSchema& schema,
                                    const google::protobuf::Message& record);

/// Whether a fragment holds only fields of the register it claims (a hostile peer may smuggle
/// others), is well-formed protobuf with valid UTF-8 in its text fields, and holds exactly the
/// element its key says. Unknown registers: only the tag and the well-formedness are checked. So
/// the concatenation of checked fragments always parses.
Status check_fragment(const RecordSchema& schema, const RegisterKey& key, std::string_view value);

}  // namespace duhui
