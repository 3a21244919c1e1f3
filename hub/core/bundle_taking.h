#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "duhui/sync/v1/bundle.pb.h"
#include "duhui/sync/v1/frame.pb.h"
#include "hub/core/bundle_files.h"
#include "hub/core/hub_peer.h"
#include "hub/ports/store.h"
#include "shared/base/ids.h"

namespace duhui::hub {

/// What a device told by its newest bundle: its Hello, what it asked, and which files it waits to
/// have receipts of.
struct Told {
  sync::v1::Hello hello{};
  std::vector<sync::v1::RangeRequest> questions{};
  std::vector<sync::v1::BlobOffer> files{};
};

/// Hands the frames of a device's bundle to the hub as the device would over a link, within the
/// credit, and hears what becomes of them. The bundle's signature was verified before.
class BundleTaking final : public HubPeer {
 public:
  /// The next frame of the file; empty optional: there is no more.
  using Frames = std::function<Result<std::optional<std::string>>()>;
  BundleTaking(const sync::v1::BundleHeader& header,
               const sync::v1::BundleOpening& opening,
               Frames frames);

  std::string binding() const override;
  Arrival arrival() const override;
  Result<std::optional<std::string>> next() override;
  Status heard(std::string_view frame) override;
  bool over() const override { return over_; }

  struct Outcome {
    bool fork = false;          // the hub holds another branch of the stream: nothing was taken
    bool revoked = false;       // what came is kept aside
    std::uint64_t taken = 0;    // ops that were new to the hub
    std::uint64_t known = 0;    // the hub had them
    std::uint64_t waiting = 0;  // ops before which others are missing: another part comes first
    std::uint64_t aside = 0;    // of those taken: in quarantine, each with its reason there
    BundleFiles::Count files{};
    std::string device_name{};
  };
  Outcome outcome() const;
  /// What the device said, for the bundle that answers it.
  Told told() const;

 private:
  struct Waiting {
    sync::v1::Frame frame{};  // of a file; else empty
    std::string bytes{};
  };
  Result<std::optional<Waiting>> prepare(std::string bytes);
  /// The frame that waits, if it may be said now.
  Result<std::optional<std::string>> say();
  void count(const sync::v1::Batch& batch);

  const sync::v1::BundleHeader header_;
  const std::string signed_with_;
  const WallTime hub_seen_;
  const Frames frames_;
  sync::v1::Frame hello_;
  std::vector<sync::v1::RangeRequest> questions_;
  bool welcomed_ = false;
  bool said_all_ = false;
  bool over_ = false;
  std::uint64_t credit_ = 0;
  std::uint64_t unanswered_ = 0;  // acks that have to come
  std::optional<Waiting> held_;   // the next frame
  BundleFiles files_;
  std::uint64_t through_ = 0;  // durable at the hub
  std::uint64_t last_seq_ = 0;
  Outcome outcome_;
};

/// Kept for the bundle that answers it, unless it is older than what is kept.
Status remember_told(HubTransaction& tx, Told told);
/// Of a device that told nothing by bundle yet: as if it held nothing of the feeds.
Result<Told> told_by(HubTransaction& tx, const DeviceRow& device);

}  // namespace duhui::hub
