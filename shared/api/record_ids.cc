#include "shared/api/record_ids.h"

#include <nlohmann/json.hpp>

#include "shared/crypto/registry_id.h"

namespace duhui::api {
namespace {

bool is_name(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }

}  // namespace

Result<const RecordSchema*> schema_named(std::string_view type_name) {
  const RecordSchema* schema = Schema::instance().find(type_name);
  if (schema == nullptr) {
    return Error{ErrorCode::invalid_input, "unknown_type: " + std::string(type_name)};
  }
  return schema;
}

std::string type_name(std::uint32_t type) {
  const RecordSchema* schema = Schema::instance().find(type);
  return schema == nullptr ? std::to_string(type) : schema->rule.name();
}

std::string readable_id(const RecordSchema& schema, const nlohmann::json& value) {
  const std::string& spec = schema.rule.id_fields();
  std::string id;
  for (std::size_t at = 0; at < spec.size();) {
    if (!is_name(spec[at])) {
      id += spec[at++];
      continue;
    }
    std::size_t end = at;
    while (end < spec.size() && is_name(spec[end])) ++end;
    const auto part = value.find(spec.substr(at, end - at));
    if (part == value.end() || part->is_null()) return {};
    id += part->is_string() ? part->get<std::string>() : part->dump();
    at = end;
  }
  return id;
}

Result<RecordId> parse_record_id(std::string_view text, std::string_view type_name) {
  if (const auto bytes = from_uuid_text(text)) return *RecordId::from_bytes(*bytes);
  if (text.empty() || type_name.empty()) {
    return Error{ErrorCode::invalid_input, "id: not a UUID; a readable id needs its type"};
  }
  DUHUI_TRY(schema, schema_named(type_name));
  if (schema->rule.id_fields().empty()) {
    return Error{ErrorCode::invalid_input, "id: not a UUID: " + std::string(text)};
  }
  return registry_record_id(type_name, text);
}

std::string id_text(const RecordId& id, const RecordSchema* schema, const nlohmann::json& value) {
  if (schema != nullptr && value.is_object()) {
    std::string readable = readable_id(*schema, value);
    if (!readable.empty() && registry_record_id(schema->rule.name(), readable) == id) {
      return readable;
    }
  }
  return to_uuid_text(id.view());
}

}  // namespace duhui::api
