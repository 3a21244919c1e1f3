#pragma once

#include <string>

#include "hub/app/hub_folder.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/crypto/digest.h"

namespace duhui::hub {

/// Gives the hub a new TLS key; devices follow the statement that the old one signs. The folder
/// must be opened again to serve with it. Told to the audit log first. Returns the new pin.
/// limit_exceeded: the history is full.
Result<Digest> rotate_tls_key(HubFolder& folder, WallTime now);

/// What a crash left of a rotation is completed if the statement was written, and undone if not.
/// For whoever holds the folder's lock and has not read the keys yet.
Status finish_tls_rotation(const std::string& path);

/// The serialized KeyHistory, for anybody who asks; empty where the key was never replaced.
Result<std::string> read_key_history(const std::string& path);

}  // namespace duhui::hub
