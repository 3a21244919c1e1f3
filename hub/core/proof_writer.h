#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "duhui/store/v1/proof.pb.h"
#include "shared/crypto/digest.h"
#include "shared/crypto/signing.h"

namespace duhui::hub {

/// The layout of a proof archive:
///
///   archive = "duhui-proof-1\n" frame* end length "proof-end-1\n"
///   frame   = length (4 bytes, big endian), serialized ProofFrame
///   end     = serialized ProofEnd; `length` is its size, 4 bytes, big endian
inline constexpr std::string_view kProofStart = "duhui-proof-1\n";
inline constexpr std::string_view kProofEnd = "proof-end-1\n";
/// A whole batch, its stamps with a seal for each op, and room.
inline constexpr std::size_t kProofFrameMax = 4 << 20;
/// Bytes of an op's SHA-256 in the manifest.
inline constexpr std::size_t kOpMarkBytes = 8;

/// What the hub signs of an archive.
std::string proof_statement(std::string_view manifest);

/// Writes a proof archive piece by piece: each call returns the next bytes of it.
class ProofWriter {
 public:
  /// `key` outlives this.
  ProofWriter(const store::v1::ProofHead& head, const SigningKey& key);

  std::string begin();
  std::string add(const store::v1::ProofStream& stream);
  /// `ops`: digests of the batch's ops; `shown`: how many of them the archive holds as they are.
  std::string add(const store::v1::ProofBatch& batch,
                  const std::vector<Digest>& ops,
                  std::uint64_t shown);
  /// The signed manifest. `records`: the hub's count.
  std::string finish(std::uint64_t records);

 private:
  std::string frame(const store::v1::ProofFrame& part, const store::v1::ProofManifest::Frame& told);

  const SigningKey& key_;
  const store::v1::ProofHead head_;
  store::v1::ProofManifest manifest_;
};

}  // namespace duhui::hub
