#pragma once

#include "hub/ports/store.h"
#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/crypto/signing.h"

namespace duhui::hub {

/// Appends to the audit log. Call it in the transaction of the act itself: an act that cannot be
/// told of does not happen.
Status append_audit(HubTransaction& tx, AuditEntry entry);

/// Signs the newest entry, so that a log whose tail was cut off shows; the checkpoint that is there
/// already if it has one. An empty log: seq 0, no signature.
Result<AuditCheckpoint> sign_audit(HubTransaction& tx,
                                   const HubId& hub,
                                   const SigningKey& key,
                                   WallTime now);

/// Whether the hub with this key signed it.
bool holds(const AuditCheckpoint& checkpoint, const HubId& hub, const PublicKey& key);

}  // namespace duhui::hub
