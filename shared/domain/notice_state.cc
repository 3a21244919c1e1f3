#include "shared/domain/notice_state.h"

#include "duhui/record/v1/escalation.pb.h"
#include "duhui/record/v1/notice.pb.h"
#include "shared/domain/step_table.h"

namespace duhui {
namespace {

using namespace record::v1;  // NOLINT(google-build-using-namespace): enumerators of one table

const Writers kSupervision{WRITER_SUPERVISOR, WRITER_DISTRICT, WRITER_CITY, WRITER_PROVINCE,
                           WRITER_HUB};
const Writers kOffice{WRITER_DISTRICT, WRITER_CITY, WRITER_PROVINCE, WRITER_HUB};
const Writers kSchool{WRITER_SCHOOL, WRITER_HUB, WRITER_DISTRICT};

class NoticeStateMachine : public StepTable {
 public:
  NoticeStateMachine()
      : StepTable(NOTICE_STATE_DRAFT,
                  {
                      {NOTICE_STATE_DRAFT, NOTICE_STATE_DRAFT, kSupervision},
                      {NOTICE_STATE_DRAFT, NOTICE_STATE_ISSUED, kSupervision},
                      {NOTICE_STATE_DRAFT, NOTICE_STATE_OPEN, kSupervision},
                      {NOTICE_STATE_DRAFT, NOTICE_STATE_WITHDRAWN, kSupervision},
                      {NOTICE_STATE_OPEN, NOTICE_STATE_CLOSED, kSupervision},
                      {NOTICE_STATE_OPEN, NOTICE_STATE_WITHDRAWN, kOffice},
                      {NOTICE_STATE_CLOSED, NOTICE_STATE_OPEN, kSupervision},
                      {NOTICE_STATE_CLOSED, NOTICE_STATE_WITHDRAWN, kOffice},
                  },
                  {NOTICE_STATE_DRAFT, NOTICE_STATE_ISSUED, NOTICE_STATE_CLOSED, NOTICE_STATE_OPEN,
                   NOTICE_STATE_WITHDRAWN}) {}

  std::optional<int> next(int, const StateEvent& event) const override {
    return event.to == NOTICE_STATE_ISSUED ? static_cast<int>(NOTICE_STATE_OPEN) : event.to;
  }
  bool is_final(const StateEvent& event) const override {
    return event.to == NOTICE_STATE_WITHDRAWN;
  }
};

}  // namespace

const StateMachine& notice_state_machine() {
  static const NoticeStateMachine machine;
  return machine;
}

const StateMachine& response_state_machine() {
  static const StepTable machine(RESPONSE_STATE_DRAFT,
                                 {{RESPONSE_STATE_DRAFT, RESPONSE_STATE_DRAFT, kSchool},
                                  {RESPONSE_STATE_DRAFT, RESPONSE_STATE_SENT, kSchool}},
                                 {RESPONSE_STATE_DRAFT, RESPONSE_STATE_SENT});
  return machine;
}

const StateMachine& escalation_state_machine() {
  static const StepTable machine(
      ESCALATION_STATE_OPEN,
      {{ESCALATION_STATE_OPEN, ESCALATION_STATE_OPEN, kOffice},
       {ESCALATION_STATE_OPEN, ESCALATION_STATE_DONE, kOffice},
       {ESCALATION_STATE_OPEN, ESCALATION_STATE_CANCELLED, kOffice}},
      {ESCALATION_STATE_OPEN, ESCALATION_STATE_CANCELLED, ESCALATION_STATE_DONE});
  return machine;
}

}  // namespace duhui
