#include "tests/scenarios/core_hub.h"

#include <stdexcept>
#include <utility>

namespace duhui::scenarios {
namespace {

constexpr std::size_t kOpsBytes = 8u << 20;

}  // namespace

CoreHub::CoreHub(
    HubId id, SigningKey key, std::uint64_t seed, const WallTime& time, Perform perform)
    : key_(std::move(key)), random_(seed), time_(time), perform_(std::move(perform)) {
  facts_.id = id;
  facts_.name = "hub";
  facts_.version = "scenario";
  facts_.pin = std::string(32, 'p');
  facts_.addresses.public_address = "hub.invalid:7443";
}

void CoreHub::start() {
  api_.reset();
  core_.reset();
  facts_.origin = Origin::random(random_);
  facts_.started_at = time_;
  identity_ = std::make_unique<hub::HubIdentity>(hub::HubIdentity{facts_.id, key_, facts_.origin});
  ops_ = std::make_unique<hub::OpReader>(kOpsBytes);
  rules_ = std::make_unique<hub::DomainRules>();
  core_ = std::make_unique<hub::HubCore>(*identity_, "scenario");
  api_ = std::make_unique<hub::HubApi>(*this);
  const Status learned =
      store_.read([this](hub::HubTransaction& tx) { return rules_->learn_stored(tx, *ops_); });
  if (!learned) throw std::runtime_error("hub: " + to_string(learned.error()));
}

void CoreHub::run(std::unique_ptr<hub::Job> job) {
  hub::StorageContext storage = context();
  job->run(storage);
  perform_(core_->job_done(std::move(job), time_, monotonic()));
}

Status CoreHub::read(const std::function<Status(hub::HubTransaction&, hub::OpReader&)>& work) {
  return store_.read([&](hub::HubTransaction& tx) { return work(tx, *ops_); });
}

Status CoreHub::change(const std::function<Status(hub::HubTransaction&)>& work) {
  return store_.write(work);
}

Result<std::vector<Dot>> CoreHub::save(std::vector<Intent> intents) {
  std::unique_ptr<hub::SaveJob> job = core_->save(std::move(intents), time_);
  hub::StorageContext storage = context();
  job->run(storage);
  const std::optional<Error> failed = job->failed;
  std::vector<Dot> dots = job->dots;
  perform_(core_->job_done(std::move(job), time_, monotonic()));
  if (failed) return *failed;
  return dots;
}

}  // namespace duhui::scenarios
