#pragma once

#include <nlohmann/json_fwd.hpp>

#include "shared/record/json_layout.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace duhui {

/// What is set in `message`, without its secret fields.
nlohmann::json message_json(const JsonLayouts& layouts, const google::protobuf::Message& message);

/// One field; null: not set.
nlohmann::json field_json(const JsonLayouts& layouts,
                          const google::protobuf::FieldDescriptor& field,
                          const google::protobuf::Message& message);

}  // namespace duhui
