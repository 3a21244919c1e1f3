#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/scenarios/core_agent.h"
#include "tests/scenarios/core_hub.h"
#include "tests/scenarios/scenario.h"
#include "tests/scenarios/universe.h"

namespace duhui::scenarios {

/// What every run of a scenario starts from: enrolled devices that hold the registries.
struct CoreBase {
  hub::MemoryHubState hub;
  HubId hub_id;
  SigningKey hub_key;
  struct Device {
    agent::DeviceIdentity identity;
    std::vector<std::string> scopes;
    agent::MemoryDisk disk;
  };
  std::map<std::string, Device> devices;
};

/// Hub and agents as their cores, in this thread and in scenario time. Frames are handed over in
/// memory, in order, until nobody has anything to say.
class CoreUniverse final : public Universe {
 public:
  /// Imports the registries through the hub's API, enrols the devices and lets them sync.
  static CoreBase prepare(const Scenario& scenario);

  explicit CoreUniverse(const CoreBase& base);

  const std::vector<std::string>& agents() const override { return names_; }
  void at(WallTime time) override;
  void set_clock(const std::string& agent, Duration offset) override;
  api::ApiResponse call(const std::string& replica,
                        const std::string& method,
                        const std::string& path,
                        const nlohmann::json& body) override;
  void sync(const std::string& agent) override;
  void restart(const std::string& replica) override;
  void keep_disk(const std::string& replica, int step) override;
  void restore_disk(const std::string& replica, int step) override;

 private:
  CoreUniverse(HubId id, SigningKey key, std::uint64_t seed);

  static CoreBase import_once();
  void import_registries();
  void enrol(const std::string& name, const std::vector<std::string>& schools);
  CoreAgent& agent(const std::string& name);
  CoreAgent* agent_on(std::uint64_t link);
  void connect_once(CoreAgent& agent);
  void perform(CoreAgent& agent, std::vector<agent::Effect> effects);
  void perform_hub(hub::HubEffects effects);

  WallTime time_{1'756'656'000'000};  // 2025-09-01T00:00+08:00
  std::deque<std::function<void()>> queue_;
  CoreHub hub_;
  std::map<int, hub::MemoryHubState> hub_images_;  // after a step
  std::vector<std::unique_ptr<CoreAgent>> agents_;
  std::vector<std::string> names_;
  std::uint64_t last_link_ = 0;
  std::uint64_t seed_;
};

}  // namespace duhui::scenarios
