#pragma once

#include <nlohmann/json.hpp>

#include "hub/api/hub_access.h"
#include "hub/api/hub_records.h"
#include "shared/base/result.h"

namespace duhui::hub {

/// Makes and lists enrolment tickets.
class TicketDesk {
 public:
  TicketDesk(HubAccess& hub, HubRecords& records) : hub_(hub), records_(records) {}

  /// {"school"|"scopes","name","uses","expires_hours","address"}. The secret is told this once and
  /// kept nowhere but as a hash.
  Result<nlohmann::json> create(const nlohmann::json& body);
  Result<nlohmann::json> list();

 private:
  HubAccess& hub_;
  HubRecords& records_;
};

}  // namespace duhui::hub
