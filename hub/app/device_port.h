#pragma once

#include "hub/app/hub_settings.h"
#include "shared/net/http_server.h"
#include "shared/net/post_desk.h"

namespace duhui::hub {

/// Sync by POST on the devices' port. `pin`: of the key that devices see.
net::PostDeskOptions post_desk_options(const HubSettings& settings,
                                       const Digest& pin,
                                       net::TaskScope::Report report);

/// For devices, over TLS and open to everybody who finds it. What is not a WebSocket asks for a
/// page of a few lines and sends nothing: nobody makes the hub hold more for them, or for longer.
/// Whoever has a session by POST may send its messages (`posts`, which outlives the listener).
net::ListenerOptions device_port_options(const HubSettings& settings,
                                         const Digest& pin,
                                         const net::PostDesk& posts,
                                         net::TaskScope::Report report);

}  // namespace duhui::hub
