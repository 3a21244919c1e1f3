#include "shared/domain/state_machine.h"

#include <algorithm>
#include <functional>
#include <set>

#include <gtest/gtest.h>

#include "duhui/record/v1/evaluation.pb.h"
#include "duhui/record/v1/notice.pb.h"
#include "duhui/record/v1/plan.pb.h"
#include "duhui/record/v1/problem.pb.h"
#include "duhui/record/v1/visit.pb.h"
#include "shared/domain/evaluation_state.h"
#include "shared/domain/notice_state.h"
#include "shared/domain/problem_state.h"
#include "shared/domain/task_state.h"
#include "shared/domain/visit_status.h"

namespace duhui {
namespace {

using namespace record::v1;  // NOLINT(google-build-using-namespace)

StateEvent event(int to, std::vector<std::size_t> after = {}) {
  StateEvent out;
  out.to = to;
  out.after = std::move(after);
  return out;
}

/// Gives every event its own dot; time as in the list.
std::vector<StateEvent> numbered(std::vector<StateEvent> events) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i].dot.seq = i + 1;
    events[i].effective_ms = static_cast<std::int64_t>(i);
  }
  return events;
}

int state_of(const StateMachine& machine, std::vector<StateEvent> events) {
  return fold(machine, numbered(std::move(events))).state;
}

/// The definition, written down without any cleverness: sets of events, recursion on the past.
class NaiveModel {
 public:
  NaiveModel(const StateMachine& machine, const std::vector<StateEvent>& events)
      : machine_(machine), events_(events) {}

  struct End {
    int state = 0;
    int by = -1;
    std::vector<int> enders;
  };

  End of_all() const {
    std::set<int> all;
    for (std::size_t i = 0; i < events_.size(); ++i) all.insert(static_cast<int>(i));
    return of(all);
  }

 private:
  std::set<int> past(int at) const {
    std::set<int> out;
    for (const std::size_t parent : events_[static_cast<std::size_t>(at)].after) {
      const int before = static_cast<int>(parent);
      out.insert(before);
      for (const int older : past(before)) out.insert(older);
    }
    return out;
  }

  End after(int at) const {
    const StateEvent& e = events_[static_cast<std::size_t>(at)];
    End end = of(past(at));
    if (!machine_.refusal(end.state, e).empty()) return end;
    const auto next = machine_.next(end.state, e);
    if (!next) return end;
    end.state = *next;
    end.by = at;
    if (machine_.ends_round(e)) end.enders.push_back(at);
    return end;
  }

  bool wins(const End& a, const End& b) const {
    const auto& at = [this](int i) -> const StateEvent& {
      return events_[static_cast<std::size_t>(i)];
    };
    if (machine_.is_final(at(a.by)) != machine_.is_final(at(b.by))) {
      return machine_.is_final(at(a.by));
    }
    auto chain_a = a.enders;
    auto chain_b = b.enders;
    if (chain_a.empty() || chain_a.back() != a.by) chain_a.push_back(a.by);
    if (chain_b.empty() || chain_b.back() != b.by) chain_b.push_back(b.by);
    for (std::size_t i = 0; i < std::min(chain_a.size(), chain_b.size()); ++i) {
      if (chain_a[i] == chain_b[i]) continue;
      const int order = machine_.compare(at(chain_a[i]), at(chain_b[i]));
      if (order != 0) return order > 0;
      break;
    }
    if (a.enders.size() != b.enders.size()) return a.enders.size() > b.enders.size();
    const int order = machine_.compare(at(a.by), at(b.by));
    return order != 0 ? order > 0 : a.by > b.by;
  }

  End of(const std::set<int>& set) const {
    std::vector<End> ends;
    for (const int i : set) {
      const bool followed =
          std::any_of(set.begin(), set.end(), [&](int j) { return past(j).count(i) != 0; });
      if (!followed) ends.push_back(after(i));
    }
    End best;
    best.state = machine_.initial();
    for (const End& end : ends) {
      if (end.by >= 0 && (best.by < 0 || (end.by != best.by && wins(end, best)))) best = end;
    }
    for (const End& end : ends) {
      if (best.by < 0 || end.by < 0 || end.by == best.by || past(best.by).count(end.by) != 0) {
        continue;
      }
      const auto state = machine_.after_win(events_[static_cast<std::size_t>(best.by)],
                                            events_[static_cast<std::size_t>(end.by)]);
      if (state) best.state = *state;
    }
    return best;
  }

  const StateMachine& machine_;
  const std::vector<StateEvent>& events_;
};

/// Calls `check` with every list of `count` events of these kinds in every causal shape.
void for_every_dag(const std::vector<int>& kinds,
                   std::size_t count,
                   const std::function<void(const std::vector<StateEvent>&)>& check) {
  std::vector<StateEvent> events;
  std::function<void()> extend = [&] {
    if (events.size() == count) return check(events);
    for (const int kind : kinds) {
      for (std::size_t mask = 0; mask < (std::size_t{1} << events.size()); ++mask) {
        StateEvent next = event(kind);
        for (std::size_t i = 0; i < events.size(); ++i) {
          if ((mask >> i & 1) != 0) next.after.push_back(i);
        }
        next.dot.seq = events.size() + 1;
        next.effective_ms = static_cast<std::int64_t>(events.size());
        events.push_back(next);
        extend();
        events.pop_back();
      }
    }
  };
  extend();
}

/// The same events in another order of the list.
std::vector<StateEvent> reversed(const std::vector<StateEvent>& events) {
  std::vector<StateEvent> out(events.rbegin(), events.rend());
  for (StateEvent& e : out) {
    for (std::size_t& parent : e.after) parent = events.size() - 1 - parent;
  }
  return out;
}

void check_against_model(const StateMachine& machine,
                         const std::vector<int>& kinds,
                         std::size_t count) {
  std::size_t wrong = 0;
  for_every_dag(kinds, count, [&](const std::vector<StateEvent>& events) {
    const FoldedState folded = fold(machine, events);
    const auto end = NaiveModel(machine, events).of_all();
    const FoldedState other = fold(machine, reversed(events));
    const bool same = folded.state == end.state && folded.round == end.enders.size() + 1 &&
                      other.state == folded.state && other.round == folded.round;
    if (!same) ++wrong;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (folded.verdicts[i].effective != folded.verdicts[i].reason.empty()) ++wrong;
    }
  });
  EXPECT_EQ(wrong, 0u);
}

TEST(VisitStatus, FoldsEverySmallHistoryAsTheModelDoes) {
  check_against_model(visit_status_machine(),
                      {VISIT_STATUS_SUBMITTED, VISIT_STATUS_RETURNED, VISIT_STATUS_ACCEPTED,
                       VISIT_STATUS_ARCHIVED, VISIT_STATUS_DISCARDED, VISIT_STATUS_AMENDED},
                      4);
}

TEST(ProblemState, FoldsEverySmallHistoryAsTheModelDoes) {
  check_against_model(
      problem_state_machine(),
      {PROBLEM_EVENT_KIND_NOTICE_ISSUED, PROBLEM_EVENT_KIND_ANSWERED, PROBLEM_EVENT_KIND_CLOSED,
       PROBLEM_EVENT_KIND_RETURNED, PROBLEM_EVENT_KIND_REOPENED, PROBLEM_EVENT_KIND_WITHDRAWN,
       PROBLEM_EVENT_KIND_ESCALATED},
      4);
}

TEST(TaskState, FoldsEverySmallHistoryAsTheModelDoes) {
  check_against_model(task_state_machine(),
                      {TASK_STATE_DELIVERED, TASK_STATE_DECLINED, TASK_STATE_DONE,
                       TASK_STATE_CONFIRMED, TASK_STATE_CANCELLED},
                      4);
}

TEST(EvaluationState, FoldsEverySmallHistoryAsTheModelDoes) {
  check_against_model(evaluation_state_machine(),
                      {EVALUATION_STATE_SELF_SUBMITTED, EVALUATION_STATE_DISTRICT_RATING,
                       EVALUATION_STATE_DISTRICT_RATED, EVALUATION_STATE_PUBLISHED},
                      4);
}

TEST(NoticeState, FoldsEverySmallHistoryAsTheModelDoes) {
  check_against_model(
      notice_state_machine(),
      {NOTICE_STATE_ISSUED, NOTICE_STATE_CLOSED, NOTICE_STATE_OPEN, NOTICE_STATE_WITHDRAWN}, 4);
}

TEST(VisitStatus, LetsAcceptanceOverruleAConcurrentReturn) {
  const std::vector<StateEvent> events = {event(VISIT_STATUS_SUBMITTED),
                                          event(VISIT_STATUS_ACCEPTED, {0}),
                                          event(VISIT_STATUS_RETURNED, {0})};
  const auto folded = fold(visit_status_machine(), numbered(events));
  EXPECT_EQ(folded.state, VISIT_STATUS_ACCEPTED);
  EXPECT_EQ(folded.round, 1u);
  EXPECT_EQ(folded.verdicts[2].reason, "overruled");
}

TEST(VisitStatus, FollowsAReturnThatWasSeen) {
  const std::vector<StateEvent> events = {event(VISIT_STATUS_SUBMITTED),
                                          event(VISIT_STATUS_RETURNED, {0}),
                                          event(VISIT_STATUS_SUBMITTED, {1})};
  const auto folded = fold(visit_status_machine(), numbered(events));
  EXPECT_EQ(folded.state, VISIT_STATUS_SUBMITTED);
  EXPECT_EQ(folded.round, 2u);
}

TEST(VisitStatus, KeepsAnIllegalEventAsIneffective) {
  const auto folded = fold(visit_status_machine(), numbered({event(VISIT_STATUS_ACCEPTED)}));
  EXPECT_EQ(folded.state, VISIT_STATUS_DRAFT);
  EXPECT_FALSE(folded.verdicts[0].effective);
  EXPECT_EQ(folded.verdicts[0].reason, "not_from_this_state");
}

TEST(ProblemState, LetsAWithdrawalOverruleAConcurrentAnswer) {
  EXPECT_EQ(state_of(problem_state_machine(), {event(PROBLEM_EVENT_KIND_NOTICE_ISSUED),
                                               event(PROBLEM_EVENT_KIND_WITHDRAWN, {0}),
                                               event(PROBLEM_EVENT_KIND_ACKNOWLEDGED, {0}),
                                               event(PROBLEM_EVENT_KIND_ANSWERED, {2})}),
            PROBLEM_STATE_WITHDRAWN);
}

TEST(ProblemState, ClosesDespiteAConcurrentEscalation) {
  const auto folded = fold(
      problem_state_machine(),
      numbered({event(PROBLEM_EVENT_KIND_NOTICE_ISSUED), event(PROBLEM_EVENT_KIND_ANSWERED, {0}),
                event(PROBLEM_EVENT_KIND_ESCALATED, {1}), event(PROBLEM_EVENT_KIND_CLOSED, {1})}));
  EXPECT_EQ(folded.state, PROBLEM_STATE_CLOSED);
  EXPECT_TRUE(folded.verdicts[2].effective);
}

TEST(ProblemState, ReopensWhenAHigherRecheckFailsAtTheSameTime) {
  std::vector<StateEvent> events = {
      event(PROBLEM_EVENT_KIND_NOTICE_ISSUED), event(PROBLEM_EVENT_KIND_ANSWERED, {0}),
      event(PROBLEM_EVENT_KIND_CLOSED, {1}), event(PROBLEM_EVENT_KIND_RETURNED, {1})};
  events[2].level = WRITER_DISTRICT;
  events[3].level = WRITER_CITY;
  EXPECT_EQ(state_of(problem_state_machine(), events), PROBLEM_STATE_REOPENED);
  events[3].level = WRITER_DISTRICT;
  EXPECT_EQ(state_of(problem_state_machine(), events), PROBLEM_STATE_REOPENED);
  events[2].level = WRITER_CITY;
  EXPECT_EQ(state_of(problem_state_machine(), events), PROBLEM_STATE_CLOSED);
}

TEST(ProblemState, NeverClosesByASchoolNorWithdrawsByASupervisor) {
  auto closing = event(PROBLEM_EVENT_KIND_CLOSED, {0});
  closing.rank = WRITER_SCHOOL;
  auto withdrawing = event(PROBLEM_EVENT_KIND_WITHDRAWN, {0});
  withdrawing.rank = WRITER_SUPERVISOR;
  const auto folded =
      fold(problem_state_machine(),
           numbered({event(PROBLEM_EVENT_KIND_NOTICE_ISSUED), closing, withdrawing}));
  EXPECT_EQ(folded.state, PROBLEM_STATE_NOTICE_ISSUED);
  EXPECT_EQ(folded.verdicts[1].reason, "not_permitted");
  EXPECT_EQ(folded.verdicts[2].reason, "not_permitted");
}

TEST(TaskState, LetsAVisitBeatACancellationThatHadNotArrived) {
  EXPECT_EQ(
      state_of(task_state_machine(), {event(TASK_STATE_DELIVERED), event(TASK_STATE_CANCELLED, {0}),
                                      event(TASK_STATE_DONE, {0})}),
      TASK_STATE_DONE);
}

TEST(Fold, SurvivesEventsThatFollowOneAnotherInACircle) {
  const auto folded =
      fold(visit_status_machine(),
           numbered({event(VISIT_STATUS_SUBMITTED, {1}), event(VISIT_STATUS_ACCEPTED, {0})}));
  EXPECT_EQ(folded.verdicts.size(), 2u);
}

}  // namespace
}  // namespace duhui
