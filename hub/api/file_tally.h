#pragma once

#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "hub/api/hub_access.h"
#include "shared/base/time.h"

namespace duhui::hub {

/// How many files lie at the hub. Looking takes as long as there are files, so it is done once a
/// minute at most.
class FileTally {
 public:
  /// `hub` outlives it.
  explicit FileTally(HubAccess& hub) : hub_(hub) {}

  /// `files` of GET /status.
  Result<nlohmann::json> json();

 private:
  struct Counted {
    std::uint64_t whole = 0;
    std::uint64_t bytes = 0;
    std::uint64_t parts = 0;
    std::uint64_t part_bytes = 0;
    MonotonicTime at;
    WallTime wall;
  };
  Status count();

  HubAccess& hub_;
  std::optional<Counted> counted_;
};

nlohmann::json counters_json(const FileCounters& counters);

}  // namespace duhui::hub
