#include "tests/sim/world.h"

#include <algorithm>
#include <cstdio>

#include "hub/core/tickets.h"
#include "shared/crypto/registry_id.h"
#include "shared/crypto/ticket.h"
#include "shared/sync/limits.h"

namespace duhui::sim {
namespace {

constexpr std::int64_t kMinute = 60'000;
constexpr std::uint64_t kEventsMax = 200'000;

}  // namespace

World::World(const Options& options, bool verbose)
    : options_(options),
      verbose_(verbose),
      random_(options.seed),
      faults_(options.faults),
      hub_random_(options.seed ^ 0x5bd1e995),
      hub_key_(SigningKey::generate(hub_random_)),
      supervisor_(SigningKey::generate(hub_random_)),
      hub_id_(HubId::random(hub_random_)) {
  start_hub();
  if (options_.vault) employ_supervisor();
  for (std::uint32_t n = 0; n < options_.agents; ++n) {
    SeededRandom keys(options_.seed * 1000 + n);
    agent::DeviceIdentity identity{DeviceId::random(keys), SigningKey::generate(keys), {}};
    Ticket ticket = mint_ticket(keys);
    identity.ticket = hub::ticket_presentation(ticket.id, ticket.secret_view());
    const auto put = hub_store_.write([&](hub::HubTransaction& tx) {
      return hub::put_ticket(
          tx, {.id = ticket.id,
               .secret_hash = ticket_secret_hash(ticket.id, ticket.secret_view()).str(),
               .name = "device",
               // Neighbours share a scope; everybody reads the district.
               .scopes = {"city/zone" + std::to_string(n % 2), "city/zone2"},
               .uses_left = 1000,
               .uses = 0,
               .expires = {},
               .last_used = {},
               .revoked = false});
    });
    if (!put) breach("ticket: " + to_string(put.error()));
    agents_.push_back(std::make_unique<SimAgent>(n, std::move(identity), options_.seed * 77 + n));
    agents_.back()->booted_at = now_ - 1000;
    agents_.back()->zone = "city/zone" + std::to_string(n % 2);
    start_agent(*agents_.back());
  }
}

void World::note(const std::string& what) {
  for (const char c : what)
    verdict_.trace = (verdict_.trace ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ull;
  verdict_.trace = (verdict_.trace ^ static_cast<std::uint64_t>(now_)) * 0x100000001b3ull;
  if (verbose_)
    std::printf("%lld %s\n", static_cast<long long>(now_ - 1'760'000'000'000), what.c_str());
}

void World::breach(const std::string& what) {
  if (verdict_.breach.empty()) verdict_.breach = what;
  note("BREACH " + what);
}

Verdict World::run() {
  verdict_.trace = 0xcbf29ce484222325ull;
  std::uint32_t edits = 0;
  while (edits < options_.edits && verdict_.breach.empty() && verdict_.events < kEventsMax) {
    // People and accidents happen between network events, at random moments.
    if (random_.below(4) == 0) {
      someone_edits();
      ++edits;
    }
    maybe_fault();
    const std::uint64_t steps = 1 + random_.below(12);
    for (std::uint64_t n = 0; n < steps && verdict_.breach.empty(); ++n) step();
  }
  if (verdict_.breach.empty()) calm_down();
  const std::int64_t calm_from = now_;
  std::uint64_t steps = 0;
  while (verdict_.breach.empty()) {
    step();
    if (++steps % 64 == 0 && quiet()) break;
    if (now_ - calm_from > 48 * 60 * kMinute || verdict_.events > 4 * kEventsMax) {
      std::string why;
      for (const auto& agent : agents_) {
        why += "\n  agent " + std::to_string(agent->number);
        if (!agent->replica || !agent->session) {
          why += " is not connected";
          continue;
        }
        why += " unacknowledged " + std::to_string(agent->replica->unacknowledged());
        if (!agent->session->caught_up()) why += ", not caught up";
        if (auto waiting = agent->replica->blobs().waiting(); waiting && waiting->files != 0) {
          why += ", " + std::to_string(waiting->files) + " files wait";
        }
        for (const auto& [scope, head] : hub_store_.state().feed_heads) {
          const auto at = agent->replica->scopes().find(scope);
          if (!reads(*agent, scope) || at == agent->replica->scopes().end()) continue;
          if (at->second.checksum() != head.checksum || at->second.through() != head.through) {
            why += " " + scope + " " + std::to_string(at->second.through()) + " of " +
                   std::to_string(head.through);
          }
        }
      }
      if (!hub_ || !hub_->idle()) why += "\n  the hub is busy";
      breach("not converged in two days of calm" + why);
      check_converged();
      return verdict_;
    }
  }
  if (verdict_.breach.empty()) check_converged();
  return verdict_;
}

void World::push(Event event) {
  event.order = ++order_;
  events_.push(std::move(event));
}

std::int64_t World::delay() {
  const std::int64_t usual = 5 + static_cast<std::int64_t>(random_.below(40));
  return faults_.delay && random_.below(6) == 0
             ? usual + static_cast<std::int64_t>(random_.below(8000))
             : usual;
}

void World::step() {
  // Every quarter of a minute somebody may want to connect or a timer may be due.
  std::int64_t next_tick = now_ + 15'000;
  for (const auto& agent : agents_) {
    if (agent->timer_at >= 0) next_tick = std::min(next_tick, std::max(now_ + 1, agent->timer_at));
    if (agent->replica && !agent->session) {
      next_tick = std::min(next_tick,
                           std::max(now_ + 1, std::max(agent->connect_at, agent->offline_until)));
    }
  }
  ++verdict_.events;
  if (events_.empty() || events_.top().at > next_tick) {
    now_ = next_tick;
    timers();
    check_watermarks();
    return;
  }
  Event event = events_.top();
  events_.pop();
  now_ = std::max(now_, event.at);
  handle(event);
  check_watermarks();
}

void World::timers() {
  if (!hub_ && now_ >= hub_up_at_) start_hub();
  for (const auto& agent : agents_) {
    if (!agent->replica) {
      if (calm_ || random_.below(3) == 0) start_agent(*agent);
      continue;
    }
    if (agent->session && agent->timer_at >= 0 && now_ >= agent->timer_at) {
      agent->timer_at = -1;
      perform(*agent, agent->session->timer_fired(agent->clock(now_)));
    }
    if (!agent->session && hub_ && now_ >= agent->connect_at && now_ >= agent->offline_until)
      connect(*agent);
  }
  if (!hub_) return;
  for (auto& [id, link] : links_) {
    if (!link.hub_side || link.hub_timer_at < 0 || now_ < link.hub_timer_at) continue;
    link.hub_timer_at = -1;
    perform_hub(hub_->timer_fired(id, {now_}));
    break;  // the map may have changed
  }
}

void World::connect(SimAgent& agent) {
  const std::uint64_t id = next_link_++;
  links_[id] = Link{.agent = agent.number};
  agent.link = id;
  note("connect " + std::to_string(agent.number));
  const std::string binding = "binding" + std::to_string(id);
  agent.session = std::make_unique<agent::SyncSession>(*agent.replica, agent.identity, "sim");
  perform_hub(hub_->opened(id, binding, {now_}));
  perform(agent, agent.session->link_up(binding, agent.clock(now_)));
}

void World::drop_link(std::uint64_t id, bool agent_notices, bool hub_notices) {
  const auto at = links_.find(id);
  if (at == links_.end()) return;
  Link& link = at->second;
  link.cut = true;
  SimAgent& agent = *agents_[link.agent];
  if (link.agent_side && agent_notices) {
    link.agent_side = false;
    if (agent.link == id) {
      if (agent.session) agent.session->link_down(agent.clock(now_));
      agent.session.reset();
      agent.link = 0;
      agent.timer_at = -1;
      agent.connect_at = now_ + agent.backoff.next(agent.random).ms;
    }
  }
  if (link.hub_side && hub_notices) {
    link.hub_side = false;
    if (hub_) perform_hub(hub_->closed(id));
  }
  if (!link.agent_side && !link.hub_side) links_.erase(at);
}

void World::perform(SimAgent& agent, std::vector<agent::Effect> effects) {
  const std::uint64_t id = agent.link;
  for (agent::Effect& effect : effects) {
    if (auto* send = std::get_if<agent::Send>(&effect)) {
      const auto at = links_.find(id);
      if (at == links_.end() || at->second.cut) continue;
      at->second.up_at = std::max(at->second.up_at + 1, now_ + delay());
      const bool twice =
          faults_.duplicate && random_.below(8) == 0 && send->frame.size() > 0 &&
          (static_cast<std::uint8_t>(send->frame[0]) >> 3) != 1;  // never a second Hello
      push({.at = at->second.up_at, .kind = Kind::to_hub, .link = id, .bytes = send->frame});
      if (twice)
        push({.at = ++at->second.up_at, .kind = Kind::to_hub, .link = id, .bytes = send->frame});
    } else if (const auto* arm = std::get_if<agent::ArmTimer>(&effect)) {
      agent.timer_at = now_ + arm->delay.ms;
    } else if (const auto* close = std::get_if<agent::CloseLink>(&effect)) {
      note("agent " + std::to_string(agent.number) + " closes: " + close->reason);
      if (close->at_once) ++verdict_.reincarnations;
      const Duration after = close->retry_after;
      const bool at_once = close->at_once;
      drop_link(id, true, false);
      push({.at = now_ + delay(), .kind = Kind::link_lost_hub, .link = id, .bytes = {}});
      if (at_once) agent.connect_at = now_;
      if (after.ms > 0)
        agent.connect_at = now_ + after.ms + static_cast<std::int64_t>(random_.below(1000));
      return;
    } else if (const auto* fetched = std::get_if<agent::FileFetched>(&effect)) {
      if (fetched->how) agent.fetched.insert(fetched->name);
    } else if (std::get_if<agent::FileCarried>(&effect) != nullptr) {
      agent.backoff.durable_ack();
    } else if (std::get_if<agent::DurableAck>(&effect) != nullptr) {
      agent.backoff.durable_ack();
      agent.identity.ticket.clear();  // the enrolment is confirmed
    }
  }
}

void World::perform_hub(hub::HubEffects effects) {
  for (hub::HubEffect& effect : effects) {
    if (auto* send = std::get_if<hub::SendTo>(&effect)) {
      const auto at = links_.find(send->session);
      if (at == links_.end() || at->second.cut) continue;
      at->second.down_at = std::max(at->second.down_at + 1, now_ + delay());
      const bool twice =
          faults_.duplicate && random_.below(8) == 0 && !send->frame.empty() &&
          (static_cast<std::uint8_t>(send->frame[0]) >> 3) != 2;  // never a second Welcome
      push({.at = at->second.down_at,
            .kind = Kind::to_agent,
            .link = send->session,
            .bytes = send->frame});
      if (twice) {
        push({.at = ++at->second.down_at,
              .kind = Kind::to_agent,
              .link = send->session,
              .bytes = send->frame});
      }
    } else if (const auto* close = std::get_if<hub::CloseSession>(&effect)) {
      note("hub closes: " + close->reason);
      const auto at = links_.find(close->session);
      if (at == links_.end()) continue;
      at->second.hub_side = false;
      push({.at = std::max(now_, at->second.down_at) + 1,
            .kind = Kind::link_lost_agent,
            .link = close->session,
            .bytes = {}});
      perform_hub(hub_->closed(close->session));
    } else if (const auto* arm = std::get_if<hub::ArmSessionTimer>(&effect)) {
      const auto at = links_.find(arm->session);
      if (at != links_.end()) at->second.hub_timer_at = now_ + arm->delay.ms;
    } else if (auto* run = std::get_if<hub::RunJob>(&effect)) {
      std::int64_t done_at = now_ + 1 + static_cast<std::int64_t>(random_.below(30));
      if (run->job->lane() == hub::Job::Lane::writes) {
        writer_free_at_ = std::max(writer_free_at_ + 1, done_at);
        done_at = writer_free_at_;
      } else if (run->job->lane() == hub::Job::Lane::files) {
        files_free_at_ = std::max(files_free_at_ + 1, done_at);
        done_at = files_free_at_;
      }
      push({.at = done_at,
            .kind = Kind::job,
            .link = 0,
            .bytes = {},
            .job = std::make_shared<std::unique_ptr<hub::Job>>(std::move(run->job)),
            .hub_life = hub_life_});
    }
  }
}

void World::handle(Event& event) {
  if (event.kind == Kind::job) {
    if (!hub_ || event.hub_life != hub_life_) return;  // the process that wanted it is gone
    if (faults_.commit_fails && (*event.job)->lane() == hub::Job::Lane::writes &&
        random_.below(25) == 0) {
      hub_store_.fail_next_commit({ErrorCode::storage_failed, "simulated"});
    }
    hub::StorageContext context = hub_context();
    (*event.job)->run(context);
    if (faults_.hub_crash && random_.below(120) == 0) return crash_hub();  // stored, never told
    perform_hub(hub_->job_done(std::move(*event.job), {now_}, {now_}));
    return;
  }
  const auto at = links_.find(event.link);
  if (at == links_.end()) return;
  Link& link = at->second;
  SimAgent& agent = *agents_[link.agent];
  if (faults_.loss && !calm_ && random_.below(120) == 0) {
    (event.kind == Kind::to_hub ? link.up_lost : link.down_lost) = true;
    note("one direction of " + std::to_string(event.link) + " is silent from here on");
  }
  switch (event.kind) {
    case Kind::to_hub:
      if (!link.hub_side || link.cut || link.up_lost || !hub_) return;
      note("to hub " + std::to_string(link.agent) + " " + std::to_string(event.bytes.size()));
      perform_hub(hub_->received(event.link, event.bytes, {now_}, {now_}));
      break;
    case Kind::to_agent:
      if (!link.agent_side || link.cut || link.down_lost || agent.link != event.link ||
          !agent.session)
        return;
      note("to agent " + std::to_string(link.agent) + " " + std::to_string(event.bytes.size()));
      perform(agent, agent.session->received(event.bytes, agent.clock(now_)));
      break;
    case Kind::link_lost_hub:
      drop_link(event.link, false, true);
      break;
    case Kind::link_lost_agent:
      drop_link(event.link, true, false);
      break;
    case Kind::job:
    case Kind::tick:
      break;
  }
  if (faults_.cut && !calm_ && random_.below(60) == 0) {
    const bool half = faults_.half_open && random_.below(2) == 0;
    const bool agent_side = !half || random_.below(2) == 0;
    note("cut " + std::to_string(event.link));
    drop_link(event.link, agent_side, !half || !agent_side);
  }
}

}  // namespace duhui::sim
