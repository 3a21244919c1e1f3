#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/replica.h"
#include "duhui/sync/v1/bundle.pb.h"
#include "duhui/sync/v1/frame.pb.h"
#include "shared/base/result.h"

namespace duhui::agent {

/// Takes what the hub has put into a bundle for this device, frame by frame. Bundles come in any
/// order, any number of times, and late: whatever is older than what the device has heard since, on
/// a link or from another bundle, changes nothing. The bundle's signature was verified before.
///
/// Not thread-safe: used where the replica is; a link may be up meanwhile.
class BundleDelivery {
 public:
  /// `replica` outlives this.
  BundleDelivery(Replica& replica, const sync::v1::BundleOpening& opening)
      : replica_(replica),
        told_acknowledged_(opening.acknowledged()),
        told_log_from_(std::max<std::uint64_t>(opening.own_log_from(), 1)) {}

  /// One frame. `refused`: the bundle is not for this device as it is now, `detail` says why in
  /// words; `conflict`: the own stream went on elsewhere. Nothing more of the bundle is taken then.
  Status take(std::string_view frame);

  struct Outcome {
    bool welcomed = false;       // the hub's word is newer than what was known
    bool new_origin = false;     // the own stream goes on under a new name: export again
    bool revoked = false;        // the hub has revoked this device
    bool vault_changed = false;  // other people may open the vault
    std::string device_name{};
    std::uint64_t acknowledged = 0;  // own ops that became durable at the hub by it
    std::uint64_t receipts = 0;      // of files that the hub signed for, new ones
    std::uint64_t pages = 0;         // of feeds, applied
    std::uint64_t old_pages = 0;     // known already
    std::vector<RecordId> changed{};
  };
  const Outcome& outcome() const { return outcome_; }

 private:
  Status on_welcome(const sync::v1::Welcome& welcome);
  Status on_ack(sync::v1::Ack ack);
  Status on_page(sync::v1::FeedPage page);
  Status on_walk(const sync::v1::WalkPage& page);
  Status on_answer(const sync::v1::RangeAnswer& answer);
  Status on_receipt(const sync::v1::BlobEnd& end);
  Status on_want(const sync::v1::BlobWant& want);
  Status judge_stream(const sync::v1::Welcome& welcome);
  Status goes_on_elsewhere();
  Status applied(Result<std::vector<RecordId>> changed);
  std::uint64_t through(const std::string& scope) const;
  /// A time of the hub that lies before one this device has seen says nothing: 0.
  std::int64_t later(std::int64_t hub_time_ms) const;

  Replica& replica_;
  // What the device had told when the bundle was made; a power cut or damage may have taken it
  // back.
  const std::uint64_t told_acknowledged_;
  const std::uint64_t told_log_from_;
  bool greeted_ = false;
  bool new_life_ = false;             // the hub's history was restored from a copy
  std::set<std::string> begun_anew_;  // scopes of it
  Outcome outcome_;
};

}  // namespace duhui::agent
