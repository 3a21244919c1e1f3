#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hub/api/hub_access.h"
#include "hub/api/hub_api.h"
#include "hub/core/domain_rules.h"
#include "hub/core/hub_core.h"
#include "tests/support/memory_hub_store.h"

namespace duhui::scenarios {

/// The shipped hub core, rules and API on a store in memory and on scenario time. One thread.
class CoreHub final : public hub::HubAccess {
 public:
  using Perform = std::function<void(hub::HubEffects)>;

  /// `time` outlives this. `perform`: what the core wants done.
  CoreHub(HubId id, SigningKey key, std::uint64_t seed, const WallTime& time, Perform perform);

  /// The process starts, also for the first time; on the tables as they are.
  void start();
  hub::MemoryHubStore& store() { return store_; }
  hub::HubCore& core() { return *core_; }
  hub::HubApi& api() { return *api_; }
  const HubId& id() const { return facts_.id; }
  const SigningKey& key() const override { return key_; }
  /// Runs a job of the core and hands it back.
  void run(std::unique_ptr<hub::Job> job);

  const hub::HubFacts& facts() const override { return facts_; }
  WallTime now() override { return time_; }
  MonotonicTime monotonic() override { return {time_.ms}; }
  Status read(const std::function<Status(hub::HubTransaction&, hub::OpReader&)>& work) override;
  Status change(const std::function<Status(hub::HubTransaction&)>& work) override;
  Result<std::vector<Dot>> save(std::vector<Intent> intents) override;
  Result<hub::Decided> decide(hub::Decision, std::vector<Dot>, const std::string&) override {
    return Error{ErrorCode::unavailable, "no scenario decides about a revoked device"};
  }
  std::set<DeviceId> connected_devices() override { return core_->connected_devices(); }
  void drop_device(const DeviceId&, const std::string&) override {}
  Random& random() override { return random_; }
  Status check_database() override { return Done{}; }
  bool stopping() override { return false; }

 private:
  hub::StorageContext context() { return {store_, *ops_, *rules_, random_, key_}; }

  const SigningKey key_;
  SeededRandom random_;
  const WallTime& time_;
  const Perform perform_;
  hub::HubFacts facts_;
  hub::MemoryHubStore store_;
  std::unique_ptr<hub::HubIdentity> identity_;
  std::unique_ptr<hub::OpReader> ops_;
  std::unique_ptr<hub::DomainRules> rules_;
  std::unique_ptr<hub::HubCore> core_;
  std::unique_ptr<hub::HubApi> api_;
};

}  // namespace duhui::scenarios
