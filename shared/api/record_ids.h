#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/merge/schema.h"

namespace duhui::api {

/// `invalid_input` "unknown_type".
Result<const RecordSchema*> schema_named(std::string_view type_name);
/// The type's identifier; of one this build does not know, its number.
std::string type_name(std::uint32_t type);

/// The readable id that a registry record's value makes ("TPL_CANTEEN@2"); empty: the type has
/// none, or a part of it is not set.
std::string readable_id(const RecordSchema& schema, const nlohmann::json& value);

/// A UUID, or the readable id of a registry record of type `type_name` (may be empty for a UUID).
Result<RecordId> parse_record_id(std::string_view text, std::string_view type_name);

/// What people call the record: its readable id, or the UUID.
std::string id_text(const RecordId& id, const RecordSchema* schema, const nlohmann::json& value);

}  // namespace duhui::api
