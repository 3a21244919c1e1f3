#pragma once

#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "shared/api/record_source.h"
#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/merge/schema.h"

namespace duhui::api {

/// The scope of records no device may read.
inline constexpr std::string_view kHubScope = "hub";

/// Below a district: what its supervisors' own devices get and no school's.
inline constexpr std::string_view kSupervisorsScope = "supervisors";

/// "sch-001" of "city/district/zone/sch-001".
std::string_view last_part(std::string_view scope);

/// What stands above an organisation or a school (see ParentOf). Empty: nothing that is known here.
std::string parent_of(RecordSource& source, const std::string& id);

/// Finds where a new record belongs: its school, what it refers to, or the whole city. Remembers
/// what it found; lives for one request.
class ScopeFinder {
 public:
  explicit ScopeFinder(RecordSource& source) : source_(source), facts_(source.facts()) {}

  /// The scope of a new record of this type and value. `invalid_input` "scope: ...": it cannot be
  /// told, the caller has to name one.
  Result<std::string> scope_for(const RecordSchema& schema, const nlohmann::json& value);
  /// "city/district/zone/school"
  Result<std::string> of_school(const std::string& school_id);
  /// "city/district": where the registries of a school's district live.
  Result<std::string> of_district(const std::string& school_id);
  /// A record of the same request, not saved yet.
  void note(const RecordId& id, const std::string& scope) { noted_[id] = scope; }

 private:
  struct School {
    std::string district;
    std::string zone;
  };
  Result<School> school(const std::string& school_id);
  Result<std::string> of_record(const std::string& id_text);
  /// An unannounced task stays off the school's own machine: it goes to the devices of the one
  /// supervisor it is for, or of all the district's.
  Result<std::string> of_surprise(const std::string& school_id, const nlohmann::json& assignees);

  RecordSource& source_;
  const SourceFacts facts_;
  std::map<RecordId, std::string> noted_;
  std::map<std::string, School> schools_;
};

}  // namespace duhui::api
