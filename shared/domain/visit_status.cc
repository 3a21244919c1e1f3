#include "shared/domain/visit_status.h"

#include "duhui/record/v1/visit.pb.h"
#include "shared/domain/step_table.h"

namespace duhui {
namespace {

using namespace record::v1;  // NOLINT(google-build-using-namespace): enumerators of one table

const Writers kAuthors{WRITER_SUPERVISOR, WRITER_DISTRICT, WRITER_CITY, WRITER_PROVINCE,
                       WRITER_HUB};
const Writers kOffice{WRITER_DISTRICT, WRITER_CITY, WRITER_PROVINCE, WRITER_HUB};

class VisitStatusMachine : public StepTable {
 public:
  VisitStatusMachine()
      : StepTable(VISIT_STATUS_DRAFT,
                  {
                      {VISIT_STATUS_DRAFT, VISIT_STATUS_DRAFT, kAuthors},
                      {VISIT_STATUS_DRAFT, VISIT_STATUS_SUBMITTED, kAuthors},
                      {VISIT_STATUS_DRAFT, VISIT_STATUS_DISCARDED, kAuthors},
                      {VISIT_STATUS_SUBMITTED, VISIT_STATUS_RETURNED, kOffice},
                      {VISIT_STATUS_SUBMITTED, VISIT_STATUS_ACCEPTED, kOffice},
                      {VISIT_STATUS_SUBMITTED, VISIT_STATUS_AMENDED, kAuthors},
                      {VISIT_STATUS_RETURNED, VISIT_STATUS_SUBMITTED, kAuthors},
                      {VISIT_STATUS_ACCEPTED, VISIT_STATUS_ARCHIVED, kOffice},
                      {VISIT_STATUS_ACCEPTED, VISIT_STATUS_AMENDED, kAuthors},
                      {VISIT_STATUS_AMENDED, VISIT_STATUS_AMENDED, kAuthors},
                      {VISIT_STATUS_AMENDED, VISIT_STATUS_ARCHIVED, kOffice},
                      {VISIT_STATUS_ARCHIVED, VISIT_STATUS_AMENDED, kOffice},
                  },
                  {VISIT_STATUS_DISCARDED, VISIT_STATUS_DRAFT, VISIT_STATUS_SUBMITTED,
                   VISIT_STATUS_RETURNED, VISIT_STATUS_ACCEPTED, VISIT_STATUS_ARCHIVED,
                   VISIT_STATUS_AMENDED}) {}

  bool ends_round(const StateEvent& event) const override {
    return event.to == VISIT_STATUS_RETURNED;
  }
};

}  // namespace

const StateMachine& visit_status_machine() {
  static const VisitStatusMachine machine;
  return machine;
}

bool is_frozen_visit(int status) {
  return status == VISIT_STATUS_SUBMITTED || status == VISIT_STATUS_ACCEPTED ||
         status == VISIT_STATUS_ARCHIVED || status == VISIT_STATUS_AMENDED;
}

}  // namespace duhui
