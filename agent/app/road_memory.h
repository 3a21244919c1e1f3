#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/time.h"

namespace duhui::agent {

/// How frames travel to the hub.
enum class Road : std::uint8_t {
  websocket,
  https,  // by POST
};
std::string_view to_string(Road road);
std::optional<Road> road_named(std::string_view name);

/// Which road leads out of which network, so that a school behind a proxy that blocks WebSocket
/// does not try it in vain at every connection.
///
/// WebSocket comes first, unless HTTPS was what worked when WebSocket had failed; and then once
/// more after kAgainAfter: networks change.
class RoadMemory {
 public:
  /// Called with the whole text when it has changed.
  using Keep = std::function<void(const std::string& text)>;

  /// `kept`: the text of an earlier run; what of it is not understood is forgotten.
  explicit RoadMemory(std::string_view kept = {}, Keep keep = {});

  /// Roads to try, in their order.
  std::vector<Road> order(const std::string& network, WallTime now) const;
  /// How long a poll may wait there; empty: nothing on the way has cut one.
  std::optional<Duration> poll_wait(const std::string& network) const;

  /// The hub has welcomed us over `road`. `others_failed`: another one had been tried before.
  void worked(const std::string& network, Road road, bool others_failed, WallTime now);
  /// WebSocket comes up there and is lost within moments.
  void websocket_dies(const std::string& network, WallTime now);
  void learned_wait(const std::string& network, Duration wait);

  static constexpr Duration kAgainAfter = hours(6);
  static constexpr std::size_t kNetworksMax = 32;
  static constexpr int kShortLivesMax = 3;

 private:
  struct Network {
    Road road = Road::websocket;
    WallTime decided{};  // when WebSocket was last found not to work
    WallTime used{};
    Duration poll_wait{};  // 0: nothing learned
    int short_lives = 0;   // of WebSockets, in a row; not kept
  };

  Network& at(const std::string& network, WallTime now);
  void save() const;

  std::map<std::string, Network> networks_;
  const Keep keep_;
};

}  // namespace duhui::agent
