#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "shared/base/ids.h"
#include "shared/base/result.h"

namespace duhui::agent {

/// The outbox journal: every own op that no hub has acknowledged, a second time, in a file that
/// only grows. Calls block; one thread at a time.
class Journal {
 public:
  struct Entry {
    Dot dot;
    std::string_view op;     // exact op bytes
    std::string_view chain;  // 32 bytes: H(seq), so that a replay can judge what comes back
  };

  virtual ~Journal() = default;

  /// Durable on return, all or (after `storage_failed`) an unknown prefix.
  virtual Status append(const std::vector<Entry>& entries) = 0;

  /// Visits every readable entry in file order. Torn or damaged ranges are skipped and counted.
  virtual Result<std::uint64_t> replay(const std::function<void(const Entry&)>& visit) = 0;

  /// Segments that hold nothing newer than `through` of `origin` may go.
  virtual Status drop_through(const Dot& through) = 0;
};

}  // namespace duhui::agent
