#pragma once

#include <set>
#include <string>
#include <vector>

#include "hub/api/hub_access.h"
#include "hub/app/hub_folder.h"
#include "hub/core/domain_rules.h"
#include "hub/core/jobs.h"
#include "shared/crypto/system_random.h"
#include "shared/net/system_clock.h"

namespace duhui::hub {

/// The hub over its data folder while no service runs: the same handlers, jobs run at once.
class LocalAccess final : public HubAccess {
 public:
  /// `folder` outlives this. `addresses`: what the settings say, for tickets.
  LocalAccess(HubFolder& folder, HubAddresses addresses, std::string version);

  /// Reads the templates whose items merge by policies of their own.
  Status learn_templates() {
    return folder_.store().read(
        [this](HubTransaction& tx) { return rules_.learn_stored(tx, ops_); });
  }

  const HubFacts& facts() const override { return facts_; }
  WallTime now() override { return clock_.wall(); }
  MonotonicTime monotonic() override { return clock_.monotonic(); }
  Status read(const std::function<Status(HubTransaction&, OpReader&)>& work) override;
  Status change(const std::function<Status(HubTransaction&)>& work) override;
  Result<std::vector<Dot>> save(std::vector<Intent> intents) override;
  Result<Decided> decide(Decision decision,
                         std::vector<Dot> dots,
                         const std::string& person) override;
  std::set<DeviceId> connected_devices() override { return {}; }
  FilesAtRest files_at_rest() override { return {&folder_.blobs(), &folder_.blobs()}; }
  void drop_device(const DeviceId&, const std::string&) override {}
  Random& random() override { return random_; }
  const SigningKey& key() const override { return folder_.key(); }
  Status check_database() override { return folder_.store().verify(); }
  BlobStore* files() override { return &folder_.blobs(); }
  Status converse(HubPeer& peer) override;
  Result<nlohmann::json> take_bundles(const std::vector<std::string>& paths) override;
  Result<nlohmann::json> make_bundles(const BundleOrder& order) override;
  bool stopping() override { return false; }

 private:
  HubFolder& folder_;
  net::SystemClock clock_;
  SystemRandom random_;
  HubFacts facts_;
  OpReader ops_;
  DomainRules rules_;
  std::uint64_t hlc_ = 0;
};

}  // namespace duhui::hub
