#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "agent/ports/kv_store.h"
#include "duhui/store/v1/store.pb.h"
#include "duhui/sync/v1/frame.pb.h"
#include "shared/base/ids.h"
#include "shared/base/result.h"

namespace duhui::agent {

/// Own ops that the hub has on its disk and did not merge: a person there decides about them, or
/// they wait for the op that creates their record. What is acknowledged and not among them is
/// merged.
class HubNotes {
 public:
  explicit HubNotes(KvStore& store) : store_(store) {}

  struct Held {
    Dot dot;
    RecordId record;
    store::v1::HeldOp what;
  };
  /// Those of an acknowledgement of own ops after `after`. What was known of these is forgotten.
  Status keep(const Origin& origin, std::uint64_t after, const sync::v1::Ack& ack, KvBatch* batch);
  Result<std::vector<Held>> all() const;
  Result<std::vector<Held>> of_record(const RecordId& record) const;
  /// The hub has merged all that this device holds of these records.
  Status merged(const std::function<bool(const RecordId&)>& which, KvBatch* batch);

 private:
  KvStore& store_;
};

}  // namespace duhui::agent
