#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "hub/api/hub_records.h"
#include "shared/base/result.h"
#include "shared/base/time.h"

namespace duhui::hub {

/// What a ticket is for.
struct TicketPlace {
  std::vector<std::string> scopes{};
  std::string name{};
};

/// From the body of a request: "school" (an id or a ten-digit code), "supervisor" (a laptop: the
/// schools of the postings of today, and where unannounced tasks wait), or "scopes"; "name"
/// replaces the name these give.
Result<TicketPlace> ticket_place(HubRecords& records, const nlohmann::json& body, WallTime now);

}  // namespace duhui::hub
