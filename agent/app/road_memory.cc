#include "agent/app/road_memory.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace duhui::agent {
namespace {

using Json = nlohmann::json;

std::int64_t number_in(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
}

}  // namespace

std::string_view to_string(Road road) { return road == Road::websocket ? "websocket" : "https"; }

std::optional<Road> road_named(std::string_view name) {
  for (const Road road : {Road::websocket, Road::https}) {
    if (name == to_string(road)) return road;
  }
  return std::nullopt;
}

RoadMemory::RoadMemory(std::string_view kept, Keep keep) : keep_(std::move(keep)) {
  const Json all = Json::parse(kept, nullptr, false);
  if (!all.is_object()) return;
  for (const auto& [name, entry] : all.items()) {
    if (!entry.is_object() || networks_.size() == kNetworksMax) continue;
    const auto text = entry.find("road");
    if (text == entry.end() || !text->is_string()) continue;
    const auto road = road_named(text->get_ref<const std::string&>());
    if (!road) continue;
    networks_[name] = {
        .road = *road,
        .decided = {number_in(entry, "decided_ms")},
        .used = {number_in(entry, "used_ms")},
        .poll_wait = milliseconds(std::max<std::int64_t>(number_in(entry, "poll_wait_ms"), 0))};
  }
}

std::vector<Road> RoadMemory::order(const std::string& network, WallTime now) const {
  const auto found = networks_.find(network);
  if (found != networks_.end() && found->second.road == Road::https) {
    const Duration since = now - found->second.decided;
    // A clock that was set back says nothing about how long it was.
    if (since.ms >= 0 && since < kAgainAfter) return {Road::https, Road::websocket};
  }
  return {Road::websocket, Road::https};
}

std::optional<Duration> RoadMemory::poll_wait(const std::string& network) const {
  const auto found = networks_.find(network);
  if (found == networks_.end() || found->second.poll_wait.ms == 0) return std::nullopt;
  return found->second.poll_wait;
}

void RoadMemory::worked(const std::string& network, Road road, bool others_failed, WallTime now) {
  Network& there = at(network, now);
  const Road before = there.road;
  if (road == Road::https && (others_failed || before != road)) there.decided = now;
  there.road = road;
  if (before != road || others_failed) save();
}

void RoadMemory::websocket_dies(const std::string& network, WallTime now) {
  Network& there = at(network, now);
  if (++there.short_lives < kShortLivesMax) return;
  there.short_lives = 0;
  there.road = Road::https;
  there.decided = now;
  save();
}

void RoadMemory::learned_wait(const std::string& network, Duration wait) {
  const auto found = networks_.find(network);
  if (found == networks_.end() || found->second.poll_wait == wait) return;
  found->second.poll_wait = wait;
  save();
}

RoadMemory::Network& RoadMemory::at(const std::string& network, WallTime now) {
  if (!networks_.contains(network) && networks_.size() >= kNetworksMax) {
    networks_.erase(std::min_element(
        networks_.begin(), networks_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  Network& there = networks_[network];
  there.used = now;
  return there;
}

void RoadMemory::save() const {
  if (!keep_) return;
  Json all = Json::object();
  for (const auto& [name, network] : networks_) {
    all[name] = {{"road", to_string(network.road)},
                 {"decided_ms", network.decided.ms},
                 {"used_ms", network.used.ms},
                 {"poll_wait_ms", network.poll_wait.ms}};
  }
  keep_(all.dump(1) + "\n");
}

}  // namespace duhui::agent
