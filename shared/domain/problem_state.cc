#include "shared/domain/problem_state.h"

#include <algorithm>
#include <array>

#include "duhui/record/v1/problem.pb.h"
#include "shared/domain/step_table.h"

namespace duhui {
namespace {

using namespace record::v1;  // NOLINT(google-build-using-namespace): enumerators of one table

const Writers kSchool{WRITER_SCHOOL, WRITER_DISTRICT, WRITER_CITY, WRITER_HUB};
const Writers kSupervision{WRITER_SUPERVISOR, WRITER_DISTRICT, WRITER_CITY, WRITER_PROVINCE,
                           WRITER_HUB};
const Writers kOffice{WRITER_DISTRICT, WRITER_CITY, WRITER_PROVINCE, WRITER_HUB};
const Writers kOfficeAndSection{WRITER_SECTION, WRITER_DISTRICT, WRITER_CITY, WRITER_HUB};

constexpr std::array kNoticed = {PROBLEM_STATE_NOTICE_ISSUED,   PROBLEM_STATE_ACKNOWLEDGED,
                                 PROBLEM_STATE_RECTIFYING,      PROBLEM_STATE_ANSWERED,
                                 PROBLEM_STATE_RECHECK_PENDING, PROBLEM_STATE_RETURNED,
                                 PROBLEM_STATE_REOPENED,        PROBLEM_STATE_OBJECTED};

std::vector<StepTable::Step> steps() {
  std::vector<StepTable::Step> out = {
      {PROBLEM_STATE_FOUND, PROBLEM_EVENT_KIND_FOUND, kSupervision},
      {PROBLEM_STATE_FOUND, PROBLEM_EVENT_KIND_TOLD_ON_SPOT, kSupervision},
      {PROBLEM_STATE_TOLD_ON_SPOT, PROBLEM_EVENT_KIND_CLOSED, kSupervision},
      {PROBLEM_STATE_TOLD_ON_SPOT, PROBLEM_EVENT_KIND_NOTICE_ISSUED, kSupervision},
      {PROBLEM_STATE_FOUND, PROBLEM_EVENT_KIND_NOTICE_ISSUED, kSupervision},
      {PROBLEM_STATE_FOUND, PROBLEM_EVENT_KIND_CONSULTING, kOffice},
      {PROBLEM_STATE_CONSULTING, PROBLEM_EVENT_KIND_FOUND, kOfficeAndSection},
      {PROBLEM_STATE_CONSULTING, PROBLEM_EVENT_KIND_NOTICE_ISSUED, kSupervision},
      {PROBLEM_STATE_NOTICE_ISSUED, PROBLEM_EVENT_KIND_ACKNOWLEDGED, kSchool},
      {PROBLEM_STATE_NOTICE_ISSUED, PROBLEM_EVENT_KIND_RECTIFYING, kSchool},
      {PROBLEM_STATE_ACKNOWLEDGED, PROBLEM_EVENT_KIND_RECTIFYING, kSchool},
      {PROBLEM_STATE_RETURNED, PROBLEM_EVENT_KIND_RECTIFYING, kSchool},
      {PROBLEM_STATE_REOPENED, PROBLEM_EVENT_KIND_RECTIFYING, kSchool},
      {PROBLEM_STATE_OBJECTED, PROBLEM_EVENT_KIND_RECTIFYING, kSchool},
      {PROBLEM_STATE_NOTICE_ISSUED, PROBLEM_EVENT_KIND_ANSWERED, kSchool},
      {PROBLEM_STATE_ACKNOWLEDGED, PROBLEM_EVENT_KIND_ANSWERED, kSchool},
      {PROBLEM_STATE_RECTIFYING, PROBLEM_EVENT_KIND_ANSWERED, kSchool},
      {PROBLEM_STATE_RETURNED, PROBLEM_EVENT_KIND_ANSWERED, kSchool},
      {PROBLEM_STATE_REOPENED, PROBLEM_EVENT_KIND_ANSWERED, kSchool},
      {PROBLEM_STATE_OBJECTED, PROBLEM_EVENT_KIND_ANSWERED, kSchool},
      {PROBLEM_STATE_NOTICE_ISSUED, PROBLEM_EVENT_KIND_OBJECTED, kSchool},
      {PROBLEM_STATE_ACKNOWLEDGED, PROBLEM_EVENT_KIND_OBJECTED, kSchool},
      {PROBLEM_STATE_OBJECTED, PROBLEM_EVENT_KIND_UPHELD, kOffice},
      {PROBLEM_STATE_OBJECTED, PROBLEM_EVENT_KIND_REVISED, kOffice},
      {PROBLEM_STATE_ANSWERED, PROBLEM_EVENT_KIND_RECHECK_PENDING, kSupervision},
      {PROBLEM_STATE_CLOSED, PROBLEM_EVENT_KIND_REOPENED, kSupervision},
  };
  for (const ProblemState from : kNoticed) {
    out.push_back({from, PROBLEM_EVENT_KIND_CLOSED, kSupervision});
    if (from != PROBLEM_STATE_RETURNED && from != PROBLEM_STATE_REOPENED) {
      out.push_back({from, PROBLEM_EVENT_KIND_RETURNED, kSupervision});
    }
  }
  for (int from = PROBLEM_STATE_FOUND; from <= PROBLEM_STATE_CONSULTING; ++from) {
    if (from != PROBLEM_STATE_CLOSED) {
      out.push_back({from, PROBLEM_EVENT_KIND_WITHDRAWN, kOffice});
      out.push_back({from, PROBLEM_EVENT_KIND_WAIVED, kOffice});
    }
  }
  return out;
}

bool is_beside(int kind) {
  return kind == PROBLEM_EVENT_KIND_ESCALATED || kind == PROBLEM_EVENT_KIND_TALKED ||
         kind == PROBLEM_EVENT_KIND_CIRCULATED || kind == PROBLEM_EVENT_KIND_ACCOUNTABILITY;
}

bool is_failed(const StateEvent& event) {
  return event.to == PROBLEM_EVENT_KIND_RETURNED || event.to == PROBLEM_EVENT_KIND_REOPENED;
}

bool is_recheck_verdict(const StateEvent& event) {
  return event.level != 0 && (event.to == PROBLEM_EVENT_KIND_CLOSED || is_failed(event));
}

class ProblemStateMachine : public StepTable {
 public:
  ProblemStateMachine()
      : StepTable(
            PROBLEM_STATE_FOUND,
            steps(),
            {PROBLEM_EVENT_KIND_FOUND, PROBLEM_EVENT_KIND_TOLD_ON_SPOT,
             PROBLEM_EVENT_KIND_CONSULTING, PROBLEM_EVENT_KIND_NOTICE_ISSUED,
             PROBLEM_EVENT_KIND_ACKNOWLEDGED, PROBLEM_EVENT_KIND_OBJECTED,
             PROBLEM_EVENT_KIND_UPHELD, PROBLEM_EVENT_KIND_REVISED, PROBLEM_EVENT_KIND_RECTIFYING,
             PROBLEM_EVENT_KIND_ANSWERED, PROBLEM_EVENT_KIND_RECHECK_PENDING,
             PROBLEM_EVENT_KIND_RETURNED, PROBLEM_EVENT_KIND_CLOSED, PROBLEM_EVENT_KIND_REOPENED,
             PROBLEM_EVENT_KIND_WAIVED, PROBLEM_EVENT_KIND_WITHDRAWN}) {}

  std::string refusal(int state, const StateEvent& event) const override {
    if (!is_beside(event.to)) return StepTable::refusal(state, event);
    return kOfficeAndSection.allow(event.rank) ? "" : "not_permitted";
  }
  std::optional<int> next(int, const StateEvent& event) const override {
    if (is_beside(event.to)) return std::nullopt;
    // The objection is settled and the notice stands: the school knows it.
    if (event.to >= PROBLEM_EVENT_KIND_UPHELD) return PROBLEM_STATE_ACKNOWLEDGED;
    return event.to;
  }
  int compare(const StateEvent& a, const StateEvent& b) const override {
    if (is_recheck_verdict(a) && is_recheck_verdict(b)) {
      if (a.level != b.level) return a.level > b.level ? 1 : -1;
      if (is_failed(a) != is_failed(b)) return is_failed(a) ? 1 : -1;
    }
    return StepTable::compare(a, b);
  }
  std::optional<int> after_win(const StateEvent& winner, const StateEvent& loser) const override {
    const bool reopens =
        winner.to == PROBLEM_EVENT_KIND_RETURNED && loser.to == PROBLEM_EVENT_KIND_CLOSED;
    return reopens ? std::optional<int>(PROBLEM_STATE_REOPENED) : std::nullopt;
  }
  bool is_final(const StateEvent& event) const override {
    return event.to == PROBLEM_EVENT_KIND_WITHDRAWN || event.to == PROBLEM_EVENT_KIND_WAIVED;
  }
  bool ends_round(const StateEvent& event) const override { return is_failed(event); }
};

}  // namespace

const StateMachine& problem_state_machine() {
  static const ProblemStateMachine machine;
  return machine;
}

bool is_open_problem(int state) {
  return state != PROBLEM_STATE_CLOSED && state != PROBLEM_STATE_WITHDRAWN &&
         state != PROBLEM_STATE_WAIVED;
}

}  // namespace duhui
