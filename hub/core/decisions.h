#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/core/jobs.h"
#include "shared/base/audit_entry.h"

namespace duhui::hub {

/// What a person decides about ops in quarantine.
enum class Decision : std::uint8_t {
  accept,     // merged now
  set_aside,  // kept for ever, merged never
};

/// What came of it.
struct Decided {
  std::uint64_t done = 0;
  /// Those that wait on, or never waited, each with its kind ("" for an op that is not there).
  std::vector<std::pair<Dot, std::string>> left{};
};

/// For the audit log: `person` decided about the op, which waited as `kind`.
AuditEntry decision_entry(Decision decision,
                          const Dot& dot,
                          std::string_view kind,
                          const std::string& person,
                          WallTime at);

/// One person's decision about some ops, in the order given. Proposals are accepted by an op of
/// the person instead: they are left.
class DecideJob final : public Job {
 public:
  DecideJob(Origin hub_origin,
            std::uint64_t hlc_before,
            WallTime at,
            Decision what,
            std::vector<Dot> which,
            std::string by)
      : Job(0),
        origin(hub_origin),
        hlc(hlc_before),
        now(at),
        decision(what),
        dots(std::move(which)),
        person(std::move(by)) {}
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::writes; }

  const Origin origin;
  std::uint64_t hlc;
  const WallTime now;
  const Decision decision;
  const std::vector<Dot> dots;
  const std::string person;

  // Results.
  Decided decided;
  std::map<std::string, FeedHead> grown;
};

}  // namespace duhui::hub
