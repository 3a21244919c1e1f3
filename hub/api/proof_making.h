#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hub/api/hub_access.h"
#include "hub/core/proof_writer.h"
#include "shared/base/result.h"

namespace duhui::hub {

/// Makes one proof archive, some hundred kilobytes at a time. What the hub had at the beginning is
/// in it; what comes meanwhile is not.
class ProofMaking {
 public:
  /// `record` zero: everything. `not_found`: no such record. `hub` outlives this.
  static Result<std::unique_ptr<ProofMaking>> begin(HubAccess& hub, const RecordId& record);

  /// The next bytes of the archive; empty behind its end.
  Result<std::string> next();
  bool done() const { return state_ == State::over; }

 private:
  enum class State : std::uint8_t { head, streams, over };
  struct Part {
    store::v1::ProofStream stream;
    /// Of an excerpt: the ops to show, by the first seq of their batch.
    std::map<std::uint64_t, std::set<std::uint64_t>> shown{};
    /// Ops of the hub that came back from devices: no stream holds them.
    std::set<std::uint64_t> lone{};
  };

  ProofMaking(HubAccess& hub, const store::v1::ProofHead& head, bool excerpt)
      : hub_(hub), writer_(head, hub.key()), excerpt_(excerpt) {}

  Status plan_everything();
  Status plan_record(const RecordId& record);
  Status plan_lone_ops(HubTransaction& tx);
  Status count_records();
  Result<store::v1::ProofStream> told_of(HubTransaction& tx, const Origin& origin);
  /// Appends the next batch of the part that is under way.
  Status add_batch(std::string* out);
  Status add_whole(HubTransaction& tx, OpReader& ops, std::uint64_t seq, std::string* out);
  Status add_excerpt(HubTransaction& tx,
                     OpReader& ops,
                     std::uint64_t first,
                     const std::set<std::uint64_t>& shown,
                     std::string* out);

  HubAccess& hub_;
  ProofWriter writer_;
  const bool excerpt_;
  State state_ = State::head;
  std::vector<Part> parts_;
  std::size_t part_ = 0;
  bool part_begun_ = false;
  std::uint64_t seq_ = 0;  // of the part: what is written
  std::uint64_t records_ = 0;
};

}  // namespace duhui::hub
