#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "hub/api/hub_access.h"
#include "hub/api/hub_records.h"
#include "hub/api/reach.h"
#include "shared/api/router.h"
#include "shared/base/result.h"

namespace duhui::hub {

/// Ops that wait for a person: list them, accept them, set them aside. Who sees to a part of the
/// tree learns of no others.
class QuarantineDesk {
 public:
  /// Both outlive this.
  QuarantineDesk(HubAccess& hub, HubRecords& records) : hub_(hub), records_(records) {}

  /// Adds the routes; this must outlive the router.
  void add_to(api::Router& router);

  Result<api::ApiResponse> list(const api::ApiRequest& request);
  Result<api::ApiResponse> accept(const api::ApiRequest& request);
  Result<api::ApiResponse> set_aside(const api::ApiRequest& request);

 private:
  /// What a request is about.
  struct Wanted {
    std::string person;
    std::vector<Dot> dots;
  };
  Result<Wanted> wanted(const api::ApiRequest& request);
  Result<std::vector<Dot>> sent_by(const DeviceId& device, const Reach& reach);
  /// Those the person may not decide are left, like those that do not exist.
  Status leave_out_of_reach(const Reach& reach, std::vector<Dot>& dots, nlohmann::json& left);
  Result<api::ApiResponse> decide(const api::ApiRequest& request, Decision decision);
  /// The person writes what the proposal says.
  Status accept_proposal(const Subject& subject,
                         const std::string& person,
                         const QuarantineRow& row);

  HubAccess& hub_;
  HubRecords& records_;
};

}  // namespace duhui::hub
