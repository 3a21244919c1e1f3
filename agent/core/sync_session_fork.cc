// Finding the common point after a fork, and going on behind it.

#include <algorithm>

#include "agent/core/sync_session.h"

namespace duhui::agent {

using sync::v1::Frame;

void SyncSession::probe(std::uint64_t low, std::uint64_t high, std::vector<Effect>& effects) {
  if (high - low <= 1) return reincarnate(low, effects);
  Frame frame;
  sync::v1::ForkProbe& probe = *frame.mutable_fork_probe();
  const std::uint64_t span = high - low - 1;
  const std::uint64_t points = std::min<std::uint64_t>(span, sync_limits::kTrailMax);
  for (std::uint64_t n = 1; n <= points; ++n) {
    const std::uint64_t seq = low + n * span / points;
    auto chain = replica_.chain_at(seq);
    if (!chain) return close(to_string(chain.error()), effects);
    if (!*chain) continue;
    sync::v1::StreamHead* point = probe.add_points();
    point->set_origin(replica_.origin().str());
    point->set_seq(seq);
    point->set_chain(**chain);
  }
  if (probe.points().empty()) return reincarnate(low, effects);
  send(frame, effects);
}

void SyncSession::on_fork_point(const sync::v1::ForkPoint& point, std::vector<Effect>& effects) {
  if (state_ != State::probing) return close("fork point out of turn", effects);
  const std::uint64_t common = std::max(point.common(), probe_low_);
  if (common >= probe_high_) return close("fork point beyond what was asked", effects);
  // The next greater point that was asked about is different.
  const std::uint64_t span = probe_high_ - probe_low_ - 1;
  const std::uint64_t points = std::min<std::uint64_t>(span, sync_limits::kTrailMax);
  for (std::uint64_t n = 1; n <= points; ++n) {
    const std::uint64_t seq = probe_low_ + n * span / points;
    if (seq > common) {
      probe_high_ = seq;
      break;
    }
  }
  probe_low_ = common;
  probe(probe_low_, probe_high_, effects);
}

void SyncSession::reincarnate(std::uint64_t common, std::vector<Effect>& effects) {
  if (auto done = replica_.reincarnate(common); !done) {
    // It waits for a supervisor: until then nothing sent ahead would be taken.
    replica_.doubt_stream(true);
    return close(to_string(done.error()), effects);
  }
  replica_.doubt_stream(false);
  close("the stream goes on under a new origin", effects, true);
}

}  // namespace duhui::agent
