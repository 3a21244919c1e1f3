// Who the person behind an op is, and whether they might.

#include <algorithm>

#include "duhui/record/v1/org.pb.h"
#include "hub/core/domain_rules.h"
#include "shared/crypto/registry_id.h"
#include "shared/domain/writers.h"
#include "shared/merge/view.h"

namespace duhui::hub {
namespace {

constexpr std::size_t kDayLength = 10;  // "2025-10-09"

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
  for (const DatedGrant& dated : standing.grants) {
    const auto rank = static_cast<std::uint32_t>(writer_of(dated.grant.role));
    standing.rank = std::max(standing.rank, rank);
  }
  return standing;
}

bool DomainRules::may_write(const Standing& standing,
                            WallTime at,
                            std::string_view scope,
                            const sync::v1::Op& op) {
  const std::string day = china_time(at).substr(0, kDayLength);
  const Plan* plan = plan_of(op.record_type());
  return authorize_op(standing.grants, day, scope, plan == nullptr ? nullptr : plan->schema, op)
      .allowed;
}

}  // namespace duhui::hub
