#include <algorithm>

#include <google/protobuf/message.h>

#include "duhui/record/v1/escalation.pb.h"
#include "duhui/record/v1/evaluation.pb.h"
#include "duhui/record/v1/notice.pb.h"
#include "duhui/record/v1/plan.pb.h"
#include "duhui/record/v1/problem.pb.h"
#include "shared/domain/present_internal.h"
#include "shared/domain/problem_state.h"

namespace duhui {
namespace {

using Json = nlohmann::json;
using record::v1::Problem;
using record::v1::ProblemEvent;

std::string day_of(const std::string& time) { return time.substr(0, 10); }

/// The stored entry behind an event of the timeline.
ProblemEvent entry_of(const RecordState& state, const StateEvent& event) {
  const Register* reg = state.find({Problem::kEventsFieldNumber, {}});
  if (reg == nullptr) return {};
  for (const auto* writes : {&reg->live, &reg->history}) {
    for (const RegisterWrite& write : *writes) {
      Problem part;
      if (write.dot != event.dot || !write.value || !part.ParseFromString(*write.value)) continue;
      if (static_cast<int>(event.index) < part.events_size()) {
        return part.events(static_cast<int>(event.index));
      }
    }
  }
  return {};
}

std::string arrival_of(const DomainContext& context,
                       const std::string& problem_id,
                       const std::string& recheck_id) {
  if (!context.rechecks_of || recheck_id.empty()) return {};
  for (const RecheckFacts& recheck : context.rechecks_of(problem_id)) {
    if (recheck.id == recheck_id) return recheck.received_at;
  }
  return {};
}

/// Whether the problem was escalated as overdue by people who did not know of the closing.
bool escalated_before_arrival(const PresentInput& input, const std::string& due_at) {
  return std::any_of(input.events.begin(), input.events.end(), [&](const StateEvent& event) {
    return event.to == record::v1::PROBLEM_EVENT_KIND_ESCALATED &&
           day_of(event.at) > day_of(due_at);
  });
}

void add_closing(const PresentInput& input, const StateEvent& closing, Presented* out) {
  const ProblemEvent entry = entry_of(input.state, closing);
  out->record["closed_at"] = closing.at;
  std::string day = entry.effective_on().empty() ? day_of(closing.at) : entry.effective_on();
  const auto notice =
      input.context.notice_of_problem ? input.context.notice_of_problem(out->id) : std::nullopt;
  const std::string arrival = arrival_of(input.context, out->id, entry.cause_id());
  const bool late = notice && (day_of(arrival) > day_of(notice->due_at) ||
                               escalated_before_arrival(input, notice->due_at));
  if (late && day <= day_of(notice->due_at)) {
    const auto& problem = dynamic_cast<const Problem&>(*out->message);
    const bool officer = std::any_of(
        problem.confirmations().begin(), problem.confirmations().end(), [](const auto& c) {
          return c.kind() == record::v1::CONFIRMATION_KIND_ON_TIME && !c.refused();
        });
    const bool proven = officer || !entry.evidence_at().empty();
    out->flags.push_back(proven ? "on_time_confirmed" : "on_time_unconfirmed");
    // Unproven: statistics count from the arrival until an officer confirms the day.
    if (!proven && !arrival.empty()) day = day_of(arrival);
  }
  out->record["closed_effective_on"] = day;
}

bool answered_by(const DomainContext& context,
                 const std::string& notice_id,
                 const std::string& due_at) {
  if (!context.responses_of || due_at.empty()) return false;
  const auto responses = context.responses_of(notice_id);
  return std::any_of(responses.begin(), responses.end(), [&](const ResponseFacts& response) {
    return response.state == "sent" && !response.sent_at.empty() && response.sent_at <= due_at;
  });
}

const StateEvent* last_of(const PresentInput& input, int to) {
  const StateEvent* found = nullptr;
  for (const std::size_t at : input.folded.way) {
    if (input.events[at].to == to) found = &input.events[at];
  }
  return found;
}

double number_of(const record::v1::Scalar& value) {
  return value.has_integer() ? static_cast<double>(value.integer()) : value.number();
}

}  // namespace

void add_problem_facts(const PresentInput& input, Presented* out) {
  using namespace record::v1;  // NOLINT(google-build-using-namespace)
  std::uint32_t verdicts = 0;
  bool told = false;
  for (const std::size_t at : input.folded.way) {
    const int to = input.events[at].to;
    told = told || to == PROBLEM_EVENT_KIND_TOLD_ON_SPOT;
    if (to == PROBLEM_EVENT_KIND_RETURNED || (to == PROBLEM_EVENT_KIND_CLOSED && !told)) ++verdicts;
  }
  out->record["round"] = verdicts;
  out->record["reopened"] = last_of(input, PROBLEM_EVENT_KIND_REOPENED) != nullptr ||
                            input.folded.state == PROBLEM_STATE_REOPENED;
  const StateEvent* closing = last_of(input, PROBLEM_EVENT_KIND_CLOSED);
  if (input.folded.state == PROBLEM_STATE_CLOSED && closing != nullptr) {
    add_closing(input, *closing, out);
  }
  if (const StateEvent* waived = last_of(input, PROBLEM_EVENT_KIND_WAIVED)) {
    const std::string reason = entry_of(input.state, *waived).waived_reason();
    out->record["waived_reason"] = reason.empty() ? waived->note : reason;
  }
  if (input.folded.decided_by) {
    const auto& decisive = input.events[*input.folded.decided_by];
    if (decisive.level != 0) out->effective_recheck = entry_of(input.state, decisive).cause_id();
  }
  if (is_open_problem(input.folded.state) && !input.context.now.empty() &&
      input.context.notice_of_problem) {
    const auto notice = input.context.notice_of_problem(out->id);
    if (notice && !notice->due_at.empty() && notice->state != "withdrawn" &&
        notice->due_at < input.context.now) {
      out->flags.push_back("overdue");
    }
  }
}

void add_notice_facts(const PresentInput& input, Presented* out) {
  const StateEvent* withdrawn = last_of(input, record::v1::NOTICE_STATE_WITHDRAWN);
  if (withdrawn != nullptr) {
    out->record["withdrawn"] = {
        {"at", withdrawn->at}, {"by", withdrawn->person}, {"reason", withdrawn->note}};
  }
  if (!out->record.contains("issued_at")) {
    if (const auto* issued = last_of(input, record::v1::NOTICE_STATE_ISSUED)) {
      out->record["issued_at"] = issued->at;
    }
  }
  const std::string due_at = out->record.value("due_at", "");
  if (!due_at.empty() && !out->record.contains("due_at_original")) {
    const Json extensions = out->record.value("extensions", Json::array());
    out->record["due_at_original"] =
        extensions.empty() ? due_at : extensions[0].value("from", due_at);
  }
  const bool on_time = answered_by(input.context, out->id, due_at);
  if (on_time) out->flags.push_back("answered_on_time");
  if (out->state == "open" && !on_time && !due_at.empty() && !input.context.now.empty() &&
      due_at < input.context.now) {
    out->flags.push_back("overdue");
  }
}

void add_response_facts(const PresentInput& input, Presented* out) {
  if (const auto* sent = last_of(input, record::v1::RESPONSE_STATE_SENT)) {
    out->record["at"] = sent->at;
  }
  if (!input.context.notice) return;
  const auto notice = input.context.notice(out->record.value("notice_id", ""));
  if (notice && notice->state == "withdrawn") out->flags.push_back("no_action_needed");
}

void add_escalation_facts(const PresentInput& input, Presented* out) {
  if (const auto* cancelled = last_of(input, record::v1::ESCALATION_STATE_CANCELLED)) {
    out->record["cancelled_at"] = cancelled->at;
    if (!cancelled->note.empty() && !out->record.contains("result")) {
      out->record["result"] = cancelled->note;
    }
  }
}

void add_task_facts(const PresentInput& input, Presented* out) {
  const StateEvent* cancelled = last_of(input, record::v1::TASK_STATE_CANCELLED);
  if (cancelled != nullptr && !cancelled->note.empty()) {
    out->record["cancelled_reason"] = cancelled->note;
  }
}

void add_evaluation_facts(const PresentInput& input, Presented* out) {
  const auto& evaluation = dynamic_cast<const record::v1::Evaluation&>(*out->message);
  if (evaluation.rater_totals().size() < 2) return;
  double low = 0;
  double high = 0;
  bool first = true;
  for (const auto& [rater, total] : evaluation.rater_totals()) {
    low = first ? number_of(total) : std::min(low, number_of(total));
    high = first ? number_of(total) : std::max(high, number_of(total));
    first = false;
  }
  const double limit =
      (input.context.setting
           ? input.context.setting("evaluation.rater_spread_threshold", evaluation.school_id())
           : std::nullopt)
          .value_or(5);
  if (high - low > limit && !evaluation.has_total()) out->flags.push_back("consensus_needed");
}

}  // namespace duhui
