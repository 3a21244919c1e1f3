#pragma once

#include "duhui/sync/v1/op.pb.h"
#include "shared/base/audit_entry.h"
#include "shared/base/ids.h"
#include "shared/base/time.h"

namespace duhui::hub {

/// Whether the op is an entry of the device's own audit log: it creates an audit_event that lives at
/// the hub. Any device may send those, and nothing else for that scope, which is fed to none.
bool is_device_audit(const sync::v1::Op& op);

/// The entry, for the hub's audit log. What it says is the device's word, so it names the device.
AuditEntry device_audit(const sync::v1::Op& op, const DeviceId& device, WallTime at);

}  // namespace duhui::hub
