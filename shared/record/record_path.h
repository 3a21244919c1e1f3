#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "shared/base/result.h"
#include "shared/merge/schema.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace duhui {

/// A path taken apart: the field, and what of it (map key, element key, sub-field).
struct RecordPath {
  const FieldSchema* field = nullptr;
  std::vector<std::string> rest;
};

Result<RecordPath> parse_path(const RecordSchema& schema, std::string_view path);

/// The only register of a message with one field, entry or element set.
Result<Fragment> only_fragment(const RecordSchema& schema,
                               const google::protobuf::Message& message);

/// A message whose only content is an element of `field` with these key parts, as in JSON.
Result<std::unique_ptr<google::protobuf::Message>> element_with_key(
    const RecordSchema& schema, const FieldSchema& field, const std::vector<std::string>& key);

/// Copies the element or entry with `key` from `from` into the empty message `to`. False: none.
bool copy_element(const RecordSchema& schema,
                  const FieldSchema& field,
                  const std::string& key,
                  const google::protobuf::Message& from,
                  google::protobuf::Message* to);

}  // namespace duhui
