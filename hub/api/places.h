#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "shared/api/record_source.h"
#include "shared/api/scopes.h"
#include "shared/base/result.h"
#include "shared/domain/authority.h"

namespace duhui::hub {

/// Works out where people sign in: which devices hold what their password opens, and no others.
/// Remembers the schools; lives for one request.
class Places {
 public:
  explicit Places(api::RecordSource& source) : source_(source), scopes_(source) {}

  /// School staff: their school. Supervisors: the schools of the zones in which they are posted.
  /// Everybody else: the hub, which no device reads.
  Result<std::set<std::string>> of(const Subject& person);
  /// The scope of a school. `not_found`: no such school.
  Result<std::string> of_school(const std::string& school_id);
  /// `invalid_input`: no organisation and no school stands there; `refused`: nothing of what the
  /// person does reaches there.
  Status check(const std::string& place, const record::v1::User& person);

 private:
  struct School {
    std::string zone;
    std::string scope;
  };
  Status learn_schools();
  Result<bool> exists(const std::string& place);

  api::RecordSource& source_;
  api::ScopeFinder scopes_;
  std::optional<std::map<std::string, School>> schools_;  // by id
};

}  // namespace duhui::hub
