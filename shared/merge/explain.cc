#include <algorithm>

#include "shared/merge/choice.h"

namespace duhui {
namespace {

bool holds(const std::vector<Candidate>& candidates, const Dot& dot) {
  return std::any_of(candidates.begin(), candidates.end(),
                     [&](const Candidate& c) { return c.write->dot == dot; });
}

/// The deletion register has no policy: what was seen decides.
std::string_view deletion_rule(const RecordView& shown, const Register& reg) {
  if (shown.deleted) return "deleted";
  if (shown.restored) return "restored";
  return reg.live.empty() ? "no_value" : "cleared";
}

}  // namespace

Explanation explain(const RecordSchema& schema,
                    const RecordState& state,
                    const RegisterKey& key,
                    const ViewOptions& options) {
  Explanation out;
  Chooser chooser(schema, state, options, Chooser::Ask::open);
  const Register none;
  const Register* found = state.find(key);
  const Register& reg = found != nullptr ? *found : none;
  const Choice& choice = chooser.choose(key, reg);
  out.policy = choice.policy;
  out.rule = choice.rule;

  std::optional<Dot> deletion;
  if (key.field == kDeletedField) {
    const RecordView shown = view(schema, state, options);
    out.policy = record::v1::POLICY_UNSPECIFIED;
    out.rule = deletion_rule(shown, reg);
    if (shown.deleted_by) deletion = shown.deleted_by->dot;
  } else if (chooser.is_closed(key) &&
             std::any_of(reg.live.begin(), reg.live.end(), [&](const RegisterWrite& write) {
               return !chooser.is_inside(write.dot) && !holds(choice.shown, write.dot);
             })) {
    out.rule = "frozen";
  }

  std::vector<Candidate> writes = chooser.all(reg);
  for (const auto& [place, write] : state.proposals()) {
    if (place != key) continue;
    writes.push_back(chooser.candidate(write));
    if (out.rule == "no_value" && !state.is_dealt_with(key, write.dot)) {
      out.rule = "proposal_waiting";
    }
  }
  for (const Candidate& c : in_causal_order(writes)) {
    const Dot& dot = c.write->dot;
    Explanation::Entry entry;
    entry.write = {.dot = dot,
                   .value = c.write->value,
                   .person = c.facts->person,
                   .stamp = c.facts->stamp,
                   .reason = c.facts->reason};
    entry.live = c.write->replaced_by.empty() && !c.facts->stamp.proposal;
    entry.shown = key.field == kDeletedField ? deletion == dot : holds(choice.shown, dot);
    entry.saw = c.write->replaces;
    entry.replaced_by = c.write->replaced_by;
    out.entries.push_back(std::move(entry));
  }
  return out;
}

}  // namespace duhui
