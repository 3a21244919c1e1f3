#pragma once

#include "hub/api/account_desk.h"
#include "hub/api/file_tally.h"
#include "hub/api/hub_access.h"
#include "hub/api/hub_records.h"
#include "shared/api/router.h"
#include "shared/base/result.h"

namespace duhui::hub {

/// The nouns only a hub has: its status, devices, tickets, registries, what waits for review.
class HubNouns {
 public:
  /// All outlive this.
  HubNouns(HubAccess& hub, HubRecords& records, AccountDesk& accounts)
      : hub_(hub), records_(records), accounts_(accounts), tally_(hub) {}

  /// Adds the routes; this must outlive the router.
  void add_to(api::Router& router);

  Result<api::ApiResponse> status(const api::ApiRequest& request);
  Result<api::ApiResponse> devices(const api::ApiRequest& request);
  Result<api::ApiResponse> device(const api::ApiRequest& request);
  Result<api::ApiResponse> revoke(const api::ApiRequest& request);
  Result<api::ApiResponse> restore(const api::ApiRequest& request);
  Result<api::ApiResponse> tickets(const api::ApiRequest& request);
  Result<api::ApiResponse> create_ticket(const api::ApiRequest& request);
  Result<api::ApiResponse> revoke_ticket(const api::ApiRequest& request);
  Result<api::ApiResponse> import(const api::ApiRequest& request);
  Result<api::ApiResponse> verify(const api::ApiRequest& request);

 private:
  Result<api::ApiResponse> set_revoked(const api::ApiRequest& request, bool revoked);

  HubAccess& hub_;
  HubRecords& records_;
  AccountDesk& accounts_;
  FileTally tally_;
};

}  // namespace duhui::hub
