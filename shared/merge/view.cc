#include "shared/merge/view.h"

#include <algorithm>
#include <map>

#include "shared/merge/choice.h"

namespace duhui {
namespace {

AuthoredValue authored(const Candidate& c) {
  return {.dot = c.write->dot,
          .value = c.write->value,
          .person = c.facts->person,
          .stamp = c.facts->stamp,
          .reason = c.facts->reason};
}

std::vector<AuthoredValue> authored(const std::vector<Candidate>& candidates) {
  std::vector<AuthoredValue> out;
  out.reserve(candidates.size());
  for (const Candidate& c : candidates) out.push_back(authored(c));
  return out;
}

bool holds(const std::vector<Candidate>& candidates, const RegisterWrite* write) {
  return std::any_of(candidates.begin(), candidates.end(),
                     [write](const Candidate& c) { return c.write == write; });
}

/// All writes the choice left over, earliest first.
std::vector<Candidate> left_over(const Chooser& chooser,
                                 const Register& reg,
                                 const Choice& choice) {
  if (reg.history.empty() && reg.live.size() == choice.shown.size()) return {};
  std::vector<Candidate> out = chooser.all(reg);
  if (choice.policy == record::v1::POLICY_APPEND && out.size() == choice.shown.size()) return {};
  std::erase_if(out, [&](const Candidate& c) {
    return holds(choice.shown, c.write) || holds(choice.siblings, c.write) ||
           holds(choice.proposals, c.write);
  });
  std::sort(out.begin(), out.end(), is_earlier);
  return out;
}

/// Keeps the latest live write that the deletion `by` had not seen.
void note_unseen(const Candidate& c, const Candidate& by, std::optional<Candidate>& newest) {
  if (c.write->dot == by.write->dot) return;
  const auto& sees = by.facts->sees;
  if (std::binary_search(sees.begin(), sees.end(), c.write->dot)) return;
  if (!newest || is_earlier(*newest, c)) newest = c;
}

/// The latest live write that contradicts the deletion `by`; empty optional: the deletion stands.
std::optional<Candidate> unseen_by(const RecordState& state,
                                   const Chooser& chooser,
                                   const Candidate& by) {
  std::optional<Candidate> newest;
  for (const auto& [key, reg] : state.registers()) {
    for (const RegisterWrite& write : reg.live) {
      const Candidate c = chooser.candidate(write);
      // In the deletion register itself only a concurrent "not deleted" speaks against it.
      if (key.field == kDeletedField && c.has_value()) continue;
      note_unseen(c, by, newest);
    }
  }
  return newest;
}

void judge_deletion(const RecordState& state, const Chooser& chooser, RecordView& out) {
  const Register* reg = state.find({kDeletedField, {}});
  if (reg == nullptr) return;
  std::optional<Candidate> deleted;
  std::optional<Candidate> lost;
  for (const RegisterWrite& write : reg->live) {
    const Candidate c = chooser.candidate(write);
    if (!c.has_value()) continue;
    std::optional<Candidate>& latest = unseen_by(state, chooser, c) ? lost : deleted;
    if (!latest || is_earlier(*latest, c)) latest = c;
  }
  if (deleted) {
    out.deleted = true;
    out.deleted_by = authored(*deleted);
  } else if (lost) {
    const Candidate because = *unseen_by(state, chooser, *lost);
    out.restored = Restoration{.deletion = authored(*lost),
                               .because_of = because.write->dot,
                               .because_of_person = because.facts->person};
  }
}

void collect_amendments(const RecordState& state, const Chooser& chooser, RecordView& out) {
  std::map<Dot, Amendment> by_op;
  for (const auto& [key, reg] : state.registers()) {
    if (key.field == kDeletedField || !chooser.is_closed(key)) continue;
    for (const RegisterWrite& write : reg.live) {
      if (chooser.is_inside(write.dot)) continue;
      const Candidate c = chooser.candidate(write);
      Amendment& amendment = by_op[write.dot];
      amendment.dot = write.dot;
      amendment.person = c.facts->person;
      amendment.stamp = c.facts->stamp;
      amendment.reason = c.facts->reason;
      amendment.registers.push_back(key);
    }
  }
  for (auto& [dot, amendment] : by_op) out.amendments.push_back(std::move(amendment));
}

/// What people without authority wrote, beside the registers it was meant for.
void add_proposals(const RecordState& state, const Chooser& chooser, RecordView& out) {
  for (const auto& [key, write] : state.proposals()) {
    if (key.field == kDeletedField) continue;
    auto at = std::lower_bound(
        out.registers.begin(), out.registers.end(), key,
        [](const ShownRegister& shown, const RegisterKey& k) { return shown.key < k; });
    if (at == out.registers.end() || at->key != key) {
      at = out.registers.emplace(at);
      at->key = key;
      at->policy = chooser.policy_of(key);
    }
    const bool waits = !state.is_dealt_with(key, write.dot);
    (waits ? at->proposals : at->history).push_back(authored(chooser.candidate(write)));
  }
}

RecordView make_view(const RecordSchema& schema,
                     const RecordState& state,
                     const ViewOptions& options,
                     Chooser::Ask ask) {
  Chooser chooser(schema, state, options, ask);
  RecordView out;
  out.registers.reserve(state.registers().size());
  for (const auto& [key, reg] : state.registers()) {
    if (key.field == kDeletedField || (reg.live.empty() && reg.history.empty())) continue;
    const Choice& choice = chooser.choose(key, reg);
    ShownRegister& shown = out.registers.emplace_back();
    shown.key = key;
    shown.policy = choice.policy;
    shown.shown = authored(choice.shown);
    shown.siblings = authored(choice.siblings);
    shown.proposals = authored(choice.proposals);
    shown.history = authored(left_over(chooser, reg, choice));
  }
  add_proposals(state, chooser, out);
  if (options.frozen_at != nullptr) collect_amendments(state, chooser, out);
  judge_deletion(state, chooser, out);
  return out;
}

}  // namespace

const ShownRegister* RecordView::find(const RegisterKey& key) const {
  const auto at = std::lower_bound(
      registers.begin(), registers.end(), key,
      [](const ShownRegister& shown, const RegisterKey& k) { return shown.key < k; });
  return at != registers.end() && at->key == key ? &*at : nullptr;
}

std::size_t RecordView::open_conflicts() const {
  return static_cast<std::size_t>(
      std::count_if(registers.begin(), registers.end(),
                    [](const ShownRegister& shown) { return shown.in_conflict(); }));
}

std::string RecordView::message_bytes() const {
  std::string bytes;
  for (const ShownRegister& reg : registers) {
    for (const AuthoredValue& value : reg.shown) bytes += *value.value;
  }
  return bytes;
}

RecordView view(const RecordSchema& schema, const RecordState& state, const ViewOptions& options) {
  return make_view(schema, state, options, Chooser::Ask::open);
}

RecordView view_with_ask_as_latest(const RecordSchema& schema,
                                   const RecordState& state,
                                   const ViewOptions& options) {
  return make_view(schema, state, options, Chooser::Ask::as_latest);
}

ShownMessage shown_message(const RecordSchema& schema,
                           const RecordState& state,
                           const ViewOptions& options) {
  Chooser chooser(schema, state, options, Chooser::Ask::open);
  ShownMessage out;
  for (const auto& [key, reg] : state.registers()) {
    if (key.field == kDeletedField) continue;
    const Choice& choice = chooser.choose(key, reg);
    for (const Candidate& c : choice.shown) out.bytes += *c.write->value;
    if (!choice.siblings.empty()) out.conflicts.push_back(key);
  }
  RecordView deletion;
  judge_deletion(state, chooser, deletion);
  out.deleted = deletion.deleted;
  return out;
}

}  // namespace duhui
