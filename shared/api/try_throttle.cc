#include "shared/api/try_throttle.h"

#include <algorithm>
#include <iterator>

#include <nlohmann/json.hpp>

namespace duhui::api {
namespace {

using Json = nlohmann::json;

/// Counts for names nobody has that found no room for a counter of their own.
constexpr std::string_view kAllOthers = "?";

constexpr std::size_t kOwnersMax = 2000;
constexpr std::uint32_t kWrongMax = 1000;

bool is_nobody(const std::string& account) { return account.starts_with('?'); }

Duration wait_after(std::uint32_t wrong) {
  if (wrong < TryThrottle::kFreeTries) return {};
  Duration wait = TryThrottle::kFirstWait;
  for (std::uint32_t n = TryThrottle::kFreeTries; n < wrong && wait < TryThrottle::kWaitMax; ++n) {
    wait = wait * 2;
  }
  return std::min(wait, TryThrottle::kWaitMax);
}

std::string text_of(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

// --- budgets ---

void TryBudgets::refill(Budget& budget, MonotonicTime now) const {
  const std::int64_t due = std::max<std::int64_t>((now - budget.refilled).ms / pause_.ms, 0);
  budget.left =
      static_cast<std::uint32_t>(std::min<std::int64_t>(at_once_, std::int64_t{budget.left} + due));
  // A full one fills no further: the next pause begins with the next try.
  budget.refilled = budget.left == at_once_ ? now : budget.refilled + pause_ * due;
}

TryBudgets::Budget& TryBudgets::of(const std::string& name, MonotonicTime now) {
  auto at = budgets_.find(name);
  if (at == budgets_.end() && budgets_.size() >= kNamesMax) {
    for (auto one = budgets_.begin(); one != budgets_.end();) {
      refill(one->second, now);
      one = one->second.left == at_once_ ? budgets_.erase(one) : std::next(one);
    }
  }
  if (at == budgets_.end() && budgets_.size() < kNamesMax) {
    at = budgets_.emplace(name, Budget{.left = at_once_, .refilled = now}).first;
  }
  Budget& budget = at == budgets_.end() ? rest_ : at->second;
  refill(budget, now);
  return budget;
}

Duration TryBudgets::wait(const std::string& name, MonotonicTime now) {
  const Budget& budget = of(name, now);
  return budget.left > 0 ? Duration{} : pause_ - (now - budget.refilled);
}

void TryBudgets::take(const std::string& name, MonotonicTime now) {
  Budget& budget = of(name, now);
  if (budget.left > 0) --budget.left;
}

void TryBudgets::give_back(const std::string& name, MonotonicTime now) {
  Budget& budget = of(name, now);
  budget.left = std::min(at_once_, budget.left + 1);
}

// --- counters ---

void TryThrottle::load(MonotonicTime now) {
  const auto text = kept_.load();
  const Json kept = text ? Json::parse(*text, nullptr, false) : Json();
  if (!kept.is_object()) return;
  for (const Json& one : kept.value("tries", Json::array())) {
    if (!one.is_object() || counters_.size() >= kCountersMax + kNobodyMax) continue;
    const Json wrong = one.value("wrong", Json());
    const Json wait = one.value("wait_ms", Json());
    const Key key{text_of(one, "account"), text_of(one, "peer")};
    if (key.first.empty() || !wrong.is_number_unsigned() || !wait.is_number_integer()) continue;
    const Duration left{std::clamp<std::int64_t>(wait.get<std::int64_t>(), 0, kWaitMax.ms)};
    const auto many = std::min<std::uint64_t>(wrong.get<std::uint64_t>(), kWrongMax);
    const bool fresh = counters_
                           .emplace(key, Tries{.wrong = static_cast<std::uint32_t>(many),
                                               .last = now,
                                               .until = now + left,
                                               .kept = true})
                           .second;
    if (fresh && is_nobody(key.first)) ++nobodies_;
  }
  const Json own = kept.value("own_peers", Json::object());
  if (!own.is_object()) return;
  for (const auto& [account, peers] : own.items()) {
    if (!peers.is_array()) continue;
    for (const Json& peer : peers) {
      if (peer.is_string()) learn_peer({account, peer.get<std::string>()});
    }
  }
}

void TryThrottle::erase(Counters::iterator at) {
  if (is_nobody(at->first.first)) --nobodies_;
  counters_.erase(at);
}

TryThrottle::Counters::iterator TryThrottle::evictable(bool of_nobody, MonotonicTime now) {
  auto found = counters_.end();
  for (auto at = counters_.begin(); at != counters_.end(); ++at) {
    if (is_nobody(at->first.first) != of_nobody || now < at->second.until) continue;
    if (at->first.first == kAllOthers) continue;
    // Whoever was tried least goes: nobody is forgiven many tries by tries of others.
    if (found == counters_.end() || at->second.wrong < found->second.wrong ||
        (at->second.wrong == found->second.wrong && at->second.last < found->second.last)) {
      found = at;
    }
  }
  return found;
}

TryThrottle::Key TryThrottle::key_of(const TryOf& what, MonotonicTime now) {
  Key key{what.account, what.peer};
  if (counters_.contains(key)) return key;
  const bool nobody = is_nobody(what.account);
  const std::size_t used = nobody ? nobodies_ : counters_.size() - nobodies_;
  if (used < (nobody ? kNobodyMax : kCountersMax)) return key;
  const auto least = evictable(nobody, now);
  if (least == counters_.end()) return nobody ? Key{kAllOthers, ""} : Key{};
  erase(least);
  return key;
}

bool TryThrottle::is_stranger(const TryOf& what) const {
  if (what.peer.empty()) return false;
  const auto own = own_peers_.find(what.account);
  return own == own_peers_.end() || std::ranges::find(own->second, what.peer) == own->second.end();
}

bool TryThrottle::learn_peer(const TryOf& what) {
  if (what.peer.empty() || is_nobody(what.account) || !is_stranger(what)) return false;
  if (own_peers_.size() >= kOwnersMax && !own_peers_.contains(what.account)) {
    own_peers_.erase(own_peers_.begin());
  }
  std::vector<std::string>& peers = own_peers_[what.account];
  if (peers.size() >= kOwnPeersMax) peers.erase(peers.begin());
  peers.push_back(what.peer);
  return true;
}

Duration TryThrottle::wait(const TryOf& what, MonotonicTime now) {
  const Key key = key_of(what, now);
  Duration longest = peers_.wait(what.peer, now);
  // Without a counter of its own a try counts as a stranger's.
  if (key.first.empty() || is_stranger(what)) {
    longest = std::max(longest, strangers_.wait(what.account, now));
  }
  const auto at = counters_.find(key);
  if (at != counters_.end() && now < at->second.until) {
    longest = std::max(longest, at->second.until - now);
  }
  return longest;
}

void TryThrottle::begun(const TryOf& what, MonotonicTime now) {
  peers_.take(what.peer, now);
  const Key key = key_of(what, now);
  if (key.first.empty() || is_stranger(what)) strangers_.take(what.account, now);
  if (key.first.empty()) return;
  const auto [at, fresh] = counters_.try_emplace(key);
  if (fresh && is_nobody(key.first)) ++nobodies_;
  Tries& tries = at->second;
  tries.wrong = std::min(tries.wrong + 1, kWrongMax);
  tries.last = now;
  tries.until = now + wait_after(tries.wrong);
}

void TryThrottle::failed(const TryOf& what, MonotonicTime now) {
  const auto at = counters_.find(key_of(what, now));
  if (at == counters_.end()) return;
  at->second.until = now + wait_after(at->second.wrong);
  at->second.kept = true;
  keep(now);
}

void TryThrottle::succeeded(const TryOf& what, MonotonicTime now) {
  peers_.give_back(what.peer, now);
  if (is_stranger(what)) strangers_.give_back(what.account, now);
  bool changed = learn_peer(what);
  const auto at = counters_.find({what.account, what.peer});
  if (at != counters_.end()) {
    changed = changed || at->second.kept;
    erase(at);
  }
  if (changed) keep(now);
}

void TryThrottle::undone(const TryOf& what, MonotonicTime now) {
  peers_.give_back(what.peer, now);
  if (is_stranger(what)) strangers_.give_back(what.account, now);
  const auto at = counters_.find(key_of(what, now));
  if (at == counters_.end()) return;
  if (--at->second.wrong == 0) {
    erase(at);
  } else {
    at->second.until = at->second.last;
  }
}

void TryThrottle::keep(MonotonicTime now) {
  Json tries = Json::array();
  for (const auto& [key, one] : counters_) {
    if (!one.kept) continue;
    tries.push_back({{"account", key.first},
                     {"peer", key.second},
                     {"wrong", one.wrong},
                     {"wait_ms", std::max<std::int64_t>((one.until - now).ms, 0)}});
  }
  const Json kept = {{"tries", std::move(tries)}, {"own_peers", own_peers_}};
  // A disk that refuses must not keep anybody out; the wait still holds in this run.
  if (auto saved = kept_.save(kept.dump()); !saved) return;
}

}  // namespace duhui::api
