#include "shared/domain/state_machine.h"

#include <algorithm>
#include <tuple>

namespace duhui {
namespace {

/// Where some part of the history leads.
struct Outcome {
  int state = 0;
  std::optional<std::size_t> by;
  std::vector<std::size_t> enders;  // events that ended a round, oldest first
};

/// A set of event positions.
using Positions = std::vector<bool>;

class Folder {
 public:
  Folder(const StateMachine& machine, const std::vector<StateEvent>& events)
      : machine_(machine), events_(events), past_(events.size()), outcomes_(events.size()) {}

  FoldedState run() {
    FoldedState folded;
    folded.verdicts.resize(events_.size());
    for (const std::size_t at : causal_order())
      outcomes_[at] = outcome_of(at, &folded.verdicts[at]);
    std::vector<std::size_t> all(events_.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    const Outcome last = best(newest(all));
    folded.state = last.state;
    folded.round = static_cast<std::uint32_t>(last.enders.size()) + 1;
    folded.decided_by = last.by;
    mark_overruled(last, &folded);
    return folded;
  }

 private:
  bool earlier(std::size_t a, std::size_t b) const {
    const auto key = [this](std::size_t i) {
      return std::tie(events_[i].effective_ms, events_[i].dot, events_[i].index);
    };
    return key(a) < key(b);
  }

  /// Every event after those it follows. Events in a circle (damaged input) come last.
  std::vector<std::size_t> causal_order() {
    std::vector<std::size_t> order;
    std::vector<bool> done(events_.size(), false);
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t i = 0; i < events_.size(); ++i) {
        const auto& after = events_[i].after;
        const bool ready = std::all_of(after.begin(), after.end(), [&](auto p) { return done[p]; });
        if (done[i] || !ready) continue;
        collect_past(i);
        order.push_back(i);
        done[i] = moved = true;
      }
    }
    for (std::size_t i = 0; i < events_.size(); ++i) {
      if (done[i]) continue;
      past_[i].assign(events_.size(), false);
      order.push_back(i);
    }
    return order;
  }

  void collect_past(std::size_t at) {
    past_[at].assign(events_.size(), false);
    for (const std::size_t parent : events_[at].after) {
      past_[at][parent] = true;
      for (std::size_t i = 0; i < events_.size(); ++i) {
        if (past_[parent][i]) past_[at][i] = true;
      }
    }
  }

  /// Those of `set` that no other one of it follows, earliest first.
  std::vector<std::size_t> newest(const std::vector<std::size_t>& set) const {
    std::vector<std::size_t> heads;
    for (const std::size_t a : set) {
      const bool followed =
          std::any_of(set.begin(), set.end(), [&](std::size_t b) { return past_[b][a]; });
      if (!followed && std::find(heads.begin(), heads.end(), a) == heads.end()) heads.push_back(a);
    }
    std::sort(heads.begin(), heads.end(), [this](auto a, auto b) { return earlier(a, b); });
    return heads;
  }

  Outcome start() const { return {.state = machine_.initial(), .by = {}, .enders = {}}; }

  Outcome outcome_of(std::size_t at, FoldedState::Verdict* verdict) {
    const StateEvent& event = events_[at];
    Outcome base = best(newest(event.after));
    const bool founding = event.founding && event.after.empty();
    verdict->reason = !event.void_because.empty() ? event.void_because
                      : founding                  ? std::string()
                                                  : machine_.refusal(base.state, event);
    verdict->effective = verdict->reason.empty();
    if (!verdict->effective) return base;
    const auto next = machine_.next(base.state, event);
    if (!next) return base;
    base.state = *next;
    base.by = at;
    if (machine_.ends_round(event)) base.enders.push_back(at);
    return base;
  }

  /// Whether `a` beats `b`; both decided by an event.
  bool beats(const Outcome& a, const Outcome& b) const {
    const StateEvent& by_a = events_[*a.by];
    const StateEvent& by_b = events_[*b.by];
    if (machine_.is_final(by_a) != machine_.is_final(by_b)) return machine_.is_final(by_a);
    std::size_t round = 0;
    while (round < a.enders.size() && round < b.enders.size() &&
           a.enders[round] == b.enders[round]) {
      ++round;
    }
    const std::size_t in_a = round < a.enders.size() ? a.enders[round] : *a.by;
    const std::size_t in_b = round < b.enders.size() ? b.enders[round] : *b.by;
    const int order = machine_.compare(events_[in_a], events_[in_b]);
    if (order != 0) return order > 0;
    if (a.enders.size() != b.enders.size()) return a.enders.size() > b.enders.size();
    const int last = machine_.compare(by_a, by_b);
    return last != 0 ? last > 0 : earlier(*b.by, *a.by);
  }

  Outcome best(const std::vector<std::size_t>& heads) const {
    Outcome winner = start();
    std::vector<const Outcome*> losers;
    const Outcome* chosen = nullptr;
    for (const std::size_t head : heads) {
      const Outcome& next = outcomes_[head];
      if (!next.by) continue;
      if (chosen == nullptr || (next.by != chosen->by && beats(next, *chosen))) chosen = &next;
    }
    if (chosen == nullptr) return winner;
    winner = *chosen;
    for (const std::size_t head : heads) {
      const Outcome& other = outcomes_[head];
      if (!other.by || other.by == chosen->by || past_[*chosen->by][*other.by]) continue;
      const auto state = machine_.after_win(events_[*chosen->by], events_[*other.by]);
      if (state) winner.state = *state;
    }
    return winner;
  }

  /// An event is effective if it fitted and stands on the way to the final state, or beside it.
  void mark_overruled(const Outcome& last, FoldedState* folded) const {
    std::vector<bool> on_the_way(events_.size(), false);
    for (auto at = last.by; at && !on_the_way[*at];) {  // a circle ends too
      on_the_way[*at] = true;
      folded->way.insert(folded->way.begin(), *at);
      at = best(newest(events_[*at].after)).by;
    }
    for (std::size_t i = 0; i < events_.size(); ++i) {
      auto& verdict = folded->verdicts[i];
      if (!verdict.effective || on_the_way[i] || outcomes_[i].by != i) continue;
      verdict.effective = false;
      verdict.reason = "overruled";
    }
  }

  const StateMachine& machine_;
  const std::vector<StateEvent>& events_;
  std::vector<Positions> past_;
  std::vector<Outcome> outcomes_;
};

}  // namespace

std::optional<int> StateMachine::after_win(const StateEvent&, const StateEvent&) const {
  return std::nullopt;
}

bool StateMachine::is_final(const StateEvent&) const { return false; }

bool StateMachine::ends_round(const StateEvent&) const { return false; }

FoldedState fold(const StateMachine& machine, const std::vector<StateEvent>& events) {
  return Folder(machine, events).run();
}

}  // namespace duhui
