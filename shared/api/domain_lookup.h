#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "duhui/record/v1/org.pb.h"
#include "duhui/record/v1/template.pb.h"
#include "shared/api/record_source.h"
#include "shared/base/result.h"
#include "shared/domain/domain_context.h"
#include "shared/domain/present.h"

namespace duhui::api {

/// What the domain asks of other records, answered from a RecordSource. Remembers what it read;
/// lives for one request.
class DomainLookup {
 public:
  explicit DomainLookup(RecordSource& source) : source_(source) {}
  DomainLookup(const DomainLookup&) = delete;
  DomainLookup& operator=(const DomainLookup&) = delete;

  /// Everything: for one record on a screen. Refers to this object.
  DomainContext whole();
  /// Templates only: what a line of a list needs of its surroundings.
  DomainContext narrow();

  /// The record as people see it. `not_found`: a type this build does not know, or not born yet.
  Result<Presented> present_record(const RecordId& id, const RecordState& state);

 private:
  std::optional<record::v1::Template> form(const std::string& id, std::uint32_t version);
  std::vector<record::v1::Assignment> assignments(const std::string& school_id);
  std::optional<NoticeFacts> notice(const std::string& id);
  std::optional<NoticeFacts> notice_of_problem(const std::string& problem_id);
  std::vector<ResponseFacts> responses(const std::string& notice_id);
  std::vector<RecheckFacts> rechecks(const std::string& problem_id);
  std::vector<VisitFacts> visits(const std::string& school_id, const std::string& date);
  std::optional<double> setting(const std::string& key, const std::string& school_id);

  /// The linked record, presented without its own surroundings.
  std::optional<Presented> present_other(const RecordId& id, std::string_view type);
  std::vector<Presented> present_linked(std::string_view name,
                                        const std::string& to,
                                        std::string_view type);

  const std::vector<record::v1::PolicySetting>& settings();

  RecordSource& source_;
  std::optional<std::vector<record::v1::PolicySetting>> settings_;
  std::map<std::pair<std::string, std::uint32_t>, std::optional<record::v1::Template>> forms_;
};

}  // namespace duhui::api
