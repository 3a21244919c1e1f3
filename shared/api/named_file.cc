#include "shared/api/named_file.h"

#include <nlohmann/json.hpp>

#include "shared/api/domain_lookup.h"
#include "shared/api/record_access.h"
#include "shared/api/record_ids.h"
#include "shared/record/base64.h"

namespace duhui::api {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kHashDigits = 64;

std::string text_of(const Json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

struct Found {
  const Json* file = nullptr;    // null: none
  const Json* holder = nullptr;  // what it stands in: an original is named like its photo
};

/// The first object anywhere inside that has this hash.
Found find_object(const Json& value, std::string_view sha256, const Json* holder = nullptr) {
  if (!value.is_structured()) return {};
  if (value.is_object() && text_of(value, "sha256") == sha256) return {&value, holder};
  for (const Json& inner : value) {
    if (const Found found = find_object(inner, sha256, &value); found.file != nullptr) return found;
  }
  return {};
}

/// The restricted field that names it; empty: none.
std::string restricted_field(const RecordSchema& schema, const Json& value, std::string_view hash) {
  for (const std::string& path : RecordAccess::restricted_in(schema, value)) {
    if (find_object(value[Json::json_pointer{"/" + path}], hash).file != nullptr) {
      return path;
    }
  }
  return {};
}

}  // namespace

Result<NamedFile> find_named_file(RecordSource& source,
                                  const Subject& subject,
                                  std::string_view record,
                                  std::string_view type_name,
                                  std::string_view sha256) {
  const Error none{ErrorCode::not_found, "no such file: " + std::string(sha256)};
  if (sha256.size() != kHashDigits) return none;
  const auto id = parse_record_id(record, type_name);
  if (!id) return none;
  DUHUI_TRY(state, source.state(*id));
  RecordAccess access(source, subject);
  if (!state || !access.check_read(*id, *state)) return none;
  DomainLookup lookup(source);
  const auto shown = lookup.present_record(*id, *state);
  if (!shown) return none;
  Json value = shown->record;
  access.redact_value(*id, *state, value);
  const Found found = find_object(value, sha256);
  if (found.file == nullptr) return none;
  NamedFile file{.record = *id,
                 .type = shown->schema->rule.name(),
                 .restricted = restricted_field(*shown->schema, value, sha256),
                 .name = text_of(*found.file, "file_name"),
                 .mime = text_of(*found.file, "mime")};
  if (file.name.empty() && found.holder != nullptr) file.name = text_of(*found.holder, "file_name");
  const std::string thumbnail = text_of(*found.file, "thumbnail");
  if (!thumbnail.empty()) file.thumbnail = from_base64(thumbnail);
  return file;
}

}  // namespace duhui::api
