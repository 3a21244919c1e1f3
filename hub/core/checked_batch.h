#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "duhui/sync/v1/frame.pb.h"
#include "hub/core/op_reader.h"
#include "shared/base/ids.h"
#include "shared/crypto/digest.h"
#include "shared/crypto/signing.h"
#include "shared/sync/payload_codec.h"

namespace duhui::hub {

/// A batch as far as it can be judged without the database, which is most of the work of taking it:
/// signature, unpacking, the digests of its ops.
struct CheckedBatch {
  /// Why none of it can be taken; empty: the rest is there.
  std::string refused;
  std::shared_ptr<const UnpackedBatch> unpacked;
  std::vector<Digest> digests;  // of its ops
  /// Present where some came locked: the same with the exact bytes of all, as it is to be stored.
  std::optional<sync::v1::Batch> exact;
};

/// Says nothing of the batch's place in its stream. `hub_key`: opens what the device sends locked.
CheckedBatch check_batch(PayloadCodec& codec,
                         const sync::v1::Batch& batch,
                         const DeviceId& device,
                         std::string_view public_key,
                         const SigningKey& hub_key);

}  // namespace duhui::hub
