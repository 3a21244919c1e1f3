// What goes wrong: processes, disks and clocks.

#include <algorithm>

#include "tests/sim/world.h"

namespace duhui::sim {

void World::start_hub() {
  ++hub_life_;
  note("hub starts");
  hub_identity_ = std::make_unique<hub::HubIdentity>(
      hub::HubIdentity{hub_id_, hub_key_, Origin::random(hub_random_)});
  hub_ops_ = std::make_unique<hub::OpReader>(1 << 20);
  hub_ = std::make_unique<hub::HubCore>(*hub_identity_, "sim");
}

void World::crash_hub() {
  note("hub crashes");
  hub_.reset();
  ++hub_life_;
  hub_up_at_ = now_ + static_cast<std::int64_t>(random_.below(120'000));
  std::vector<std::uint64_t> ids;
  for (const auto& [id, link] : links_) ids.push_back(id);
  for (const std::uint64_t id : ids) {
    const bool noticed = !faults_.half_open || random_.below(3) != 0;
    drop_link(id, noticed, true);
  }
}

void World::start_agent(SimAgent& agent) {
  agent.store = std::make_unique<agent::MemoryKvStore>(agent.disk);
  agent.journal = std::make_unique<agent::MemoryJournal>(agent.disk);
  auto opened =
      agent::Replica::open(*agent.store, *agent.journal, agent.random, agent.clock(now_), false);
  if (!opened) {
    if (agent.disk.full) return;  // it says so and tries again
    if (opened.error().code == ErrorCode::storage_failed) return;
    return breach("agent " + std::to_string(agent.number) +
                  " does not start: " + to_string(opened.error()));
  }
  agent.replica = std::move(*opened);
  if (options_.files) agent.replica->keep_files(agent.files, agent.locked_files);
  watermarks_.erase(agent.number);  // a power cut may have taken the newest acks
  agent.connect_at = now_ + static_cast<std::int64_t>(agent.random.below(3000));
  check_saved(agent);
}

void World::crash_agent(SimAgent& agent) {
  note("agent " + std::to_string(agent.number) + " crashes");
  agent.session.reset();
  if (agent.link != 0) {
    const std::uint64_t id = agent.link;
    drop_link(id, true, !faults_.half_open || random_.below(2) == 0);
  }
  agent.link = 0;
  agent.replica.reset();
  if (random_.below(3) == 0) {  // the whole PC
    ++agent.boot;
    agent.booted_at = now_;
    if (faults_.power_cut) {
      agent.disk.lose_unsynced(random_.below(agent.disk.before_unsynced.size() + 1));
    }
  }
}

void World::roll_back_disk(SimAgent& agent) {
  if (agent.images.empty()) return;
  note("disk of agent " + std::to_string(agent.number) + " is put back");
  crash_agent(agent);
  agent.disk = agent.images[random_.below(agent.images.size())];
  agent.disk.full = false;
  agent.disk.fail_next_append.reset();
  agent.disk.fail_next_commit.reset();
  // What had reached no hub went with the disk; nobody can bring it back.
  agent.saved.clear();
  agent.photos.clear();
  // What the school has been shown it has been shown.
  for (const auto& [sha256, content] : agent.files.whole) agent.taken_in_the_open.insert(sha256);
  start_agent(agent);
}

void World::clone_device(SimAgent& agent) {
  if (agents_.size() >= 7) return;
  note("agent " + std::to_string(agent.number) + " is cloned");
  const auto number = static_cast<std::uint32_t>(agents_.size());
  auto copy = std::make_unique<SimAgent>(number, agent.identity, options_.seed * 77 + number);
  copy->disk = agent.disk;
  copy->disk.fail_next_append.reset();
  copy->disk.fail_next_commit.reset();
  copy->saved = agent.saved;
  copy->files = agent.files;
  copy->locked_files = agent.locked_files;
  copy->photos = agent.photos;
  copy->taken_in_the_open = agent.taken_in_the_open;
  copy->typed_in_the_open = agent.typed_in_the_open;
  copy->zone = agent.zone;
  copy->clock_offset = agent.clock_offset;
  copy->booted_at = now_;
  copy->boot = agent.boot + 7;
  agents_.push_back(std::move(copy));
  start_agent(*agents_.back());
}

void World::restore_hub() {
  if (hub_images_.empty()) return;
  note("the hub's database is replaced by an older copy");
  crash_hub();
  const HubImage& image = hub_images_[random_.below(hub_images_.size())];
  hub_store_.restore(image.database);
  hub_files_.whole = image.files;
  // What only the hub had written since then is gone with it, unless a device holds it.
  hub_saved_.clear();
}

void World::maybe_fault() {
  SimAgent& agent = *agents_[random_.below(agents_.size())];
  if (random_.below(30) == 0 && agent.images.size() < 4) agent.images.push_back(agent.disk);
  if (random_.below(40) == 0 && hub_images_.size() < 4)
    hub_images_.push_back({hub_store_.state(), hub_files_.whole});
  if (faults_.agent_crash && agent.replica && random_.below(40) == 0) crash_agent(agent);
  if (faults_.hub_crash && hub_ && random_.below(80) == 0) crash_hub();
  if (faults_.partition && random_.below(50) == 0) {
    agent.offline_until = now_ + static_cast<std::int64_t>(random_.below(6 * 3'600'000));
    if (agent.link != 0) drop_link(agent.link, true, true);
  }
  if (faults_.commit_fails && random_.below(30) == 0) {
    const auto fault = random_.below(2) == 0 ? agent::MemoryDisk::Fault::applied
                                             : agent::MemoryDisk::Fault::not_applied;
    if (random_.below(2) == 0) {
      agent.disk.fail_next_commit = fault;
    } else {
      agent.disk.fail_next_append = fault;
    }
  }
  if (faults_.disk_full && random_.below(40) == 0) agent.disk.full = !agent.disk.full;
  if (faults_.clock_step && random_.below(30) == 0) {
    constexpr std::int64_t kTargets[] = {0, 315'532'800'000, 1'262'304'000'000, 2'051'222'400'000,
                                         4'070'908'800'000};
    const std::uint64_t drawn = random_.below(8);
    agent.clock_offset =
        drawn < 5 ? milliseconds(kTargets[drawn] - now_)
                  : milliseconds(static_cast<std::int64_t>(random_.below(600'000)) - 300'000);
  }
  if (faults_.sticks && random_.below(12) == 0) someone_carries();
  if (faults_.disk_rolled_back && random_.below(150) == 0) roll_back_disk(agent);
  if (faults_.device_cloned && random_.below(200) == 0) clone_device(agent);
  if (faults_.hub_restored && random_.below(250) == 0) restore_hub();
}

void World::calm_down() {
  note("calm");
  calm_ = true;
  faults_ = Faults{};
  for (const auto& agent : agents_) {
    agent->disk.full = false;
    agent->disk.fail_next_append.reset();
    agent->disk.fail_next_commit.reset();
    agent->offline_until = 0;
    agent->clock_offset = {};
    if (!agent->replica) start_agent(*agent);
    // Somebody comes by: what waits for the vault goes on.
    if (agent->replica && agent->replica->vault_state() == agent::Vault::State::locked) {
      come_or_go(*agent);
    }
  }
  if (!hub_) start_hub();
}

}  // namespace duhui::sim
