#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "duhui/record/v1/org.pb.h"
#include "shared/api/record_source.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/domain/authority.h"
#include "shared/sync/credentials.h"

namespace duhui::api {

/// How long what the records say of a person may be taken for granted: a role that was taken away
/// ends within this.
inline constexpr Duration kPersonKnownFor = seconds(3);

/// A person as the records of this replica know them.
struct KnownPerson {
  record::v1::User user{};
  /// Neither disabled nor out of its time.
  bool active = false;
  /// Grants and postings; kind `nobody` while not active. `sign_in` is the caller's to set.
  Subject subject{};
  /// What counts of the person's credentials on this replica; empty: none that anybody could use.
  std::optional<Account> account{};
};

/// Finds out who people are: role, where it holds, schools, password. Remembers each for
/// kPersonKnownFor. As many threads as its source: one at a time.
class Subjects {
 public:
  /// `source` outlives this. `place`: which program asks. `calendar`: the day roles are judged by;
  /// absent: that of the source's clock.
  Subjects(RecordSource& source, Subject::Place place, std::function<WallTime()> calendar = {})
      : source_(source), place_(place), calendar_(std::move(calendar)) {}

  /// The id of the account with this id or login; empty: none, or two that the name could mean.
  Result<std::string> id_of(const std::string& name);
  /// Null: no such account. Valid until the next call.
  Result<const KnownPerson*> find(const std::string& user_id, MonotonicTime now);
  /// What is known of them has just been changed here.
  void forget(const std::string& user_id) { known_.erase(user_id); }

  /// Every credential of the person on this replica, by place.
  Result<std::map<std::string, Account>> accounts_of(const std::string& user_id);
  /// Whether this replica ever received a credential of anybody.
  Result<bool> any_account();

 private:
  struct Known {
    MonotonicTime at{};
    std::optional<KnownPerson> person{};
  };
  Result<std::optional<KnownPerson>> read(const std::string& user_id);
  void add_grants(KnownPerson& known);
  Status add_postings(KnownPerson& known);

  RecordSource& source_;
  const Subject::Place place_;
  const std::function<WallTime()> calendar_;
  std::map<std::string, Known> known_;
  bool any_account_ = false;
};

}  // namespace duhui::api
