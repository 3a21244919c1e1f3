#include "shared/domain/task_state.h"

#include <array>

#include "duhui/record/v1/plan.pb.h"
#include "shared/domain/step_table.h"

namespace duhui {
namespace {

using namespace record::v1;  // NOLINT(google-build-using-namespace): enumerators of one table

const Writers kAnyone{WRITER_SUPERVISOR, WRITER_DISTRICT, WRITER_CITY, WRITER_PROVINCE, WRITER_HUB};
const Writers kOffice{WRITER_DISTRICT, WRITER_CITY, WRITER_PROVINCE, WRITER_HUB};

std::vector<StepTable::Step> steps() {
  constexpr std::array kLine = {TASK_STATE_ASSIGNED,    TASK_STATE_DELIVERED, TASK_STATE_ACCEPTED,
                                TASK_STATE_IN_PROGRESS, TASK_STATE_DONE,      TASK_STATE_CONFIRMED};
  std::vector<StepTable::Step> out;
  for (std::size_t from = 0; from < kLine.size(); ++from) {
    for (std::size_t to = from + 1; to < kLine.size(); ++to) {
      out.push_back(
          {kLine[from], kLine[to], kLine[to] == TASK_STATE_CONFIRMED ? kOffice : kAnyone});
    }
    if (kLine[from] == TASK_STATE_DONE) break;
    out.push_back({kLine[from], TASK_STATE_CANCELLED, kOffice});
    out.push_back({kLine[from], TASK_STATE_DECLINED, kAnyone});
  }
  out.push_back({TASK_STATE_DECLINED, TASK_STATE_ASSIGNED, kOffice});
  out.push_back({TASK_STATE_DECLINED, TASK_STATE_CANCELLED, kOffice});
  return out;
}

}  // namespace

const StateMachine& task_state_machine() {
  static const StepTable machine(
      TASK_STATE_ASSIGNED, steps(),
      {TASK_STATE_ASSIGNED, TASK_STATE_DELIVERED, TASK_STATE_DECLINED, TASK_STATE_ACCEPTED,
       TASK_STATE_IN_PROGRESS, TASK_STATE_CANCELLED, TASK_STATE_DONE, TASK_STATE_CONFIRMED});
  return machine;
}

}  // namespace duhui
