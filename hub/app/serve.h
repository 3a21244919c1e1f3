#pragma once

#include <functional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "hub/app/hub_folder.h"
#include "hub/app/hub_settings.h"
#include "shared/base/result.h"

namespace duhui::hub {

/// Runs the hub's service until SIGTERM or SIGINT: devices over TLS, the API on loopback and on
/// `<folder>/control.sock`. `ready` is told the addresses once all of them answer; they also stand
/// in
/// `<folder>/listen.json`.
Status serve_hub(HubFolder& folder,
                 const HubSettings& settings,
                 const std::string& version,
                 const std::function<void(const nlohmann::json&)>& ready);

}  // namespace duhui::hub
