#pragma once

#include "shared/base/random.h"
#include "shared/base/time.h"
#include "shared/sync/limits.h"

namespace duhui {

/// Waiting time before the next connection: exponential with full jitter ("Exponential Backoff And
/// Jitter", Brooker 2015). Only a durable acknowledgement resets it: a hub that accepts connections
/// and loses them must not be hammered.
class Backoff {
 public:
  /// The delay before the next attempt, at least what the hub asked for.
  Duration next(Random& random) {
    const Duration ceiling = ceiling_;
    ceiling_ = ceiling_ * 2 < sync_limits::kBackoffMax ? ceiling_ * 2 : sync_limits::kBackoffMax;
    const auto drawn = milliseconds(
        static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(ceiling.ms) + 1)));
    const Duration floor = floor_;
    floor_ = {};
    return floor + drawn;
  }

  void durable_ack() { ceiling_ = sync_limits::kBackoffMin; }
  /// The hub handed out a reconnect slot.
  void hub_asked(Duration at_least) { floor_ = at_least; }

 private:
  Duration ceiling_ = sync_limits::kBackoffMin;
  Duration floor_{};
};

}  // namespace duhui
