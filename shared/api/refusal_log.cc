#include "shared/api/refusal_log.h"

#include "shared/api/audit_actor.h"
#include "shared/base/bytes.h"

namespace duhui::api {
namespace {

std::string route_name(const Router::Route& route) {
  std::string name = route.method + " ";
  for (const std::string& part : route.parts) name += "/" + part;
  return name;
}

/// "as: u-1 is signed in" -> "as": what follows may be what somebody typed.
std::string reason_of(const ApiResponse& answer) {
  const auto error = error_of(answer);
  const std::string& detail = error ? error->detail : std::string();
  return detail.substr(0, detail.find_first_of(": "));
}

AuditEntry entry_of(const ApiRequest& request,
                    const Router::Route& route,
                    const ApiResponse& answer) {
  AuditEntry entry{.actor = audit_actor(request.subject),
                   .action = "request.refused",
                   .target_type = std::string(to_string(route.need.thing)),
                   .outcome = "refused",
                   .detail = route_name(route) + ", " + reason_of(answer)};
  // A readable id may be anything that somebody typed there.
  const auto named = request.names.find("id");
  if (named != request.names.end() && from_uuid_text(named->second)) {
    entry.target_id = named->second;
  }
  return entry;
}

}  // namespace

void RefusalLog::refused(const ApiRequest& request,
                         const Router::Route& route,
                         const ApiResponse& answer,
                         MonotonicTime now) {
  if (request.subject.kind != Subject::Kind::person) return;
  sweep(now);
  AuditEntry entry = entry_of(request, route, answer);
  Key key{request.subject.person, route_name(route)};
  if (!series_.contains(key) && series_.size() >= kSeriesMax) {
    key = {};
    entry.actor = "many";
    entry.target_id.clear();
  }
  const auto [at, first] = series_.try_emplace(key);
  if (first) {
    at->second.told = now;
    tell(entry, 1);
    return;
  }
  ++at->second.untold;
  at->second.latest = std::move(entry);
}

void RefusalLog::tell(const AuditEntry& entry, std::uint64_t number) {
  AuditEntry told = entry;
  told.detail += ", times=" + std::to_string(number);
  tell_(std::move(told));
}

void RefusalLog::sweep(MonotonicTime now) {
  for (auto at = series_.begin(); at != series_.end();) {
    Series& series = at->second;
    if (now - series.told < kTogether) {
      ++at;
    } else if (series.untold == 0) {
      at = series_.erase(at);
    } else {
      tell(series.latest, series.untold);
      series.told = now;
      series.untold = 0;
      ++at;
    }
  }
}

}  // namespace duhui::api
