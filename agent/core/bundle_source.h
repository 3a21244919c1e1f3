#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/replica.h"
#include "agent/core/sync_session.h"
#include "shared/sync/blob_receiving.h"
#include "shared/sync/bundle_plan.h"
#include "shared/sync/chunk_map.h"
#include "shared/sync/payload_codec.h"

namespace duhui::agent {

/// What this device puts into a bundle for its hub: what it would say on a link, every op that no
/// hub has acknowledged, and behind them every file that the hub has not signed for, without the
/// chunks that it said it has. Nothing counts as delivered by it: only an Ack or a receipt of the
/// hub does.
///
/// One chunk of one file is in memory at a time. A file that cannot be read ends where it is
/// damaged.
///
/// A device whose stream the hub must judge first (damage took ops of it, or it forked) says hello
/// only. Not thread-safe: used where the replica is.
class BundleSource final : public FrameSource {
 public:
  /// All outlive this. `bundle_id`: 16 random bytes. An error: the replica's storage fails.
  static Result<std::unique_ptr<BundleSource>> begin(Replica& replica,
                                                     const DeviceIdentity& identity,
                                                     const std::string& name,
                                                     std::string_view bundle_id,
                                                     const ClockReading& clock,
                                                     const std::string& software);

  const sync::v1::BundleOpening& opening() const override { return opening_; }
  const std::vector<std::string>& greeting() const override { return greeting_; }
  Result<std::optional<CarriedFrame>> next() override;
  void rewind() override;
  std::uint64_t files() const { return files_.size(); }

 private:
  struct File {
    BlobName name;
    ChunkMap at_hub;
    std::uint32_t end = 0;  // the first chunk that cannot be read
  };

  BundleSource(Replica& replica, const DeviceIdentity& identity)
      : replica_(replica), identity_(identity) {}
  Status list_files();
  Result<std::optional<CarriedFrame>> next_of_files();
  /// Empty optional: it cannot be read.
  Result<std::optional<CarriedFrame>> piece(File& file, std::uint32_t chunk);

  Replica& replica_;
  const DeviceIdentity& identity_;
  PayloadCodec codec_;
  Packing packing_;
  Origin origin_;
  Vault::State vault_ = Vault::State::open;
  std::uint64_t first_seq_ = 1;
  std::uint64_t last_seq_ = 0;
  std::uint64_t next_seq_ = 1;
  std::vector<File> files_;  // as they were when the bundle was begun
  std::size_t file_ = 0;     // the present one
  std::uint32_t next_chunk_ = 0;
  std::string offer_;  // of the present one; empty: to be made
  bool planned_ = false;
  sync::v1::BundleOpening opening_;
  std::vector<std::string> greeting_;
};

}  // namespace duhui::agent
