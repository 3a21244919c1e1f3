#include "shared/domain/frozen.h"

#include <algorithm>

#include "duhui/record/v1/evaluation.pb.h"
#include "duhui/record/v1/notice.pb.h"
#include "duhui/record/v1/problem.pb.h"
#include "duhui/record/v1/visit.pb.h"
#include "shared/domain/record_events.h"
#include "shared/domain/visit_status.h"

namespace duhui {
namespace {

/// A discarding loses against every edit that its author had not seen.
void void_unseen_discards(const RecordSchema& schema,
                          const RecordState& state,
                          std::vector<StateEvent>* events) {
  if (schema.rule.name() != "visit_record") return;
  for (StateEvent& event : *events) {
    const OpFacts* op = state.op(event.dot);
    if (event.to != record::v1::VISIT_STATUS_DISCARDED || op == nullptr || op->creates) continue;
    for (const auto& [key, reg] : state.registers()) {
      for (const RegisterWrite& write : reg.live) {
        const bool seen = write.dot == event.dot ||
                          std::binary_search(op->sees.begin(), op->sees.end(), write.dot);
        if (!seen) event.void_because = "edited_meanwhile";
      }
    }
  }
}

/// Whether an event that led to the present state closes the content of the record.
bool freezes(const std::string& type, int to, int state) {
  using namespace record::v1;  // NOLINT(google-build-using-namespace)
  if (type == "visit_record") {
    return is_frozen_visit(state) &&
           (to == VISIT_STATUS_SUBMITTED || to == VISIT_STATUS_AMENDED || is_frozen_visit(to));
  }
  if (type == "problem") return to == PROBLEM_EVENT_KIND_NOTICE_ISSUED;
  if (type == "rectification_notice") return to == NOTICE_STATE_ISSUED || to == NOTICE_STATE_OPEN;
  if (type == "rectification_response") return to == RESPONSE_STATE_SENT;
  if (type == "evaluation") {
    return to == EVALUATION_STATE_SELF_SUBMITTED || to == EVALUATION_STATE_DISTRICT_RATED ||
           to == EVALUATION_STATE_RECHECKED;
  }
  return false;
}

/// Acceptance and archiving keep what the submission froze.
bool renews_freeze(const std::string& type, int to) {
  using namespace record::v1;  // NOLINT(google-build-using-namespace)
  return type != "visit_record" || to == VISIT_STATUS_SUBMITTED || to == VISIT_STATUS_AMENDED;
}

/// What the freezing event's author saw, and the event itself; empty optional: not frozen.
std::optional<std::vector<Dot>> frozen_dots(const RecordSchema& schema,
                                            const RecordState& state,
                                            const Folding& input) {
  const std::string& type = schema.rule.name();
  std::optional<std::size_t> freezing;
  for (const std::size_t at : input.folded.way) {
    const StateEvent& event = input.events[at];
    if (!freezes(type, event.to, input.folded.state)) continue;
    if (!freezing || renews_freeze(type, event.to)) freezing = at;
  }
  if (!freezing) return std::nullopt;
  std::vector<Dot> dots;
  if (const OpFacts* op = state.op(input.events[*freezing].dot)) dots = op->sees;
  dots.push_back(input.events[*freezing].dot);
  std::sort(dots.begin(), dots.end());
  dots.erase(std::unique(dots.begin(), dots.end()), dots.end());
  return dots;
}

}  // namespace

Folding fold_record(const RecordSchema& schema, const RecordState& state) {
  Folding folding;
  if (schema.rule.state().empty()) return folding;
  folding.events = events_of(schema, state);
  void_unseen_discards(schema, state, &folding.events);
  folding.folded = fold(machine_of(schema), folding.events);
  folding.frozen_at = frozen_dots(schema, state, folding);
  return folding;
}

}  // namespace duhui
