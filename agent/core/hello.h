#pragma once

#include <string>
#include <string_view>

#include "agent/core/sync_session.h"
#include "duhui/sync/v1/frame.pb.h"

namespace duhui::agent {

/// What this device says of itself, on a link or in a bundle. `binding`: what the proof is bound
/// to.
sync::v1::Hello make_hello(const Replica& replica,
                           const DeviceIdentity& identity,
                           std::string_view binding,
                           const ClockReading& clock,
                           const std::string& software);

}  // namespace duhui::agent
