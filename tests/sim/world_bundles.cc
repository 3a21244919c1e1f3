// Sticks: written at a device or at the hub, whole or in part, and read late, twice, or never.

#include <algorithm>

#include "agent/core/bundle_delivery.h"
#include "agent/core/bundle_source.h"
#include "hub/core/bundle_making.h"
#include "hub/core/bundle_taking.h"
#include "tests/sim/world.h"

namespace duhui::sim {
namespace {

constexpr std::size_t kSticksMax = 12;

}  // namespace

void World::keep_stick(Stick stick) {
  // One part of several: the greeting, and some of what follows.
  if (random_.below(2) == 0 && stick.frames.size() > stick.greeting) {
    const std::size_t rest = stick.frames.size() - stick.greeting;
    const auto from = static_cast<std::ptrdiff_t>(stick.greeting + random_.below(rest));
    const std::size_t tail = stick.frames.size() - static_cast<std::size_t>(from);
    const auto keep = static_cast<std::ptrdiff_t>(random_.below(tail + 1));
    stick.frames.erase(stick.frames.begin() + from + keep, stick.frames.end());
    const std::string behind =
        keep > 0 && !stick.behind.empty() ? stick.behind[static_cast<std::size_t>(from)] : "";
    stick.frames.erase(stick.frames.begin() + static_cast<std::ptrdiff_t>(stick.greeting),
                       stick.frames.begin() + from);
    if (!behind.empty()) {
      stick.frames.insert(stick.frames.begin() + static_cast<std::ptrdiff_t>(stick.greeting),
                          behind);
    }
  }
  if (sticks_.size() >= kSticksMax) sticks_.pop_front();
  sticks_.push_back(std::move(stick));
}

void World::write_stick(SimAgent& agent) {
  if (!agent.replica) return;
  std::string id(16, '\0');
  random_.fill(id.data(), id.size());
  auto source = agent::BundleSource::begin(*agent.replica, agent.identity, "sim", id,
                                           agent.clock(now_), "sim");
  if (!source) return;  // its disk is in trouble
  Stick stick{.to_hub = true, .device = agent.identity.id, .opening = (*source)->opening()};
  stick.header.set_bundle_id(id);
  stick.header.set_device_id(agent.identity.id.str());
  stick.frames = (*source)->greeting();
  stick.greeting = stick.frames.size();
  stick.behind.resize(stick.greeting);
  for (auto frame = (*source)->next();; frame = (*source)->next()) {
    if (!frame) return;
    if (!*frame) break;
    stick.frames.push_back(std::move((**frame).bytes));
    stick.behind.push_back(std::move((**frame).behind));
  }
  note("agent " + std::to_string(agent.number) + " writes a stick");
  keep_stick(std::move(stick));
}

Status World::talk_to_stopped_hub(hub::HubPeer& peer) {
  const hub::HubIdentity identity{hub_id_, hub_key_, Origin::random(hub_random_)};
  hub::HubCore core(identity, "sim");
  hub::OpReader ops(1 << 20);
  hub::StorageContext context{hub_store_, ops, rules_, hub_random_, hub_key_, &hub_files_};
  return hub::converse(core, context, peer, {.wall = {now_}, .monotonic = {now_}, .boot = 1});
}

void World::read_stick_at_hub(const Stick& stick) {
  if (hub_) crash_hub();  // the commands work while the service is stopped
  note("the hub reads a stick");
  std::size_t at = 0;
  hub::BundleTaking taking(stick.header, stick.opening,
                           [&]() -> Result<std::optional<std::string>> {
                             if (at == stick.frames.size()) return std::optional<std::string>{};
                             return std::optional<std::string>(stick.frames[at++]);
                           });
  if (auto taken = talk_to_stopped_hub(taking); !taken) {
    note("  refused: " + taken.error().detail);
    return;
  }
  verdict_.files_by_stick += taking.outcome().files.kept;
  const auto kept = hub_store_.write(
      [&](hub::HubTransaction& tx) { return hub::remember_told(tx, taking.told()); });
  static_cast<void>(kept.has_value());  // a bundle that is longer than it need be
  // Sometimes the answer is made at once, sometimes for a device that never told anything.
  if (random_.below(4) != 0) write_stick_at_hub(stick.device);
}

void World::write_stick_at_hub(const DeviceId& device) {
  if (hub_) crash_hub();
  hub::Told told;
  bool known = false;
  const auto read = hub_store_.read([&](hub::HubTransaction& tx) -> Status {
    DUHUI_TRY(row, tx.devices().get(device));
    if (!row) return Done{};
    DUHUI_TRY(said, hub::told_by(tx, *row));
    told = std::move(said);
    known = true;
    return Done{};
  });
  if (!read || !known) return;
  Stick stick{.to_hub = false, .device = device, .greeting = 1};
  stick.opening.set_acknowledged(told.hello.acknowledged().seq());
  stick.opening.set_own_log_from(told.hello.own_log_from());
  hub::BundleMaking making(told,
                           [&](std::string_view frame, std::uint64_t, std::uint64_t) -> Status {
                             stick.frames.emplace_back(frame);
                             return Done{};
                           });
  if (auto made = talk_to_stopped_hub(making); !made) {
    return breach("no bundle could be made: " + to_string(made.error()));
  }
  note("the hub writes a stick");
  keep_stick(std::move(stick));
}

void World::read_stick(SimAgent& agent, const Stick& stick) {
  if (!agent.replica || stick.device != agent.identity.id) return;
  note("agent " + std::to_string(agent.number) + " reads a stick");
  agent::BundleDelivery delivery(*agent.replica, stick.opening);
  for (const std::string& frame : stick.frames) {
    if (auto taken = delivery.take(frame); !taken) {
      note("  " + taken.error().detail);
      break;
    }
  }
  const agent::BundleDelivery::Outcome& outcome = delivery.outcome();
  if (outcome.new_origin) ++verdict_.reincarnations;
  if (outcome.welcomed) agent.identity.ticket.clear();
  if (agent.link != 0 && (outcome.welcomed || outcome.new_origin)) {
    drop_link(agent.link, true, true);
  }
  check_watermarks();
}

void World::someone_carries() {
  SimAgent& agent = *agents_[random_.below(agents_.size())];
  if (sticks_.empty() || random_.below(3) == 0) return write_stick(agent);
  if (random_.below(20) == 0) return write_stick_at_hub(agent.identity.id);
  // It stays in the drawer and may be read again.
  const Stick stick = sticks_[random_.below(sticks_.size())];
  if (stick.to_hub) return read_stick_at_hub(stick);
  for (const auto& reader : agents_) {
    if (reader->identity.id == stick.device && random_.below(3) != 0) read_stick(*reader, stick);
  }
}

}  // namespace duhui::sim
