#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "hub/api/hub_access.h"
#include "shared/api/router.h"
#include "shared/base/result.h"

namespace duhui::hub {

/// The audit log for people: a look, a signed export, a check.
class AuditDesk {
 public:
  /// `hub` outlives this.
  explicit AuditDesk(HubAccess& hub) : hub_(hub) {}

  /// Adds the routes; this must outlive the router.
  void add_to(api::Router& router);

  /// Entries behind `after`, oldest first.
  Result<api::ApiResponse> list(const api::ApiRequest& request);
  /// Tells the log of the export and signs what is there then.
  Result<api::ApiResponse> begin_export(const api::ApiRequest& request);
  /// Reads the whole log. With {"seq","chain"} of an earlier export: does it still begin so?
  Result<api::ApiResponse> verify(const api::ApiRequest& request);

 private:
  HubAccess& hub_;
};

/// What a look at the whole log found.
struct AuditFindings {
  std::uint64_t entries = 0;
  std::uint64_t checkpoints = 0;
  std::string problem{};  // empty: none
};

/// Reads every entry and every checkpoint. `earlier`: a place the log must still go through.
Result<AuditFindings> verify_audit(HubAccess& hub, const AuditHead& earlier);

}  // namespace duhui::hub
