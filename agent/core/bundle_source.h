#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/replica.h"
#include "agent/core/sync_session.h"
#include "shared/sync/bundle_plan.h"
#include "shared/sync/payload_codec.h"

namespace duhui::agent {

/// What this device puts into a bundle for its hub: what it would say on a link, and every op that
/// no hub has acknowledged. Nothing counts as delivered by it: only an Ack of the hub does.
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
  void rewind() override { next_seq_ = first_seq_; }

 private:
  BundleSource(Replica& replica, const DeviceIdentity& identity)
      : replica_(replica), identity_(identity) {}

  Replica& replica_;
  const DeviceIdentity& identity_;
  PayloadCodec codec_;
  Packing packing_;
  Origin origin_;
  Vault::State vault_ = Vault::State::open;
  std::uint64_t first_seq_ = 1;
  std::uint64_t last_seq_ = 0;
  std::uint64_t next_seq_ = 1;
  sync::v1::BundleOpening opening_;
  std::vector<std::string> greeting_;
};

}  // namespace duhui::agent
