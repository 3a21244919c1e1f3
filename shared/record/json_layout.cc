#include "shared/record/json_layout.h"

#include <algorithm>

#include <google/protobuf/descriptor.h>

#include "shared/base/check.h"
#include "shared/record/field_rule.h"

namespace duhui {
namespace {

std::string dotted_path(const google::protobuf::FieldDescriptor& field) {
  const std::string& path = rule_of(field).path();
  return path.empty() ? field.name() : path;
}

}  // namespace

JsonLayouts::JsonLayouts(const std::vector<const google::protobuf::Descriptor*>& roots) {
  for (const auto* root : roots) add(*root);
}

void JsonLayouts::add(const google::protobuf::Descriptor& type) {
  if (layouts_.count(&type) != 0) return;
  JsonNode& root = layouts_[&type];  // references into a map stay valid
  for (int i = 0; i < type.field_count(); ++i) {
    const auto& field = *type.field(i);
    JsonNode* node = &root;
    for (const std::string& step : split_text(dotted_path(field), '.')) {
      DUHUI_CHECK(node->field == nullptr);
      node = &node->children[step];
    }
    DUHUI_CHECK(node->field == nullptr && node->children.empty());
    node->field = &field;
    if (field.message_type() != nullptr) add(*field.message_type());
  }
}

const JsonNode& JsonLayouts::of(const google::protobuf::Descriptor& type) const {
  const auto found = layouts_.find(&type);
  DUHUI_CHECK(found != layouts_.end());
  return found->second;
}

std::string json_path_of(const google::protobuf::FieldDescriptor& field) {
  std::string path = dotted_path(field);
  std::replace(path.begin(), path.end(), '.', '/');
  return path;
}

}  // namespace duhui
