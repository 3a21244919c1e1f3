#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "hub/api/hub_access.h"
#include "shared/base/result.h"

namespace duhui::hub {

/// Takes devices' bundles in, through the same conversation a link carries. Files and folders;
/// those that are not for this hub, torn or changed are passed over and named. Parts may come in
/// any order: what waits for an earlier one is tried again while there is progress.
/// {"files":[{"path","result","device","device_name","ops",...,"reason"?}],"ops","taken","skipped"}
Result<nlohmann::json> take_bundles(HubAccess& hub, const std::vector<std::string>& paths);

/// Makes the bundle that answers what a device told by its newest one, sealed to it. `spool`: a
/// folder for what is made before it is cut into parts.
Result<nlohmann::json> make_bundles(HubAccess& hub,
                                    const BundleOrder& order,
                                    const std::string& spool);

}  // namespace duhui::hub
