#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "duhui/record/v1/options.pb.h"
#include "duhui/record/v1/template.pb.h"
#include "hub/core/op_reader.h"
#include "hub/core/record_rules.h"
#include "shared/merge/schema.h"

namespace duhui::hub {

/// Author of what the hub's own rules write.
inline constexpr std::string_view kHubPerson = "hub";

/// Setting that names where the records of the whole city live; the first import of organisations
/// writes it.
inline constexpr std::string_view kRootScopeKey = "hub/root_scope";

/// The supervision domain as the hub's core asks for it (shared/domain).
///
/// A new record's columns are read off its creating op without merging anything, a changed one's
/// off the shown fragments without parsing the message: these two run for every op that arrives.
/// One per storage thread.
class DomainRules final : public RecordRules {
 public:
  explicit DomainRules(const Schema& schema = Schema::instance());

  RecordSummary summarize(const RecordState& state) override;
  RecordSummary summarize_new(const Dot& dot, const sync::v1::Op& op) override;
  Result<Standing> standing_of(RecordLookup& lookup, const std::string& person) override;
  Judgement judge(const Standing& standing,
                  const std::vector<std::string>& device_scopes,
                  WallTime at,
                  std::string_view scope,
                  const sync::v1::Op& op) override;
  bool is_made_at_hub(std::uint32_t type) override;
  Result<std::vector<std::string>> follow_postings(RecordLookup& lookup,
                                                   std::vector<std::string> scopes,
                                                   WallTime now) override;
  Result<std::vector<Intent>> follow_ups(RecordLookup& lookup,
                                         const std::vector<RecordId>& changed,
                                         WallTime now) override;

  /// A template, whose items may merge by policies of their own.
  void learn(const record::v1::Template& form);
  /// At the start: those that are stored already.
  Status learn_stored(HubTransaction& tx, OpReader& ops);

 private:
  enum class Use : std::uint8_t { none, school, date, link, event, number };
  /// What the columns of a record type are read from, by field number.
  struct Plan {
    const RecordSchema* schema = nullptr;
    std::vector<Use> use;                 // by field number
    std::vector<std::uint8_t> date_rank;  // which of several dates counts: the lower
    std::vector<bool> interesting;        // by register field
    std::map<std::uint32_t, std::string> link_names;
    std::uint32_t event_field = 0;   // 0: the type has no state
    std::uint32_t event_target = 0;  // sub-field that says where an event leads
    int initial = 0;
    std::vector<std::string> state_names;  // by number
    bool school_in_scope = false;          // has no school of its own: its scope ends with it
  };
  struct Columns {
    std::string_view date;
    std::uint8_t date_rank = 255;
    bool numbered = false;
  };
  using ItemPolicies = std::map<std::string, record::v1::Policy>;

  static Plan make_plan(const RecordSchema& schema);
  const Plan* plan_of(std::uint32_t type) const;
  static void read_fields(const Plan& plan,
                          std::string_view bytes,
                          Columns& columns,
                          RecordSummary& summary);
  static std::string first_state(const Plan& plan, const sync::v1::Op& op);
  static void settle(const Plan& plan,
                     const Columns& columns,
                     std::string_view scope,
                     RecordSummary& summary);
  const ItemPolicies* item_policies(const RecordState& state) const;

  Status spread_secret(RecordLookup& lookup,
                       const RecordState& state,
                       std::vector<Intent>& intents);
  Status number_notice(RecordLookup& lookup,
                       const RecordId& id,
                       const RecordState& state,
                       WallTime now,
                       std::vector<Intent>& intents);
  Status cancel_escalations(RecordLookup& lookup,
                            const RecordId& id,
                            const RecordState& state,
                            WallTime now,
                            std::vector<Intent>& intents);

  std::vector<Plan> plans_;                                                  // by type number
  std::map<std::pair<std::string, std::uint32_t>, ItemPolicies> templates_;  // those with policies
};

/// "2025-10-09T11:40:00+08:00".
std::string china_time(WallTime time);

}  // namespace duhui::hub
