#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "duhui/record/v1/notice.pb.h"
#include "duhui/record/v1/org.pb.h"
#include "duhui/record/v1/template.pb.h"

namespace duhui {

/// What the domain asks of other records.
struct NoticeFacts {
  std::string id;
  std::string state;  // identifier
  std::string due_at;
};
struct ResponseFacts {
  std::string id;
  std::string state;
  std::string sent_at;
};
struct RecheckFacts {
  std::string id;
  std::string at;
  std::string received_at;  // arrival at the hub; empty: not known
};
struct VisitFacts {
  std::string id;
  std::string visit_kind;
  std::string period;
  std::string status;
  std::vector<std::string> supervisor_ids;
  bool merged = false;
};

/// Look-ups of other records, given by the caller; nothing here reads or waits by itself. Any of
/// them may be empty or find nothing (a device holds only its scope): then the question stays open
/// and raises no flag. Times are ISO 8601 with +08:00, which sort as text.
struct DomainContext {
  std::string now;  // empty: nothing is overdue
  std::function<std::optional<record::v1::Template>(const std::string& id, std::uint32_t version)>
      template_of;
  std::function<std::vector<record::v1::Assignment>(const std::string& school_id)> assignments_of;
  std::function<std::optional<NoticeFacts>(const std::string& notice_id)> notice;
  std::function<std::optional<NoticeFacts>(const std::string& problem_id)> notice_of_problem;
  std::function<std::vector<ResponseFacts>(const std::string& notice_id)> responses_of;
  std::function<std::vector<RecheckFacts>(const std::string& problem_id)> rechecks_of;
  /// Visits of the school on that day, the asking one included.
  std::function<std::vector<VisitFacts>(const std::string& school_id, const std::string& date)>
      visits_on;
  /// A number from the policy settings in force at a school.
  std::function<std::optional<double>(const std::string& key, const std::string& school_id)>
      setting;
};

}  // namespace duhui
