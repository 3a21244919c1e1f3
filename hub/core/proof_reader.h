#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "duhui/store/v1/proof.pb.h"
#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/crypto/signing.h"
#include "shared/sync/payload_codec.h"

namespace duhui::hub {

/// An archive, wherever it lies.
struct ProofSource {
  std::uint64_t size = 0;
  /// Exactly `count` bytes from `offset`, which are there.
  std::function<Result<std::string>(std::uint64_t offset, std::size_t count)> read{};
};

/// What is wrong, and where it begins.
struct ProofFault {
  std::string problem{};
  Origin origin{};        // zero: no batch
  std::uint64_t seq = 0;  // the first op that is not proven; 0: none
  RecordId record{};      // zero: not known
};

struct ProofFindings {
  std::optional<ProofFault> fault{};  // none: unaltered and complete
  std::optional<PublicKey> hub_key{};
  HubId hub{};
  RecordId record{};  // zero: everything the hub had
  WallTime made_at{};
  std::uint64_t streams = 0;
  std::uint64_t batches = 0;
  std::uint64_t ops = 0;  // shown ones
  std::uint64_t records = 0;
};

/// Reads a proof archive and proves it, or names the first op that does not hold. Needs no network
/// and no database: the hub's key is in the archive, and the reader compares its fingerprint or
/// gives it. Two things are proven apart:
///
///   - by the hub's signature of the manifest: this is what the hub exported, byte for byte;
///   - by the devices' signatures over their chains, and the seals of the hub's own ops: the hub
///     did not alter what devices sent it. Who has the hub's key can forge the first, not this.
class ProofReader {
 public:
  /// `expected`: the hub's key as the reader knows it.
  ProofReader(const ProofSource& source, std::optional<PublicKey> expected)
      : source_(source), expected_(expected) {}

  /// An error only where the source cannot be read.
  Result<ProofFindings> run();

 private:
  Status read_end();
  Status read_frames();
  Result<std::string> next_frame(std::uint64_t offset, std::uint64_t end);
  void take(const store::v1::ProofFrame& part);
  void take_head(const store::v1::ProofHead& head);
  void take_stream(const store::v1::ProofStream& stream);
  void take_batch(const store::v1::ProofBatch& batch);
  void end_stream();
  void compare_counts();
  /// The frame is not the one that was signed: which op?
  void name_fault(const store::v1::ProofManifest::Frame& told, std::string_view bytes);
  void tell(std::string problem);
  void tell(std::string problem,
            const Origin& origin,
            std::uint64_t seq,
            const RecordId& record = {});
  bool faulty() const { return found_.fault.has_value(); }

  const ProofSource& source_;
  const std::optional<PublicKey> expected_;
  ProofFindings found_;
  PayloadCodec codec_;
  store::v1::ProofManifest manifest_;
  std::uint64_t frames_end_ = 0;
  bool has_manifest_ = false;
  std::size_t frames_ = 0;

  // Of the stream that is being read.
  std::optional<store::v1::ProofStream> stream_;
  std::optional<PublicKey> stream_key_;  // empty: the hub's own
  std::string chain_;
  std::uint64_t seq_ = 0;
};

}  // namespace duhui::hub
