#include "hub/core/checked_batch.h"

#include <utility>

#include "shared/crypto/signing.h"
#include "shared/sync/stream_chain.h"

namespace duhui::hub {

CheckedBatch check_batch(PayloadCodec& codec,
                         const sync::v1::Batch& batch,
                         std::string_view public_key) {
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
  checked.digests.reserve(unpacked->ops.size());
  for (const std::string_view op : unpacked->ops) checked.digests.push_back(sha256(op));
  checked.unpacked = std::move(unpacked);
  return checked;
}

}  // namespace duhui::hub
