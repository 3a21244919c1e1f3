#pragma once

#include <nlohmann/json_fwd.hpp>

#include "shared/cli/console.h"

namespace duhui::agent {

/// GET /status as a person reads it: never "synced" alone, but what is where.
void write_status(cli::Console& console, const nlohmann::json& status);

}  // namespace duhui::agent
