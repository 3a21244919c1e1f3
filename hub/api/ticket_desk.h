#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "hub/api/hub_access.h"
#include "hub/api/hub_records.h"
#include "shared/base/result.h"

namespace duhui::hub {

/// Makes, lists and revokes enrolment tickets.
class TicketDesk {
 public:
  TicketDesk(HubAccess& hub, HubRecords& records) : hub_(hub), records_(records) {}

  /// {"school"|"supervisor"|"scopes","name","uses","expires_hours","address"}. The secret is told
  /// this once and kept nowhere but as a hash. `actor`: for the audit log.
  Result<nlohmann::json> create(const nlohmann::json& body, const std::string& actor);
  Result<nlohmann::json> list();
  /// It enrols nobody from now on; who came with it stays. `not_found`.
  Result<nlohmann::json> revoke(const std::string& id, const std::string& actor);

 private:
  HubAccess& hub_;
  HubRecords& records_;
};

}  // namespace duhui::hub
