// Who the person behind an op is, and whether they might.

#include <algorithm>
#include <set>

#include "duhui/record/v1/account.pb.h"
#include "duhui/record/v1/org.pb.h"
#include "hub/core/domain_rules.h"
#include "shared/base/scope.h"
#include "shared/crypto/registry_id.h"
#include "shared/merge/view.h"

namespace duhui::hub {
namespace {

constexpr std::size_t kDayLength = 10;  // "2025-10-09"
/// How long a supervisor's laptop still brings in, and gets, what belongs to a school it has left.
constexpr Duration kHandOver = hours(30 * 24);

/// A registry record as it is shown; false: not known here.
template <typename Message>
Result<bool> read_registry(RecordLookup& lookup,
                           std::string_view type,
                           const std::string& id,
                           Message* out) {
  const RecordSchema& schema = *Schema::instance().find(type);
  DUHUI_TRY(state, lookup.state(registry_record_id(type, id)));
  return state != nullptr && state->stage() == RecordState::Stage::born &&
         out->ParseFromString(shown_message(schema, *state, {}).bytes);
}

std::string parent_of(RecordLookup& lookup, const std::string& id) {
  record::v1::Org org;
  if (const auto known = read_registry(lookup, "org", id, &org); known && *known) {
    return org.parent_id();
  }
  record::v1::School school;
  if (const auto known = read_registry(lookup, "school", id, &school); known && *known) {
    return school.zone_id().empty() ? school.district_id() : school.zone_id();
  }
  return {};
}

}  // namespace

Result<Standing> DomainRules::standing_of(RecordLookup& lookup, const std::string& person) {
  Standing standing;
  record::v1::User user;
  DUHUI_TRY(known, read_registry(lookup, "user", person, &user));
  if (!known) return standing;
  DUHUI_TRY(root, lookup.setting(kRootScopeKey));
  standing.grants = grants_of(user, root.value_or(""),
                              [&lookup](const std::string& id) { return parent_of(lookup, id); });
  DUHUI_TRY(ids, lookup.linked_to("user_id", person));
  const RecordSchema& schema = *Schema::instance().find("credential");
  for (const RecordId& id : ids) {
    DUHUI_TRY(state, lookup.state(id));
    record::v1::Credential account;
    if (state == nullptr || state->type() != schema.rule.type() ||
        !account.ParseFromString(shown_message(schema, *state, {}).bytes) ||
        account.user_id() != person) {
      continue;
    }
    standing.has_account = true;
    if (!account.disabled()) standing.places.push_back(account.place());
  }
  return standing;
}

namespace {

/// Whether the person can sign in at such a device at all. Who has no account yet is believed.
bool may_be_there(const Standing& standing, const std::vector<std::string>& device_scopes) {
  return !standing.has_account ||
         std::ranges::any_of(standing.places, [&](const std::string& place) {
           return std::ranges::any_of(device_scopes, [&](const std::string& scope) {
             return scope_writable(scope, place);
           });
         });
}

}  // namespace

Judgement DomainRules::judge(const Standing& standing,
                             const std::vector<std::string>& device_scopes,
                             WallTime at,
                             std::string_view scope,
                             const sync::v1::Op& op) {
  const std::string day = china_time(at).substr(0, kDayLength);
  const Plan* plan = plan_of(op.record_type());
  const OpRuling ruling =
      authorize_op(standing.grants, day, scope, plan == nullptr ? nullptr : plan->schema, op);
  return {.rank = static_cast<std::uint32_t>(ruling.writer),
          .proposal = !ruling.allowed || !may_be_there(standing, device_scopes)};
}

Result<std::vector<std::string>> DomainRules::follow_postings(RecordLookup& lookup,
                                                              std::vector<std::string> scopes,
                                                              WallTime now) {
  if (!is_laptop(scopes)) return scopes;
  std::string supervisor;
  record::v1::Supervisor known;
  for (const std::string& scope : scopes) {
    const std::string id = scope.substr(scope.rfind('/') + 1);
    DUHUI_TRY(found, read_registry(lookup, "supervisor", id, &known));
    if (found) supervisor = id;
  }
  DUHUI_TRY(root, lookup.setting(kRootScopeKey));
  DUHUI_TRY(postings, lookup.linked_to("supervisor_id", supervisor));
  const std::string today = china_time(now).substr(0, kDayLength);
  const std::string lately = china_time(now - kHandOver).substr(0, kDayLength);
  const RecordSchema& schema = *Schema::instance().find("assignment");
  std::set<std::string> wanted;
  for (const RecordId& id : postings) {
    DUHUI_TRY(state, lookup.state(id));
    record::v1::Assignment posting;
    if (state == nullptr || state->type() != schema.rule.type() ||
        !posting.ParseFromString(shown_message(schema, *state, {}).bytes) ||
        posting.supervisor_id() != supervisor) {
      continue;
    }
    const bool begun = posting.valid_from().empty() || posting.valid_from() <= today;
    if (!begun || (!posting.valid_to().empty() && posting.valid_to() < lately)) continue;
    const std::string school =
        place_in_tree(posting.school_id(), root.value_or(""),
                      [&lookup](const std::string& one) { return parent_of(lookup, one); });
    const std::size_t district = school.find('/', school.find('/') + 1);
    if (school.empty() || district == std::string::npos) continue;
    wanted.insert(school);
    wanted.insert(school.substr(0, district) + "/" + supervisor);
    wanted.insert(school.substr(0, district) + "/supervisors");
  }
  // Nobody without a posting gets a laptop: then it is the registry that is not whole.
  if (wanted.empty() || wanted == std::set<std::string>(scopes.begin(), scopes.end())) {
    return scopes;
  }
  return std::vector<std::string>(wanted.begin(), wanted.end());
}

bool DomainRules::is_made_at_hub(std::uint32_t type) {
  const Plan* plan = plan_of(type);
  return plan != nullptr && duhui::is_made_at_hub(*plan->schema);
}

}  // namespace duhui::hub
