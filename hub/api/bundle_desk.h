#pragma once

#include "hub/api/hub_access.h"
#include "shared/api/router.h"
#include "shared/base/result.h"

namespace duhui::hub {

/// Bundles on the hub's own machine, by their paths: for its operator. Files are read and written
/// by the service.
class BundleDesk {
 public:
  /// `hub` outlives this.
  explicit BundleDesk(HubAccess& hub) : hub_(hub) {}

  /// Adds the routes; this must outlive the router.
  void add_to(api::Router& router);

  /// {"paths":[...]}
  Result<api::ApiResponse> take(const api::ApiRequest& request);
  /// {"device": id or name, "target": folder or file, "part_bytes"?}
  Result<api::ApiResponse> make(const api::ApiRequest& request);

 private:
  Result<DeviceId> device_of(const std::string& named);

  HubAccess& hub_;
};

}  // namespace duhui::hub
