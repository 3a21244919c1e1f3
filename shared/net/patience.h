#pragma once

#include <chrono>

#include "shared/base/result.h"
#include "shared/base/time.h"

namespace duhui::net {

/// How long a program waits for what another process may have for a moment. For programs that have
/// nothing else to do yet: it blocks.
class Patience {
 public:
  explicit Patience(Duration limit);
  /// Returns after a moment. False, at once: the limit is over.
  bool wait();

 private:
  std::chrono::steady_clock::time_point until_;
};

/// What a short command may hold the lock of a data folder for, and a service until it answers.
constexpr Duration kFolderPatience = milliseconds(2000);

/// Tries again while the outcome is `unavailable`, until kFolderPatience is over.
template <typename Attempt>
auto patiently(const Attempt& attempt) {
  Patience patience(kFolderPatience);
  for (;;) {
    auto outcome = attempt();
    const bool taken = !outcome && outcome.error().code == ErrorCode::unavailable;
    if (!taken || !patience.wait()) return outcome;
  }
}

}  // namespace duhui::net
