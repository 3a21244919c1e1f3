#pragma once

#include "hub/api/hub_access.h"
#include "hub/api/hub_records.h"
#include "shared/api/router.h"

namespace duhui::hub {

/// Reads back what devices brought, to whoever may see a record that names it:
///
///   GET    /files/{sha256}        ?record=ID, &thumbnail=1
class FileDesk {
 public:
  /// Both outlive this.
  FileDesk(HubAccess& hub, HubRecords& records) : hub_(hub), records_(records) {}

  /// This must outlive the router.
  void add_to(api::Router& router);

 private:
  Result<api::ApiResponse> read(const api::ApiRequest& request);

  HubAccess& hub_;
  HubRecords& records_;
};

}  // namespace duhui::hub
