#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "hub/ports/store.h"
#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/domain/grants.h"
#include "shared/merge/record_state.h"
#include "shared/sync/op_builder.h"

namespace duhui::hub {

class RecordLookup;

/// The columns of a record's row that depend on its content.
struct RecordSummary {
  std::string school_id;
  std::string date;
  std::string state;
  bool deleted = false;
  std::vector<RegisterKey> conflicts;
  /// References to other records: (field name, id text).
  std::vector<std::pair<std::string, std::string>> links;
  /// Whether `follow_ups` wants to hear of it; most records mean nothing to the hub's own rules.
  bool follow_up = true;
};

/// A person as the registries know them.
struct Standing {
  std::vector<DatedGrant> grants{};
  /// Where the person has an account that is not disabled; `has_account`: or any at all.
  std::vector<std::string> places{};
  bool has_account = false;
};

/// What the hub thinks of an op of a device.
struct Judgement {
  std::uint32_t rank = 0;  // duhui.record.v1.Writer
  bool proposal = false;
};

/// What the supervision domain says about merged records. Pure; the hub's core asks it inside the
/// storing transaction.
class RecordRules {
 public:
  virtual ~RecordRules() = default;

  virtual RecordSummary summarize(const RecordState& state) = 0;
  /// The same for a record that consists of its creating op alone: the common case, without a
  /// state.
  virtual RecordSummary summarize_new(const Dot& dot, const sync::v1::Op& op) = 0;
  /// What a person is here; the same for all of a transaction.
  virtual Result<Standing> standing_of(RecordLookup& lookup, const std::string& person) = 0;
  /// Whether a person of this standing had the authority to write `op` at that time, on a record in
  /// `scope` (empty: not known yet), at a device that holds `device_scopes`.
  virtual Judgement judge(const Standing& standing,
                          const std::vector<std::string>& device_scopes,
                          WallTime at,
                          std::string_view scope,
                          const sync::v1::Op& op) = 0;
  /// Whether records of this type are made at the hub only.
  virtual bool is_made_at_hub(std::uint32_t type) = 0;
  /// The scopes of a device that came with the ticket of a supervisor, as the postings of that day
  /// have them; of other devices the same.
  virtual Result<std::vector<std::string>> follow_postings(RecordLookup& lookup,
                                                           std::vector<std::string> scopes,
                                                           WallTime now);
  /// What the hub itself has to write after `changed` records changed (official numbers, cancelled
  /// escalations); asked about those whose summary wants it. Must settle: asked again about its own
  /// writes until it returns none.
  virtual Result<std::vector<Intent>> follow_ups(RecordLookup& lookup,
                                                 const std::vector<RecordId>& changed,
                                                 WallTime now) = 0;
};

/// Whether a device with these scopes is a supervisor's own: unannounced tasks wait in one of them.
inline bool is_laptop(const std::vector<std::string>& scopes) {
  return std::ranges::any_of(
      scopes, [](const std::string& scope) { return scope.ends_with("/supervisors"); });
}

/// Records as the current transaction sees them.
class RecordLookup {
 public:
  virtual ~RecordLookup() = default;
  /// Null: unknown.
  virtual Result<const RecordState*> state(const RecordId& id) = 0;
  virtual Result<std::vector<RecordId>> linked_to(std::string_view name, std::string_view to) = 0;
  virtual Result<std::optional<std::string>> setting(std::string_view key) = 0;
  virtual Status set(std::string_view key, std::string_view value) = 0;
};

inline Result<std::vector<std::string>> RecordRules::follow_postings(
    RecordLookup& /*lookup*/, std::vector<std::string> scopes, WallTime /*now*/) {
  return scopes;
}

}  // namespace duhui::hub
