#pragma once

#include <nlohmann/json.hpp>

#include "hub/api/hub_access.h"

namespace duhui::hub {

/// Reads everything the hub has: the database's structure, every stream's chain from its first op
/// and each batch's signature, every record's checksum over its ops, every scope's over its
/// records, the audit log.
/// {"ok","problems":[..],"database","streams","batches","ops","records","scopes","audit"}.
nlohmann::json verify_hub(HubAccess& hub);

}  // namespace duhui::hub
