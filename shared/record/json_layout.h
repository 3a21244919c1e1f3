#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
}  // namespace google::protobuf

namespace duhui {

/// Where the fields of a message stand in its JSON form: most under their own name, some inside an
/// object (`participants.lead`). A node is a field or an object of fields, never both.
struct JsonNode {
  const google::protobuf::FieldDescriptor* field = nullptr;
  std::map<std::string, JsonNode> children;
};

/// The layouts of some record types and of every message inside them. Immutable after construction;
/// safe to share between threads.
class JsonLayouts {
 public:
  explicit JsonLayouts(const std::vector<const google::protobuf::Descriptor*>& roots);

  /// Precondition: `type` is one of the roots or inside one.
  const JsonNode& of(const google::protobuf::Descriptor& type) const;

 private:
  void add(const google::protobuf::Descriptor& type);

  std::map<const google::protobuf::Descriptor*, JsonNode> layouts_;
};

/// The place of a field as in JSON, joined by '/': "participants/lead".
std::string json_path_of(const google::protobuf::FieldDescriptor& field);

}  // namespace duhui
