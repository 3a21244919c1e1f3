#include "shared/merge/record_files.h"

#include "duhui/record/v1/account.pb.h"
#include "duhui/record/v1/complaint.pb.h"
#include "duhui/record/v1/escalation.pb.h"
#include "duhui/record/v1/evaluation.pb.h"
#include "duhui/record/v1/notice.pb.h"
#include "duhui/record/v1/office.pb.h"
#include "duhui/record/v1/org.pb.h"
#include "duhui/record/v1/plan.pb.h"
#include "duhui/record/v1/problem.pb.h"
#include "duhui/record/v1/template.pb.h"
#include "duhui/record/v1/visit.pb.h"

namespace duhui {

std::vector<const google::protobuf::FileDescriptor*> record_files() {
  return {
      record::v1::Credential::descriptor()->file(),
      record::v1::Complaint::descriptor()->file(),
      record::v1::Escalation::descriptor()->file(),
      record::v1::Evaluation::descriptor()->file(),
      record::v1::RectificationNotice::descriptor()->file(),
      record::v1::MonthlyMeeting::descriptor()->file(),
      record::v1::Org::descriptor()->file(),
      record::v1::AnnualPlan::descriptor()->file(),
      record::v1::Problem::descriptor()->file(),
      record::v1::Template::descriptor()->file(),
      record::v1::VisitRecord::descriptor()->file(),
  };
}

}  // namespace duhui
