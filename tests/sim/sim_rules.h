#pragma once

#include "hub/core/record_rules.h"
#include "shared/domain/frozen.h"
#include "shared/domain/record_events.h"
#include "shared/merge/view.h"

namespace duhui::sim {

/// The least a hub needs to know of the domain; follow-ups belong to the domain's own tests.
class SimRules final : public hub::RecordRules {
 public:
  hub::RecordSummary summarize(const RecordState& state) override {
    hub::RecordSummary summary;
    const RecordSchema* schema = Schema::instance().find(state.type());
    if (schema == nullptr) return summary;
    const RecordView shown = view(*schema, state, {});
    summary.deleted = shown.deleted;
    if (!schema->rule.state_field().empty()) {
      summary.state = state_name(*schema, fold_record(*schema, state).folded.state);
    }
    for (const ShownRegister& shown_register : shown.registers) {
      if (shown_register.in_conflict()) summary.conflicts.push_back(shown_register.key);
    }
    return summary;
  }
  hub::RecordSummary summarize_new(const Dot&, const sync::v1::Op&) override { return {}; }
  Result<hub::Standing> standing_of(hub::RecordLookup&, const std::string&) override {
    return hub::Standing{};
  }
  hub::Judgement judge(const hub::Standing&,
                       const std::vector<std::string>&,
                       WallTime,
                       std::string_view,
                       const sync::v1::Op& op) override {
    // The hub knows better than the device for some people, so that stamps are exercised; and some
    // edits turn out to be proposals, which the device that made them learns with the ack.
    const bool whole = op.creates() || op.writes_size() == 0;
    return {.rank = op.person().size() % 2 == 0 ? 2u : 4u,
            .proposal = !whole && op.time().hlc() / 65536 % 7 == 0};
  }
  bool is_made_at_hub(std::uint32_t) override { return false; }
  Result<std::vector<Intent>> follow_ups(hub::RecordLookup&,
                                         const std::vector<RecordId>&,
                                         WallTime) override {
    return std::vector<Intent>{};
  }
};

}  // namespace duhui::sim
