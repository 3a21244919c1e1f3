#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "shared/api/router.h"
#include "shared/base/audit_entry.h"
#include "shared/base/time.h"

namespace duhui::api {

/// Requests that were refused to somebody signed in, as entries of the audit log: the first of a
/// person and route at once, those of the next minute together in one entry with their number.
/// They are told with the next refusal, of anybody, behind that minute.
class RefusalLog {
 public:
  static constexpr Duration kTogether = minutes(1);
  /// Persons and routes at a time; those beyond are told as one.
  static constexpr std::size_t kSeriesMax = 1000;

  /// `tell`: takes an entry, whose `at` is not filled in.
  explicit RefusalLog(std::function<void(AuditEntry)> tell) : tell_(std::move(tell)) {}

  /// `answer`: of status 403.
  void refused(const ApiRequest& request,
               const Router::Route& route,
               const ApiResponse& answer,
               MonotonicTime now);

 private:
  struct Series {
    MonotonicTime told{};
    std::uint64_t untold = 0;
    AuditEntry latest{};  // of those, without the number
  };
  using Key = std::pair<std::string, std::string>;

  void tell(const AuditEntry& entry, std::uint64_t number);
  /// Tells what waited long enough.
  void sweep(MonotonicTime now);

  const std::function<void(AuditEntry)> tell_;
  std::map<Key, Series> series_;
};

}  // namespace duhui::api
