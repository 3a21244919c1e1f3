#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "shared/api/sign_in_desk.h"
#include "shared/base/audit_entry.h"
#include "shared/base/time.h"

namespace duhui::api {

/// What happens at the desk, as entries of the audit log. Of refused tries each account has its
/// first and fifth told, then one whenever their number has doubled, and all accounts together only
/// so many: nobody fills a disk with wrong passwords. What was not told is in the next number.
class SignInAudit {
 public:
  static constexpr std::uint64_t kSecondTold = 5;
  /// Refused tries of all accounts: so many at once, then one each kPause.
  static constexpr std::int64_t kAtOnceMax = 60;
  static constexpr Duration kPause = minutes(1);
  /// After so long without a refused try the next one is a first one again.
  static constexpr Duration kQuiet = hours(24);
  static constexpr std::size_t kSeriesMax = 1000;

  /// Nothing: not told. `at` is not filled in.
  std::optional<AuditEntry> entry_of(const SignInEvent& event, MonotonicTime now);

 private:
  struct Series {
    std::uint64_t tries = 0;
    std::uint64_t next = 1;  // the number that is told
    MonotonicTime last{};
  };
  using Key = std::pair<std::string, SignInEvent::What>;

  /// The number of this try if it is told.
  std::optional<std::uint64_t> count(const SignInEvent& event, MonotonicTime now);
  Series& series_of(const Key& key, MonotonicTime now);
  bool take_turn(MonotonicTime now);
  /// Wrong passwords since the account was last opened.
  std::uint64_t forget(const std::string& person);

  std::map<Key, Series> series_;
  std::int64_t turns_ = kAtOnceMax;
  std::optional<MonotonicTime> counted_{};
};

}  // namespace duhui::api
