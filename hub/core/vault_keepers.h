#pragma once

#include <string>
#include <vector>

#include "hub/core/op_reader.h"
#include "hub/ports/store.h"
#include "shared/crypto/signing.h"

namespace duhui::hub {

/// The key of the device's vault for everybody who has an account at its places and is not of the
/// inspected school. Empty: nobody; then nothing is locked for this device.
Result<sync::v1::Vault> vault_of(HubTransaction& tx,
                                 OpReader& ops,
                                 const SigningKey& hub_key,
                                 const DeviceRow& device);

/// Whether both name the same people with the same keys.
bool same_keepers(const sync::v1::Vault& a, const sync::v1::Vault& b);

}  // namespace duhui::hub
