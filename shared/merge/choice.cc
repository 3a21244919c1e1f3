#include "shared/merge/choice.h"

#include <algorithm>
#include <queue>
#include <tuple>

namespace duhui {
namespace {

using record::v1::Policy;

bool same_person(const Candidate& a, const Candidate& b) {
  // Nobody's name is nobody's twice: without one, only the same device counts as the same author.
  if (a.facts->person.empty()) {
    return b.facts->person.empty() && a.write->dot.origin == b.write->dot.origin;
  }
  return a.facts->person == b.facts->person;
}

bool is_before_in_list(const Candidate& a, const Candidate& b) {
  return std::tie(a.facts->stamp.effective_ms, a.write->dot) <
         std::tie(b.facts->stamp.effective_ms, b.write->dot);
}

const Candidate& latest_of(const std::vector<Candidate>& candidates) {
  return *std::max_element(candidates.begin(), candidates.end(), is_earlier);
}

const RegisterWrite* find_write(const std::vector<RegisterWrite>& writes, const Dot& dot) {
  const auto at = std::lower_bound(writes.begin(), writes.end(), dot,
                                   [](const RegisterWrite& w, const Dot& d) { return w.dot < d; });
  return at != writes.end() && at->dot == dot ? &*at : nullptr;
}

const RegisterWrite* find_write(const Register& reg, const Dot& dot) {
  const RegisterWrite* live = find_write(reg.live, dot);
  return live != nullptr ? live : find_write(reg.history, dot);
}

/// Keeps what has a value.
void keep_values(std::vector<Candidate>& pool) {
  std::erase_if(pool, [](const Candidate& c) { return !c.has_value(); });
}

void keep_highest_rank(std::vector<Candidate>& pool) {
  std::uint32_t highest = 0;
  for (const Candidate& c : pool) highest = std::max(highest, c.facts->stamp.rank);
  std::erase_if(pool, [&](const Candidate& c) { return c.facts->stamp.rank != highest; });
}

}  // namespace

bool is_earlier(const Candidate& a, const Candidate& b) {
  return std::tie(a.facts->stamp.effective_ms, a.facts->stamp.rank, a.write->dot) <
         std::tie(b.facts->stamp.effective_ms, b.facts->stamp.rank, b.write->dot);
}

std::vector<Candidate> in_causal_order(const std::vector<Candidate>& writes) {
  std::vector<Candidate> sorted = writes;
  std::sort(sorted.begin(), sorted.end(), is_before_in_list);
  if (sorted.size() < 2) return sorted;

  std::vector<std::pair<Dot, std::size_t>> index;
  for (std::size_t at = 0; at < sorted.size(); ++at) index.emplace_back(sorted[at].write->dot, at);
  std::sort(index.begin(), index.end());
  std::vector<std::vector<std::size_t>> followers(sorted.size());
  std::vector<std::size_t> waits_for(sorted.size(), 0);
  for (std::size_t at = 0; at < sorted.size(); ++at) {
    for (const Dot& dot : sorted[at].write->replaces) {
      const auto found =
          std::lower_bound(index.begin(), index.end(), std::pair{dot, std::size_t{0}});
      if (found == index.end() || found->first != dot) continue;
      followers[found->second].push_back(at);
      ++waits_for[at];
    }
  }

  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  std::vector<bool> queued(sorted.size(), false);
  const auto enqueue = [&](std::size_t at) { queued[at] = true, ready.push(at); };
  for (std::size_t at = 0; at < sorted.size(); ++at) {
    if (waits_for[at] == 0) enqueue(at);
  }
  std::vector<Candidate> out;
  for (std::size_t oldest = 0; out.size() < sorted.size();) {
    if (ready.empty()) {  // a cycle
      while (queued[oldest]) ++oldest;
      enqueue(oldest);
    }
    const std::size_t at = ready.top();
    ready.pop();
    out.push_back(sorted[at]);
    for (const std::size_t follower : followers[at]) {
      if (--waits_for[follower] == 0 && !queued[follower]) enqueue(follower);
    }
  }
  return out;
}

Chooser::Chooser(const RecordSchema& schema,
                 const RecordState& state,
                 const ViewOptions& options,
                 Ask ask)
    : schema_(schema), state_(state), options_(options), ask_(ask) {
  if (options.frozen_at != nullptr) {
    inside_ = *options.frozen_at;
    std::sort(inside_.begin(), inside_.end());
  }
}

bool Chooser::is_closed(const RegisterKey& key) const {
  if (options_.frozen_at == nullptr) return false;
  const FieldSchema* field = schema_.find(key.field);
  return field == nullptr || !field->rule.open_when_frozen();
}

bool Chooser::is_inside(const Dot& dot) const {
  return std::binary_search(inside_.begin(), inside_.end(), dot);
}

Candidate Chooser::candidate(const RegisterWrite& write) const {
  return {&write, state_.op(write.dot)};
}

std::vector<Candidate> Chooser::all(const Register& reg) const {
  std::vector<Candidate> out;
  out.reserve(reg.live.size() + reg.history.size());
  for (const RegisterWrite& write : reg.live) out.push_back(candidate(write));
  for (const RegisterWrite& write : reg.history) out.push_back(candidate(write));
  return out;
}

Policy Chooser::policy_of(const RegisterKey& key, const FieldSchema* field) const {
  if (options_.override_policy) {
    const Policy own = options_.override_policy(key);
    if (own != record::v1::POLICY_UNSPECIFIED) return own;
  }
  if (field == nullptr || field->rule.policy() == record::v1::POLICY_UNSPECIFIED) {
    return record::v1::POLICY_LATEST;
  }
  return field->rule.policy();
}

void Chooser::add_if_shown_type(const RegisterWrite& write) {
  const Candidate c = candidate(write);
  if (c.facts->type == state_.type()) pool_.push_back(c);
}

void Chooser::collect(const RegisterKey& key, const Register& reg) {
  pool_.clear();
  if (is_closed(key)) return collect_frozen(reg);
  for (const RegisterWrite& write : reg.live) add_if_shown_type(write);
  if (choice_.policy != record::v1::POLICY_APPEND) return;
  for (const RegisterWrite& write : reg.history) add_if_shown_type(write);
}

/// The register as the freezing event saw it. The event names the writes that were live then; what
/// they had replaced in their turn belongs to it as well.
void Chooser::collect_frozen(const Register& reg) {
  then_.clear();
  std::vector<const RegisterWrite*> unread;
  const auto reach = [&](const RegisterWrite& write) {
    const auto at = std::lower_bound(then_.begin(), then_.end(), write.dot);
    if (at != then_.end() && *at == write.dot) return;
    then_.insert(at, write.dot);
    unread.push_back(&write);
  };
  for (const RegisterWrite& write : reg.live) {
    if (is_inside(write.dot)) reach(write);
  }
  for (const RegisterWrite& write : reg.history) {
    if (is_inside(write.dot)) reach(write);
  }
  while (!unread.empty()) {
    const RegisterWrite& write = *unread.back();
    unread.pop_back();
    add_if_shown_type(write);
    for (const Dot& dot : write.replaces) {
      if (const RegisterWrite* earlier = find_write(reg, dot)) reach(*earlier);
    }
  }
  if (choice_.policy == record::v1::POLICY_APPEND) return;
  if (choice_.policy == record::v1::POLICY_HUB_ONLY) return;
  std::erase_if(pool_, [&](const Candidate& c) { return was_replaced(*c.write, true); });
}

/// Whether a write replaced it, or had by then if the register is closed.
bool Chooser::was_replaced(const RegisterWrite& write, bool closed) const {
  return std::any_of(write.replaced_by.begin(), write.replaced_by.end(),
                     [&](const Dot& dot) { return !closed || was_there(dot); });
}

bool Chooser::was_there(const Dot& dot) const {
  return std::binary_search(then_.begin(), then_.end(), dot);
}

const Choice& Chooser::choose(const RegisterKey& key, const Register& reg) {
  const FieldSchema* field = schema_.find(key.field);
  choice_.policy = policy_of(key, field);
  choice_.rule = "no_value";
  choice_.shown.clear();
  choice_.siblings.clear();
  choice_.proposals.clear();
  collect(key, reg);

  switch (choice_.policy) {
    case record::v1::POLICY_ASK:
      choose_asked(field);
      break;
    case record::v1::POLICY_MAX:
    case record::v1::POLICY_MIN:
    case record::v1::POLICY_FIRST:
      choose_extreme(field);
      break;
    case record::v1::POLICY_UNION:
      choose_union();
      break;
    case record::v1::POLICY_APPEND:
      choose_entries();
      break;
    case record::v1::POLICY_AUTHORITY:
      choose_by_authority();
      break;
    case record::v1::POLICY_HUB_ONLY:
      choose_of_hub(reg, is_closed(key));
      break;
    case record::v1::POLICY_DERIVED:
      choice_.rule = "derived";
      break;
    case record::v1::POLICY_LATEST:
    case record::v1::POLICY_PER_AUTHOR:
    case record::v1::POLICY_UNSPECIFIED:
    default:
      choose_latest();
      break;  // a policy of a newer schema keeps everything, too
  }
  return choice_;
}

void Chooser::show(const Candidate& candidate, std::string_view rule) {
  choice_.rule = candidate.has_value() ? rule : "cleared";
  if (candidate.has_value()) choice_.shown.push_back(candidate);
}

std::string_view Chooser::latest_rule() const {
  if (pool_.size() == 1) return "only_value";
  const auto all = [&](auto same) {
    return std::all_of(pool_.begin() + 1, pool_.end(),
                       [&](const Candidate& c) { return same(pool_.front(), c); });
  };
  if (all([](const Candidate& a, const Candidate& b) {
        return a.write->value == b.write->value;
      })) {
    return "same_value";
  }
  return all(same_person) ? "same_author_later" : "latest";
}

void Chooser::choose_latest() {
  if (pool_.empty()) return;
  show(latest_of(pool_), latest_rule());
}

DecidingValue Chooser::deciding(const FieldSchema* field, const Candidate& candidate) const {
  return deciding_value(schema_, field, *candidate.write->value);
}

void Chooser::choose_asked(const FieldSchema* field) {
  if (pool_.size() <= 1) return choose_latest();
  std::sort(pool_.begin(), pool_.end(),
            [](const Candidate& a, const Candidate& b) { return is_earlier(b, a); });
  // Of one person the latest write counts, also when it clears.
  std::vector<Candidate> voices;
  for (const Candidate& c : pool_) {
    const bool known = std::any_of(voices.begin(), voices.end(),
                                   [&](const Candidate& voice) { return same_person(voice, c); });
    if (!known) voices.push_back(c);
  }
  const bool somebody_changed_their_mind = voices.size() < pool_.size();
  keep_values(voices);
  if (voices.empty()) {
    choice_.rule = "cleared";
    return;
  }
  if (voices.size() == 1) {
    return show(voices.front(), somebody_changed_their_mind ? "same_author_later" : "only_value");
  }
  std::vector<Candidate> decided;  // an empty answer contradicts nobody
  std::vector<DecidingValue> values;
  for (const Candidate& voice : voices) {
    DecidingValue value = deciding(field, voice);
    if (value.kind == DecidingValue::Kind::empty) continue;
    decided.push_back(voice);
    values.push_back(std::move(value));
  }
  if (decided.empty()) return show(voices.front(), "latest");
  const bool agreed = std::all_of(values.begin(), values.end(),
                                  [&](const DecidingValue& v) { return v == values.front(); });
  if (agreed) return show(decided.front(), decided.size() > 1 ? "same_value" : "only_value");
  if (ask_ == Ask::as_latest) show(decided.front(), "conflict_open");
  choice_.rule = "conflict_open";
  choice_.siblings = std::move(decided);
}

void Chooser::choose_extreme(const FieldSchema* field) {
  const bool any = !pool_.empty();
  keep_values(pool_);
  if (pool_.empty()) {
    if (any) choice_.rule = "cleared";
    return;
  }
  const std::size_t before = pool_.size();
  if (field != nullptr && field->rule.role_first()) keep_highest_rank(pool_);
  if (pool_.size() == 1) return show(pool_.front(), before == 1 ? "only_value" : "higher_rank");
  if (choice_.policy == record::v1::POLICY_FIRST) {
    return show(*std::min_element(pool_.begin(), pool_.end(), is_earlier), "extreme");
  }

  const bool largest = choice_.policy == record::v1::POLICY_MAX;
  const Candidate* best = &pool_.front();
  DecidingValue best_value = deciding(field, *best);
  for (auto c = pool_.begin() + 1; c != pool_.end(); ++c) {
    DecidingValue value = deciding(field, *c);
    const bool better = largest ? best_value < value : value < best_value;
    if (better || (value == best_value && is_earlier(*best, *c))) {
      best = &*c;
      best_value = std::move(value);
    }
  }
  show(*best, "extreme");
}

void Chooser::choose_union() {
  const std::size_t before = pool_.size();
  keep_values(pool_);
  if (pool_.empty()) {
    if (before != 0) choice_.rule = "cleared";
    return;
  }
  show(latest_of(pool_), pool_.size() < before ? "add_wins" : latest_rule());
}

void Chooser::choose_by_authority() {
  if (pool_.empty()) return;
  const std::size_t before = pool_.size();
  keep_highest_rank(pool_);
  show(latest_of(pool_), pool_.size() < before ? "higher_rank" : latest_rule());
}

void Chooser::choose_entries() {
  const bool any = !pool_.empty();
  keep_values(pool_);
  choice_.rule = pool_.size() > 1    ? "all_entries"
                 : pool_.size() == 1 ? "only_value"
                 : any               ? "cleared"
                                     : "no_value";
  choice_.shown = in_causal_order(pool_);
}

/// Whether a write of the hub followed `write`, also through proposals in between: a proposal that
/// replaces the hub's value does not take it away.
bool Chooser::is_superseded_at_hub(const Register& reg,
                                   const RegisterWrite& write,
                                   bool closed) const {
  std::vector<Dot> seen;
  std::vector<Dot> unread = write.replaced_by;
  while (!unread.empty()) {
    const Dot dot = unread.back();
    unread.pop_back();
    const auto at = std::lower_bound(seen.begin(), seen.end(), dot);
    if (dot == write.dot || (at != seen.end() && *at == dot)) continue;
    seen.insert(at, dot);
    if (closed && !was_there(dot)) continue;
    if (state_.op(dot)->stamp.at_hub) return true;
    if (const RegisterWrite* next = find_write(reg, dot)) {
      unread.insert(unread.end(), next->replaced_by.begin(), next->replaced_by.end());
    }
  }
  return false;
}

void Chooser::choose_of_hub(const Register& reg, bool closed) {
  for (const Candidate& c : pool_) {
    if (!c.facts->stamp.at_hub && !was_replaced(*c.write, closed)) choice_.proposals.push_back(c);
  }
  pool_.clear();
  const auto add = [&](const RegisterWrite& write) {
    if (closed && !was_there(write.dot)) return;
    if (state_.op(write.dot)->stamp.at_hub && !is_superseded_at_hub(reg, write, closed)) {
      add_if_shown_type(write);
    }
  };
  for (const RegisterWrite& write : reg.live) add(write);
  for (const RegisterWrite& write : reg.history) add(write);
  if (pool_.empty()) {
    if (!choice_.proposals.empty()) choice_.rule = "proposal_waiting";
    return;
  }
  show(latest_of(pool_), "hub_value");
}

}  // namespace duhui
