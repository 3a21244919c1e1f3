#include "shared/api/sign_in_audit.h"

#include <algorithm>

namespace duhui::api {
namespace {

using What = SignInEvent::What;

bool is_refused(What what) { return what == What::wrong_password || what == What::throttled; }
bool opens(What what) { return what == What::signed_in || what == What::unlocked; }

}  // namespace

std::optional<AuditEntry> SignInAudit::entry_of(const SignInEvent& event, MonotonicTime now) {
  AuditEntry entry{.actor = event.person,
                   .action = "session." + std::string(to_string(event.what)),
                   .target_type = "user",
                   .target_id = event.person,
                   .outcome = "done"};
  if (is_refused(event.what)) {
    const auto number = count(event, now);
    if (!number) return std::nullopt;
    // Whose account it is, is known; who sat there is not.
    entry.actor = "nobody";
    entry.outcome = "refused";
    entry.detail = "tries=" + std::to_string(*number);
    return entry;
  }
  if (event.sign_in == sync::v1::SIGN_IN_PROVISIONAL) entry.detail = "provisional";
  if (!opens(event.what)) return entry;
  if (const std::uint64_t wrong = forget(event.person); wrong > 0) {
    entry.detail += (entry.detail.empty() ? "" : ", ") + ("wrong_tries=" + std::to_string(wrong));
  }
  return entry;
}

std::optional<std::uint64_t> SignInAudit::count(const SignInEvent& event, MonotonicTime now) {
  Series& series = series_of({event.person, event.what}, now);
  ++series.tries;
  series.last = now;
  if (series.tries < series.next || !take_turn(now)) return std::nullopt;
  series.next = series.tries < kSecondTold ? kSecondTold : series.tries * 2;
  return series.tries;
}

SignInAudit::Series& SignInAudit::series_of(const Key& key, MonotonicTime now) {
  if (!series_.contains(key) && series_.size() >= kSeriesMax) {
    series_.erase(std::ranges::min_element(
        series_, [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
  }
  Series& series = series_[key];
  if (series.tries > 0 && now - series.last > kQuiet) series = {};
  return series;
}

bool SignInAudit::take_turn(MonotonicTime now) {
  if (!counted_) counted_ = now;
  const std::int64_t due = std::max<std::int64_t>((now - *counted_).ms / kPause.ms, 0);
  counted_ = *counted_ + kPause * due;
  turns_ = std::min(kAtOnceMax, turns_ + due);
  if (turns_ == 0) return false;
  --turns_;
  return true;
}

std::uint64_t SignInAudit::forget(const std::string& person) {
  const auto wrong = series_.find({person, What::wrong_password});
  const std::uint64_t tries = wrong == series_.end() ? 0 : wrong->second.tries;
  series_.erase({person, What::wrong_password});
  series_.erase({person, What::throttled});
  return tries;
}

}  // namespace duhui::api
