// What goes from the hub to its devices: who is told of which scope, and how much at once.

#include <algorithm>

#include "hub/core/hub_core.h"
#include "hub/core/vault_keepers.h"
#include "shared/base/scope.h"

namespace duhui::hub {
namespace {

constexpr std::size_t kFeedBytesAim = 512 << 10;

}  // namespace

bool HubCore::Session::reads(std::string_view scope) const {
  return std::any_of(
      device.scopes.begin(), device.scopes.end(),
      [scope](const std::string& granted) { return scope_readable(granted, scope); });
}

void HubCore::subscribe(Session& session,
                        const std::string& scope,
                        std::uint64_t through,
                        std::uint64_t head) {
  if (session.upload_only) return;
  session.feeds[scope] = {.through = through, .head = head, .walking = false, .walk_after = {}};
  subscribers_[scope].insert(session.id);
}

void HubCore::wake(const std::map<std::string, FeedHead>& grown,
                   WallTime wall,
                   HubEffects& effects) {
  std::set<SessionId> awake;
  for (const auto& [scope, head] : grown) {
    if (head.through != 0 && !known_scopes_.contains(scope)) {
      known_scopes_.insert(scope);
      for (auto& [id, session] : sessions_) {
        if (session.state != Session::State::live || session.feeds.contains(scope)) continue;
        if (session.reads(scope)) {
          subscribe(session, scope, 0, head.through);
        }
      }
    }
    const auto subscribed = subscribers_.find(scope);
    if (subscribed == subscribers_.end()) continue;
    for (const SessionId id : subscribed->second) {
      Session* session = find(id);
      if (session == nullptr) continue;
      session->feeds[scope].head = head.through;
      awake.insert(id);
    }
  }
  for (const SessionId id : awake) {
    if (Session* session = find(id)) feed_more(*session, wall, effects);
  }
}

void HubCore::people_changed(const ChangedPeople& people, HubEffects& effects) {
  if (people.postings) {
    for (auto& [id, session] : sessions_) {
      if (session.state != Session::State::live || !is_laptop(session.device.scopes)) continue;
      goodbye(session, sync::v1::Goodbye::REASON_REPLACED, "postings changed: say hello again",
              effects);
    }
  }
  std::set<SessionId> asked;
  for (const std::string& scope : people.account_scopes) {
    const auto subscribed = subscribers_.find(scope);
    if (subscribed != subscribers_.end()) {
      asked.insert(subscribed->second.begin(), subscribed->second.end());
    }
    if (known_scopes_.contains(scope)) continue;
    // The first record of a place: nobody has subscribed to it yet.
    for (const auto& [id, session] : sessions_) {
      if (session.state == Session::State::live && session.reads(scope)) asked.insert(id);
    }
  }
  for (const SessionId id : asked) {
    Session* session = find(id);
    if (session == nullptr || session->revoked) continue;
    effects.push_back(RunJob{std::make_unique<VaultJob>(id, session->device)});
  }
}

void HubCore::vault_found(VaultJob& job, HubEffects& effects) {
  Session* session = find(job.session);
  // Should it fail, the next hello brings it.
  if (session == nullptr || job.failed || same_keepers(session->vault, job.vault)) return;
  session->vault = std::move(job.vault);
  sync::v1::Frame frame;
  *frame.mutable_vault() = session->vault;
  send(*session, frame, effects);
}

void HubCore::feed_more(Session& session, WallTime wall, HubEffects& effects) {
  if (session.state != Session::State::live || session.feed_job_running || session.credit_out == 0)
    return;
  auto job = std::make_unique<FeedJob>(session.id);
  for (const auto& [scope, feed] : session.feeds) {
    if (feed.through >= feed.head && !feed.walking) continue;
    job->wants.push_back({.scope = scope,
                          .after = feed.through,
                          .walk_after = feed.walk_after,
                          .walk = feed.walking});
  }
  if (job->wants.empty()) return;
  job->own_origin = session.origin;
  job->packing = session.packing;
  if (!session.vault.keepers().empty()) {
    job->vault = VaultKey::of_device(identity_.key, session.device.id);
  }
  job->own_log_from = session.own_log_from;
  job->own_through = session.own_through;
  job->bytes_aim =
      static_cast<std::size_t>(std::min<std::uint64_t>(session.credit_out, kFeedBytesAim));
  job->now = wall;
  session.feed_job_running = true;
  effects.push_back(RunJob{std::move(job)});
}

void HubCore::fed(FeedJob& job, WallTime wall, HubEffects& effects) {
  Session* session = find(job.session);
  if (session == nullptr) return;
  session->feed_job_running = false;
  if (job.failed) {
    return goodbye(*session, sync::v1::Goodbye::REASON_BUSY, to_string(*job.failed), effects,
                   seconds(5));
  }
  for (FeedJob::Page& page : job.pages) {
    Feed& feed = session->feeds[page.scope];
    feed.through = page.through;
    if (page.at_head) feed.head = std::max(feed.head, page.through);
    feed.walking = page.walking;
    feed.walk_after = page.walking ? page.walked_through : std::string();
    session->credit_out -= std::min<std::uint64_t>(session->credit_out, page.frame.size());
    effects.push_back(SendTo{session->id, std::move(page.frame)});
  }
  feed_more(*session, wall, effects);
}

}  // namespace duhui::hub
