#pragma once

#include <nlohmann/json_fwd.hpp>

#include "agent/core/replica.h"
#include "shared/base/result.h"

namespace duhui::agent {

struct LinkFacts;

/// What waits on this device, over which road it goes, and what has been sent: `transfer` of
/// GET /status.
Result<nlohmann::json> transfer_json(Replica& replica, const LinkFacts& link);

}  // namespace duhui::agent
