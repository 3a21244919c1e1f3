#include "hub/app/local_access.h"

#include <utility>

#include "hub/app/bundle_work.h"
#include "hub/core/hub_core.h"

namespace duhui::hub {
namespace {

constexpr std::size_t kOpsBytes = 8u << 20;

}  // namespace

LocalAccess::LocalAccess(HubFolder& folder, HubAddresses addresses, std::string version)
    : folder_(folder), ops_(kOpsBytes) {
  facts_.id = folder.id();
  facts_.name = folder.name();
  facts_.version = std::move(version);
  facts_.origin = Origin::random(random_);
  facts_.pin = folder.tls().pin.str();
  facts_.addresses = std::move(addresses);
}

Status LocalAccess::read(const std::function<Status(HubTransaction&, OpReader&)>& work) {
  return folder_.store().read([&](HubTransaction& tx) { return work(tx, ops_); });
}

Status LocalAccess::change(const std::function<Status(HubTransaction&)>& work) {
  return folder_.store().write(work);
}

Result<std::vector<Dot>> LocalAccess::save(std::vector<Intent> intents) {
  StorageContext context{folder_.store(), ops_, rules_, random_, folder_.key()};
  SaveJob job(facts_.origin, hlc_, clock_.wall(), std::move(intents));
  job.run(context);
  if (job.failed) return *job.failed;
  hlc_ = job.hlc;
  return job.dots;
}

Result<Decided> LocalAccess::decide(Decision decision,
                                    std::vector<Dot> dots,
                                    const std::string& person) {
  StorageContext context{folder_.store(), ops_, rules_, random_, folder_.key()};
  DecideJob job(facts_.origin, hlc_, clock_.wall(), decision, std::move(dots), person);
  job.run(context);
  if (job.failed) return *job.failed;
  hlc_ = job.hlc;
  return job.decided;
}

Status LocalAccess::converse(HubPeer& peer) {
  StorageContext context{folder_.store(), ops_, rules_, random_, folder_.key(), &folder_.blobs()};
  // As every run of a service, each conversation has a stream of its own for what the hub adds.
  const HubIdentity identity{folder_.id(), folder_.key(), Origin::random(random_)};
  HubCore core(identity, "duhui-hub " + facts_.version);
  return duhui::hub::converse(core, context, peer, clock_.read());
}

Result<nlohmann::json> LocalAccess::take_bundles(const std::vector<std::string>& paths) {
  return duhui::hub::take_bundles(*this, paths);
}

Result<nlohmann::json> LocalAccess::make_bundles(const BundleOrder& order) {
  return duhui::hub::make_bundles(*this, order, folder_.path());
}

}  // namespace duhui::hub
