#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/ids.h"

namespace duhui {

/// One entry of a record's list of transitions.
struct StateEvent {
  Dot dot;
  std::uint32_t index = 0;         // place inside its op
  std::vector<std::size_t> after;  // the entries it follows, as positions in the list
  int to = 0;                      // number of the enumerator it names
  std::uint32_t rank = 0;          // duhui.record.v1.Writer of its author; 0: not known
  std::uint32_t level = 0;         // of a recheck verdict: whose it was
  bool founding = false;           // first entry of the creating op: where the record starts
  std::string void_because;        // not empty: does not count, for this reason
  std::int64_t effective_ms = 0;
  std::string person;
  std::string at;
  std::string note;
};

/// The rules of one kind of state. Stateless.
class StateMachine {
 public:
  virtual ~StateMachine() = default;

  virtual int initial() const = 0;
  /// Why `event` does not fit `state` ("not_from_draft"); empty: it fits.
  virtual std::string refusal(int state, const StateEvent& event) const = 0;
  /// The state after an event that fits; empty optional: the event stands beside the state.
  virtual std::optional<int> next(int state, const StateEvent& event) const = 0;
  /// Positive: `a` overrules the concurrent `b` of the same round.
  virtual int compare(const StateEvent& a, const StateEvent& b) const = 0;
  /// The state when `winner` overruled `loser`, if that differs from what `winner` alone leads to.
  virtual std::optional<int> after_win(const StateEvent& winner, const StateEvent& loser) const;
  /// Overrules events of every round (a withdrawal).
  virtual bool is_final(const StateEvent& event) const;
  /// Begins the next round.
  virtual bool ends_round(const StateEvent& event) const;
};

struct FoldedState {
  int state = 0;
  /// From 1.
  std::uint32_t round = 1;
  /// The event that decided the state; empty optional: the initial state.
  std::optional<std::size_t> decided_by;
  struct Verdict {
    bool effective = false;
    std::string reason;  // of an ineffective one
  };
  std::vector<Verdict> verdicts;  // one per event
  /// The events that led to the state, oldest first.
  std::vector<std::size_t> way;
};

/// Folds the events in causal order; the machine's precedence decides only between concurrent ones.
/// A pure function of the set of events: their order in the list does not matter.
///
/// What an event leads to depends on its causal past alone, so an event that was right where it was
/// made stays right. Of several newest outcomes the winner is, in this order: a final one; the one
/// whose event overrules the other's in the earliest round in which they differ; the later one.
FoldedState fold(const StateMachine& machine, const std::vector<StateEvent>& events);

}  // namespace duhui
