#pragma once

#include "hub/app/hub_settings.h"
#include "shared/net/http_server.h"

namespace duhui::hub {

/// For devices, over TLS and open to everybody who finds it. What is not a WebSocket asks for a
/// page of a few lines and sends nothing: nobody makes the hub hold more for them, or for longer.
net::ListenerOptions device_port_options(const HubSettings& settings,
                                         net::TaskScope::Report report);

}  // namespace duhui::hub
