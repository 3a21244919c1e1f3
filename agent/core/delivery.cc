#include "agent/core/delivery.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace duhui::agent {
namespace {

/// How much of one of the device's streams a receipt covers.
struct Covered {
  std::uint64_t through = 0;
  std::uint64_t said = 0;  // without a signature
  const sync::v1::Receipt* receipt = nullptr;
};

std::map<Origin, Covered> streams_of(const store::v1::AgentState& device) {
  std::map<Origin, Covered> streams;
  for (const store::v1::PastStream& past : device.past()) {
    const auto origin = Origin::from_bytes(past.origin());
    if (!origin) continue;
    Covered& stream = streams[*origin];
    stream.said = past.common();
    // What a hub signed before it was put back to an older copy says nothing of it now.
    if (!past.has_receipt() || past.epoch() != device.epoch()) continue;
    stream.through = std::min(past.common(), past.receipt().seq());
    stream.receipt = &past.receipt();
  }
  const auto origin = Origin::from_bytes(device.origin());
  if (!origin) return streams;
  Covered& stream = streams[*origin];
  if (!device.has_receipt() || device.receipt().origin() != device.origin()) return streams;
  stream.through = std::min(device.acknowledged(), device.receipt().seq());
  stream.receipt = &device.receipt();
  return streams;
}

}  // namespace

Delivery delivery_of(const RecordState& record,
                     const store::v1::AgentState& device,
                     std::vector<HubNotes::Held> held) {
  const std::map<Origin, Covered> streams = streams_of(device);
  Delivery found;
  std::set<Dot> covered;
  for (const auto& [dot, facts] : record.ops()) {
    const auto stream = streams.find(dot.origin);
    if (stream == streams.end()) continue;
    ++found.own;
    if (dot.seq > stream->second.through) {
      ++found.unsent;
      if (dot.seq <= stream->second.said) ++found.said;
      continue;
    }
    covered.insert(dot);
    const sync::v1::Receipt& receipt = *stream->second.receipt;
    if (!found.receipt || found.receipt->hub_time_ms() <= receipt.hub_time_ms()) {
      found.receipt = receipt;
    }
  }
  for (HubNotes::Held& one : held) {
    if (covered.contains(one.dot)) found.held.push_back(std::move(one));
  }
  std::set<Dot> proposed;
  for (const auto& [key, write] : record.proposals()) {
    const bool waits = covered.contains(write.dot) && !record.is_dealt_with(key, write.dot);
    if (waits) proposed.insert(write.dot);
  }
  found.proposals.assign(proposed.begin(), proposed.end());
  if (found.own == 0) {
    found.stage = Delivery::Stage::from_hub;
  } else if (found.unsent > 0) {
    found.stage = Delivery::Stage::saved;
  } else if (!found.held.empty() || !found.proposals.empty()) {
    found.stage = Delivery::Stage::delivered;
  } else {
    found.stage = Delivery::Stage::merged;
  }
  return found;
}

}  // namespace duhui::agent
