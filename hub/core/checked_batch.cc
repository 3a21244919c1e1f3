#include "hub/core/checked_batch.h"

#include <algorithm>
#include <utility>

#include "shared/base/bytes.h"
#include "shared/crypto/signing.h"
#include "shared/crypto/vault_key.h"
#include "shared/sync/locked_op.h"
#include "shared/sync/stream_chain.h"

namespace duhui::hub {

namespace {

/// Puts the exact bytes in the place of what the device locked. False: there was nothing locked.
Result<bool> open_all(const VaultKey& key, UnpackedBatch& unpacked) {
  if (std::ranges::none_of(unpacked.ops, [](std::string_view op) { return is_locked(op); })) {
    return false;
  }
  std::string raw;
  for (const std::string_view op : unpacked.ops) {
    DUHUI_TRY(bytes, open_op(key, op));
    append_varint(raw, bytes.size());
    raw += bytes;
  }
  unpacked.raw = std::move(raw);
  DUHUI_TRY(ops,
            PayloadCodec::split(unpacked.raw, static_cast<std::uint32_t>(unpacked.ops.size())));
  unpacked.ops = std::move(ops);
  return true;
}

}  // namespace

CheckedBatch check_batch(PayloadCodec& codec,
                         const sync::v1::Batch& batch,
                         const DeviceId& device,
                         std::string_view public_key,
                         const SigningKey& hub_key) {
  CheckedBatch checked;
  const auto origin = Origin::from_bytes(batch.origin());
  const auto key = PublicKey::from_bytes(public_key);
  const std::uint64_t last = batch.first_seq() + batch.count() - 1;
  if (!origin || !key ||
      !verify(*key, batch_statement(Dot{*origin, last}, batch.chain()), batch.signature())) {
    checked.refused = "batch: signature does not hold";
    return checked;
  }
  auto unpacked = std::make_shared<UnpackedBatch>();
  auto raw = codec.unpack(packed_ops(batch));
  if (!raw) {
    checked.refused = to_string(raw.error());
    return checked;
  }
  unpacked->raw = std::move(*raw);
  auto split = PayloadCodec::split(unpacked->raw, batch.count());
  if (!split) {
    checked.refused = to_string(split.error());
    return checked;
  }
  unpacked->origin = *origin;
  unpacked->first_seq = batch.first_seq();
  unpacked->ops = std::move(*split);
  unpacked->chain = batch.chain();
  auto was_locked = open_all(VaultKey::of_device(hub_key, device), *unpacked);
  if (!was_locked) {
    checked.refused = "batch: " + to_string(was_locked.error());
    return checked;
  }
  if (*was_locked) {
    checked.exact = batch;
    codec.pack(unpacked->ops, kEveryPacking, &*checked.exact);
  }
  checked.digests.reserve(unpacked->ops.size());
  for (const std::string_view op : unpacked->ops) checked.digests.push_back(sha256(op));
  checked.unpacked = std::move(unpacked);
  return checked;
}

}  // namespace duhui::hub
