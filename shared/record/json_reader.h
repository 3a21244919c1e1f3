#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/base/result.h"
#include "shared/record/json_layout.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace duhui {

/// Reads JSON into messages; remembers the place for error messages. One use, one thread.
class JsonReader {
 public:
  explicit JsonReader(const JsonLayouts& layouts, std::string place = {})
      : layouts_(layouts), place_(std::move(place)) {}

  Status read_message(const nlohmann::json& value, google::protobuf::Message* out);
  Status read_field(const google::protobuf::FieldDescriptor& field,
                    const nlohmann::json& value,
                    google::protobuf::Message* out);
  Status read_element(const google::protobuf::FieldDescriptor& field,
                      const nlohmann::json& value,
                      google::protobuf::Message* out);
  Status read_entry(const google::protobuf::FieldDescriptor& field,
                    const std::string& key,
                    const nlohmann::json& value,
                    google::protobuf::Message* out);

 private:
  Status read_node(const JsonNode& node,
                   const nlohmann::json& value,
                   google::protobuf::Message* out);
  Status read_keyed(const google::protobuf::FieldDescriptor& field,
                    const nlohmann::json& value,
                    std::vector<std::string>* keys,
                    google::protobuf::Message* out);
  Status read_single(const google::protobuf::FieldDescriptor& field,
                     const nlohmann::json& value,
                     google::protobuf::Message* out);
  Status read_number(const google::protobuf::FieldDescriptor& field,
                     const nlohmann::json& value,
                     google::protobuf::Message* out,
                     bool add);
  Status read_value(const google::protobuf::FieldDescriptor& field,
                    const nlohmann::json& value,
                    google::protobuf::Message* out,
                    bool add);
  Status read_sub_message(const nlohmann::json& value, google::protobuf::Message* out);
  Error wrong_type(const char* wants) const;

  const JsonLayouts& layouts_;
  std::string place_;
};

}  // namespace duhui
