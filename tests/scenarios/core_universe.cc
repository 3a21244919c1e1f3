#include "tests/scenarios/core_universe.h"

#include <stdexcept>
#include <utility>
#include <variant>

#include "hub/core/tickets.h"
#include "shared/crypto/ticket.h"
#include "tests/scenarios/core_factory.h"
#include "tests/scenarios/registries.h"
#include "tests/support/subjects.h"

namespace duhui::scenarios {
namespace {

constexpr int kConnectionsMax = 6;
// Runs draw ids and streams that the preparation did not draw.
constexpr std::uint64_t kSeedOfPreparation = 41;
constexpr std::uint64_t kSeedOfEnrolment = 42;
constexpr std::uint64_t kSeedOfRun = 43;

const nlohmann::json& expect_ok(const api::ApiResponse& answer, const std::string& what) {
  if (!answer.ok()) throw std::runtime_error(what + ": " + answer.body.dump());
  return answer.body;
}

}  // namespace

CoreUniverse::CoreUniverse(HubId id, SigningKey key, std::uint64_t seed)
    : hub_(id,
           std::move(key),
           seed,
           time_,
           [this](hub::HubEffects effects) { perform_hub(std::move(effects)); }),
      seed_(seed) {}

CoreBase CoreUniverse::import_once() {
  SeededRandom random(kSeedOfPreparation);
  const auto id = HubId::random(random);
  CoreUniverse universe(id, SigningKey::generate(random), kSeedOfPreparation);
  universe.hub_.start();
  universe.import_registries();
  return {universe.hub_.store().state(), id, universe.hub_.key(), {}};
}

CoreBase CoreUniverse::prepare(const Scenario& scenario) {
  static const CoreBase imported = import_once();
  CoreUniverse universe(imported);
  for (const std::string& name : scenario.agents) universe.enrol(name, scenario.schools);
  for (const std::string& name : scenario.agents) universe.sync(name);
  CoreBase base{universe.hub_.store().state(), imported.hub_id, imported.hub_key, {}};
  for (const auto& agent : universe.agents_) {
    base.devices.emplace(agent->name,
                         CoreBase::Device{agent->identity, agent->scopes, agent->disk});
  }
  return base;
}

CoreUniverse::CoreUniverse(const CoreBase& base)
    : CoreUniverse(
          base.hub_id, base.hub_key, base.devices.empty() ? kSeedOfEnrolment : kSeedOfRun) {
  hub_.store().restore(base.hub);
  hub_.start();
  for (const auto& [name, device] : base.devices) {
    agents_.push_back(std::make_unique<CoreAgent>(name, device.identity, device.scopes,
                                                  seed_ * 1000 + agents_.size(), time_));
    agents_.back()->disk = device.disk;
    agents_.back()->start();
    names_.push_back(name);
  }
}

void CoreUniverse::import_registries() {
  for (const RegistryRows& registry : registry_rows()) {
    expect_ok(call(std::string(kHub), "POST", "/import",
                   {{"kind", registry.kind}, {"rows", registry.rows}}),
              registry.kind);
  }
}

void CoreUniverse::enrol(const std::string& name, const std::vector<std::string>& schools) {
  nlohmann::json scopes = nlohmann::json::array();
  for (const std::string& school : schools) scopes.push_back(scope_of_school(school));
  const auto answer =
      call(std::string(kHub), "POST", "/tickets", {{"scopes", scopes}, {"name", name}});
  const auto ticket = parse_ticket(expect_ok(answer, "ticket").at("file").get<std::string>());
  if (!ticket) throw std::runtime_error("ticket: " + to_string(ticket.error()));
  SeededRandom keys(seed_ * 77 + agents_.size());
  agent::DeviceIdentity identity{DeviceId::random(keys), SigningKey::generate(keys),
                                 hub::ticket_presentation(ticket->id, ticket->secret_view())};
  agents_.push_back(std::make_unique<CoreAgent>(name, std::move(identity), ticket->scopes,
                                                seed_ * 1000 + agents_.size(), time_));
  agents_.back()->start();
  names_.push_back(name);
}

CoreAgent& CoreUniverse::agent(const std::string& name) {
  for (const auto& one : agents_) {
    if (one->name == name) return *one;
  }
  throw std::runtime_error("no such agent: " + name);
}

void CoreUniverse::at(WallTime time) {
  if (time < time_) throw std::runtime_error("time goes backwards");
  time_ = time;
}

void CoreUniverse::set_clock(const std::string& name, Duration offset) {
  agent(name).offset = offset;
}

api::ApiResponse CoreUniverse::call(const std::string& replica,
                                    const std::string& method,
                                    const std::string& path,
                                    const nlohmann::json& body) {
  const std::string target = std::string(api::kBasePath) + path;
  const std::string text = body.is_null() ? std::string() : body.dump();
  const api::ApiCall call{
      .method = method, .target = target, .body = text, .subject = kHubOperator};
  api::ApiResponse answer =
      replica == kHub ? hub_.api().answer(call) : agent(replica).api().dispatch(call);
  while (!queue_.empty()) {
    const auto next = std::move(queue_.front());
    queue_.pop_front();
    next();
  }
  return answer;
}

void CoreUniverse::sync(const std::string& name) {
  CoreAgent& one = agent(name);
  for (int n = 0; n < kConnectionsMax; ++n) {
    one.at_once = false;
    connect_once(one);
    if (!one.at_once) break;
  }
  const bool done = one.session && one.session->caught_up();
  if (one.link != 0) hub_.core().closed(one.link);
  one.session.reset();
  one.link = 0;
  if (!done) throw std::runtime_error(name + ": sync does not finish: " + one.closed_because);
}

void CoreUniverse::connect_once(CoreAgent& one) {
  one.link = ++last_link_;
  one.closed_because.clear();
  const std::string binding = "binding" + std::to_string(one.link);
  one.session = std::make_unique<agent::SyncSession>(one.replica(), one.identity, "scenario");
  perform_hub(hub_.core().opened(one.link, binding, hub_.monotonic()));
  perform(one, one.session->link_up(binding, one.clock()));
  while (!queue_.empty()) {
    const auto next = std::move(queue_.front());
    queue_.pop_front();
    next();
  }
}

CoreAgent* CoreUniverse::agent_on(std::uint64_t link) {
  for (const auto& one : agents_) {
    if (one->link == link && one->session) return one.get();
  }
  return nullptr;
}

void CoreUniverse::perform(CoreAgent& one, std::vector<agent::Effect> effects) {
  for (agent::Effect& effect : effects) {
    if (auto* send = std::get_if<agent::Send>(&effect)) {
      queue_.emplace_back([this, link = one.link, frame = std::move(send->frame)] {
        if (agent_on(link) == nullptr) return;
        perform_hub(hub_.core().received(link, frame, time_, hub_.monotonic()));
      });
    } else if (const auto* close = std::get_if<agent::CloseLink>(&effect)) {
      one.closed_because = close->reason;
      one.at_once = close->at_once;
      hub_.core().closed(one.link);
      one.link = 0;
      return;
    } else if (const auto* changed = std::get_if<agent::RecordsChanged>(&effect)) {
      one.records().changed(changed->ids);
    } else if (std::holds_alternative<agent::DurableAck>(effect)) {
      one.identity.ticket.clear();  // the enrolment is confirmed
    }
  }
}

void CoreUniverse::perform_hub(hub::HubEffects effects) {
  for (hub::HubEffect& effect : effects) {
    if (auto* send = std::get_if<hub::SendTo>(&effect)) {
      queue_.emplace_back([this, link = send->session, frame = std::move(send->frame)] {
        CoreAgent* one = agent_on(link);
        if (one != nullptr) perform(*one, one->session->received(frame, one->clock()));
      });
    } else if (const auto* close = std::get_if<hub::CloseSession>(&effect)) {
      CoreAgent* one = agent_on(close->session);
      hub_.core().closed(close->session);
      if (one == nullptr) continue;
      one->closed_because = "hub: " + close->reason;
      one->link = 0;
    } else if (auto* run = std::get_if<hub::RunJob>(&effect)) {
      queue_.emplace_back([this, job = std::make_shared<std::unique_ptr<hub::Job>>(
                                     std::move(run->job))] { hub_.run(std::move(*job)); });
    }
  }
}

void CoreUniverse::restart(const std::string& replica) {
  if (replica == kHub) return hub_.start();
  agent(replica).start();
}

void CoreUniverse::keep_disk(const std::string& replica, int step) {
  if (replica == kHub) {
    hub_images_[step] = hub_.store().state();
    return;
  }
  CoreAgent& one = agent(replica);
  one.images[step] = one.disk;
}

void CoreUniverse::restore_disk(const std::string& replica, int step) {
  if (replica == kHub) {
    hub_.store().restore(hub_images_.at(step));
    return hub_.start();
  }
  CoreAgent& one = agent(replica);
  one.disk = one.images.at(step);
  one.start();
}

std::function<std::unique_ptr<Universe>()> core_universes(const Scenario& scenario) {
  const auto base = std::make_shared<CoreBase>(CoreUniverse::prepare(scenario));
  return [base] { return std::make_unique<CoreUniverse>(*base); };
}

}  // namespace duhui::scenarios
