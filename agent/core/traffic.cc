#include "agent/core/traffic.h"

#include <algorithm>

#include "agent/core/keys.h"
#include "shared/sync/chunk_map.h"
#include "shared/sync/limits.h"

namespace duhui::agent {
namespace {

/// What may be counted before it is kept, twice what is counted between two looks; a crash counts
/// all of it.
constexpr std::uint64_t kAhead = 2 * sync_limits::kBlobWindowMax;
/// Files of which is known what was sent: a record has a few, and they go one after the other.
constexpr std::size_t kSentFilesMax = 4;

}  // namespace

Status Traffic::load() {
  DUHUI_TRY(bytes, store_.get(keys::traffic()));
  store::v1::Traffic kept;
  // One that cannot be read is of a damaged database: the month begins anew.
  if (bytes && kept.ParseFromString(*bytes)) budget_.load(kept);
  return Done{};
}

void Traffic::hub_said(WallTime hub, const ClockReading& device) {
  clock_.said(hub, device);
  budget_.hub_time(hub);
}

void Traffic::opened(const ClockReading& device) {
  link_bytes_ = 0;
  if (const auto time = clock_.time(device)) budget_.hub_time(*time);
}

void Traffic::frame(ByteKind kind, std::uint64_t bytes) {
  budget_.count(kind, bytes);
  link_bytes_ += bytes;
}

void Traffic::text_frame(std::uint64_t bytes, std::uint64_t thumbnails) {
  const std::uint64_t inside = std::min(bytes, thumbnails);
  frame(ByteKind::thumbnail, inside);
  frame(ByteKind::text, bytes - inside);
}

void Traffic::wire(std::uint64_t bytes) {
  // What waits in a queue is counted and not on the wire yet.
  if (bytes > link_bytes_) frame(ByteKind::carrying, bytes - link_bytes_);
}

void Traffic::piece_sent(const BlobName& name,
                         std::uint32_t chunk,
                         std::uint32_t at,
                         std::uint32_t count) {
  ++counters_.pieces_sent;
  counters_.piece_bytes_sent += count;
  auto sent = std::ranges::find(sent_, name, &Sent::name);
  if (sent == sent_.end()) {
    if (sent_.size() == kSentFilesMax) sent_.pop_front();
    sent_.push_back({name, std::vector<std::uint32_t>(ChunkMap(name.size).chunks(), 0)});
    sent = std::prev(sent_.end());
  }
  if (chunk >= sent->through.size()) return;
  std::uint32_t& through = sent->through[chunk];
  counters_.piece_bytes_resent += std::min(through, at + count) - std::min(through, at);
  through = std::max(through, at + count);
}

Status Traffic::look(const ClockReading& device, bool open) {
  if (const auto time = clock_.time(device)) budget_.hub_time(*time);
  const std::uint64_t ahead = open && !budget_.is_free() ? kAhead : 0;
  // What is counted has to stay behind what is kept.
  const bool due = budget_.unsaved() > 0 && budget_.unsaved() >= ahead_ / 2;
  if (due || ahead != ahead_) return keep(ahead);
  return Done{};
}

Status Traffic::keep(std::uint64_t ahead) {
  KvBatch batch;
  batch.put(keys::traffic(), budget_.save(ahead).SerializeAsString());
  DUHUI_CHECK_OK(store_.commit_unsynced(batch));
  ahead_ = ahead;
  return Done{};
}

}  // namespace duhui::agent
