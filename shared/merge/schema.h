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

/// One register's part of a record message.
struct Fragment {
  RegisterKey key;
  std::string value;
};

/// Splits a record message into its registers' fragments, in field order. Unset and empty fields
/// yield nothing. `invalid_input`: an element without its key, or two elements with the same key.
Result<std::vector<Fragment>> split(const RecordSchema& schema,
                                    const google::protobuf::Message& record);

/// Whether a fragment holds only fields of the register it claims (a hostile peer may smuggle
/// others). Unknown registers: only the tag is compared.
Status check_fragment(const RecordSchema& schema, const RegisterKey& key, std::string_view value);

}  // namespace duhui
