#include "tests/scenarios/core_agent.h"

#include <stdexcept>
#include <utility>

#include "shared/base/bytes.h"

namespace duhui::scenarios {

CoreAgent::CoreAgent(std::string device_name,
                     agent::DeviceIdentity who,
                     std::vector<std::string> granted,
                     std::uint64_t seed,
                     const WallTime& time)
    : name(std::move(device_name)),
      identity(std::move(who)),
      scopes(std::move(granted)),
      time_(time),
      random_(seed) {}

ClockReading CoreAgent::clock() const {
  return {.wall = time_ + offset, .monotonic = {time_.ms}, .boot = 1};
}

void CoreAgent::start() {
  session.reset();
  link = 0;
  api_.reset();
  records_.reset();
  replica_.reset();
  store_ = std::make_unique<agent::MemoryKvStore>(disk);
  journal_ = std::make_unique<agent::MemoryJournal>(disk);
  auto opened = agent::Replica::open(*store_, *journal_, random_, clock(), false);
  if (!opened) throw std::runtime_error(name + ": " + to_string(opened.error()));
  replica_ = std::move(*opened);
  const auto read_clock = [this] { return clock(); };
  records_ = std::make_unique<agent::AgentRecords>(*replica_, random_, read_clock);
  records_->set_scopes(scopes);
  agent::AgentHooks hooks;
  hooks.link = [] { return agent::LinkFacts{}; };
  hooks.device = [this] {
    agent::DeviceFacts facts;
    facts.id = to_uuid_text(identity.id.view());
    facts.name = name;
    facts.scopes = scopes;
    return facts;
  };
  hooks.enable_link = [](bool) {};
  api_ = std::make_unique<agent::AgentApi>(*replica_, *records_, read_clock, "scenario", hooks);
}

}  // namespace duhui::scenarios
