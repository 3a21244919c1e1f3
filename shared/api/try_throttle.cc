#include "shared/api/try_throttle.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace duhui::api {
namespace {

using Json = nlohmann::json;

Duration wait_after(std::uint32_t wrong) {
  if (wrong < TryThrottle::kFreeTries) return {};
  Duration wait = TryThrottle::kFirstWait;
  for (std::uint32_t n = TryThrottle::kFreeTries; n < wrong && wait < TryThrottle::kWaitMax; ++n) {
    wait = wait * 2;
  }
  return std::min(wait, TryThrottle::kWaitMax);
}

}  // namespace

void TryThrottle::load(MonotonicTime now) {
  refilled_ = now;
  const auto text = kept_.load();
  const Json kept = text ? Json::parse(*text, nullptr, false) : Json();
  if (!kept.is_object() || !kept.contains("tries") || !kept["tries"].is_array()) return;
  for (const Json& one : kept["tries"]) {
    if (!one.is_object() || tries_.size() >= kAccountsMax) continue;
    const Json& account = one.value("account", Json());
    const Json& wrong = one.value("wrong", Json());
    const Json& wait = one.value("wait_ms", Json());
    if (!account.is_string() || !wrong.is_number_unsigned() || !wait.is_number_integer()) continue;
    const Duration left{std::clamp<std::int64_t>(wait.get<std::int64_t>(), 0, kWaitMax.ms)};
    tries_[account.get<std::string>()] = {
        .wrong = std::min<std::uint32_t>(wrong.get<std::uint32_t>(), 1000),
        .last = now,
        .until = now + left,
        .kept = true};
  }
}

void TryThrottle::refill(MonotonicTime now) {
  const std::int64_t due = std::max<std::int64_t>((now - refilled_).ms / kOverallPause.ms, 0);
  if (due == 0) return;
  refilled_ = refilled_ + kOverallPause * due;
  overall_left_ = static_cast<std::uint32_t>(
      std::min<std::int64_t>(kOverallMax, std::int64_t{overall_left_} + due));
}

Duration TryThrottle::wait(const std::string& account, MonotonicTime now) {
  refill(now);
  const auto at = tries_.find(account);
  if (at != tries_.end() && now < at->second.until) return at->second.until - now;
  return overall_left_ == 0 ? kOverallPause : Duration{};
}

void TryThrottle::make_room() {
  if (tries_.size() < kAccountsMax) return;
  // Whoever was tried least goes: nobody is forgiven many tries by tries of others.
  const auto least = std::ranges::min_element(tries_, [](const auto& a, const auto& b) {
    return a.second.wrong != b.second.wrong ? a.second.wrong < b.second.wrong
                                            : a.second.last < b.second.last;
  });
  tries_.erase(least);
}

void TryThrottle::begun(const std::string& account, MonotonicTime now) {
  refill(now);
  if (overall_left_ > 0) --overall_left_;
  if (!tries_.contains(account)) make_room();
  Tries& tries = tries_[account];
  ++tries.wrong;
  tries.last = now;
  tries.until = now + wait_after(tries.wrong);
}

void TryThrottle::failed(const std::string& account, MonotonicTime now) {
  Tries& tries = tries_[account];
  tries.wrong = std::max(tries.wrong, 1u);
  tries.until = now + wait_after(tries.wrong);
  tries.kept = true;
  keep(now);
}

void TryThrottle::succeeded(const std::string& account, MonotonicTime now) {
  overall_left_ = std::min(kOverallMax, overall_left_ + 1);
  const auto at = tries_.find(account);
  if (at == tries_.end()) return;
  const bool was_kept = at->second.kept;
  tries_.erase(at);
  if (was_kept) keep(now);
}

void TryThrottle::undone(const std::string& account) {
  overall_left_ = std::min(kOverallMax, overall_left_ + 1);
  const auto at = tries_.find(account);
  if (at == tries_.end()) return;
  if (--at->second.wrong == 0) {
    tries_.erase(at);
  } else {
    at->second.until = at->second.last;
  }
}

void TryThrottle::keep(MonotonicTime now) {
  Json tries = Json::array();
  for (const auto& [account, one] : tries_) {
    if (!one.kept) continue;
    tries.push_back({{"account", account},
                     {"wrong", one.wrong},
                     {"wait_ms", std::max<std::int64_t>((one.until - now).ms, 0)}});
  }
  // A disk that refuses must not keep anybody out; the wait still holds in this run.
  if (auto saved = kept_.save(Json{{"tries", std::move(tries)}}.dump()); !saved) return;
}

}  // namespace duhui::api
