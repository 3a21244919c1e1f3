#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "agent/core/hub_notes.h"
#include "duhui/store/v1/store.pb.h"
#include "duhui/sync/v1/frame.pb.h"
#include "shared/base/ids.h"
#include "shared/merge/record_state.h"

namespace duhui::agent {

/// How far a record's own ops have come, by what the hub has signed and by nothing else.
struct Delivery {
  enum class Stage : std::uint8_t {
    from_hub,   // nothing in it was saved on this device
    saved,      // on this device, and no receipt covers all of it
    delivered,  // a receipt does; some of it the hub did not merge (yet)
    merged,     // a receipt does, and the hub's record shows all of it
  };

  Stage stage = Stage::from_hub;
  std::uint64_t own = 0;
  std::uint64_t unsent = 0;  // of these, without a receipt
  /// Of the unsent, those that the hub said to have, in an earlier stream of this device, without a
  /// signature.
  std::uint64_t said = 0;
  std::vector<HubNotes::Held> held;  // delivered, and not merged
  std::vector<Dot> proposals;        // delivered; whoever may decide has not yet
  /// The receipt that covers the newest own op; empty: none.
  std::optional<sync::v1::Receipt> receipt;
};

/// `held`: what the hub said of this record.
Delivery delivery_of(const RecordState& record,
                     const store::v1::AgentState& device,
                     std::vector<HubNotes::Held> held);

}  // namespace duhui::agent
