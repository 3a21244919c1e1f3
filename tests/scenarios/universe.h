#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/api/answer.h"
#include "shared/base/time.h"

namespace duhui::scenarios {

inline constexpr std::string_view kHub = "hub";

/// A hub and some agents that a scenario drives through their JSON API. There is one for the cores
/// in memory and one for the real programs. A failure that no scenario may meet (a program does not
/// start, a sync does not finish) is thrown as std::runtime_error.
class Universe {
 public:
  virtual ~Universe() = default;

  /// Agents' names; the hub is `kHub`.
  virtual const std::vector<std::string>& agents() const = 0;

  /// True time goes on to `time`; a device's clock shows true time plus its offset.
  virtual void at(WallTime time) = 0;
  /// From now on the device's clock is off by `offset`.
  virtual void set_clock(const std::string& agent, Duration offset) = 0;

  /// `path` below /api/v1, with the query; null body: none.
  virtual api::ApiResponse call(const std::string& replica,
                                const std::string& method,
                                const std::string& path,
                                const nlohmann::json& body) = 0;

  /// Exchanges everything between this agent and the hub, both ways.
  virtual void sync(const std::string& agent) = 0;

  /// The process ends and starts again.
  virtual void restart(const std::string& replica) = 0;
  /// Notes what is on the replica's disk now, for putting back.
  virtual void keep_disk(const std::string& replica, int step) = 0;
  /// The process starts again on the disk as it was after `step`.
  virtual void restore_disk(const std::string& replica, int step) = 0;
};

}  // namespace duhui::scenarios
