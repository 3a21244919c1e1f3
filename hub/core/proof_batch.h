#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "duhui/store/v1/proof.pb.h"
#include "shared/base/ids.h"
#include "shared/crypto/digest.h"
#include "shared/crypto/signing.h"
#include "shared/sync/payload_codec.h"

namespace duhui::hub {

/// A batch of an archive, taken apart. The views point into the batch or into `raw`.
struct OpenedProofBatch {
  std::shared_ptr<const std::string> raw;
  std::vector<std::string_view> ops;  // empty: not shown
  std::vector<Digest> digests;
  std::uint64_t shown = 0;

  /// The record of op `n`; the zero id: not known.
  RecordId record_of(std::size_t n) const;
};

/// Empty optional: it cannot be read.
std::optional<OpenedProofBatch> open_proof_batch(PayloadCodec& codec,
                                                 const store::v1::ProofBatch& batch);

struct ProofBatchQuestion {
  const store::v1::ProofBatch& batch;
  const OpenedProofBatch& opened;
  std::string_view chain_before;
  const PublicKey* device_key = nullptr;  // null: the hub's own ops
  const PublicKey* hub_key = nullptr;     // null: seals are not looked at
  RecordId only_record{};                 // zero: any
};

/// Whether its writer signed it. `problem` empty: yes, and the stream's chain is `chain` behind it.
struct ProofBatchCheck {
  std::string problem{};
  std::uint64_t seq = 0;
  RecordId record{};
  std::string chain{};
};
ProofBatchCheck check_proof_batch(const ProofBatchQuestion& question);

}  // namespace duhui::hub
