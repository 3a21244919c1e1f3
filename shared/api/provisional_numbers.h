#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "shared/api/record_source.h"
#include "shared/base/result.h"
#include "shared/merge/schema.h"

namespace duhui::api {

/// Whether `to` is a state that a notice only has once it is issued.
bool is_issuing(const RecordSchema& schema, const nlohmann::json& to);

/// The number a notice of this school gets on a device, until the hub numbers it: one more than the
/// highest this device knows of. Empty: this is the hub, or the school is not known here.
Result<std::string> next_provisional_number(RecordSource& source, const std::string& school_id);

}  // namespace duhui::api
