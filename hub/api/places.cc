#include "hub/api/places.h"

#include <algorithm>
#include <utility>

#include "duhui/record/v1/org.pb.h"
#include "shared/base/scope.h"
#include "shared/crypto/registry_id.h"
#include "shared/domain/grants.h"
#include "shared/domain/writers.h"
#include "shared/merge/schema.h"
#include "shared/merge/view.h"

namespace duhui::hub {
namespace {

constexpr std::uint32_t kPage = 500;

/// Sits in an office, whatever they do outside.
bool works_at_hub(record::v1::Role role) {
  return !is_school_role(role) &&
         (writer_of(role) != record::v1::WRITER_SUPERVISOR ||
          role == record::v1::ROLE_ZONE_LEADER || role == record::v1::ROLE_CHIEF_SUPERVISOR);
}

/// Now, or later: what begins tomorrow is there before the morning.
bool is_over(const Posting& posting, const std::string& today) {
  return !posting.to.empty() && posting.to < today;
}

}  // namespace

Status Places::learn_schools() {
  if (schools_) return Done{};
  std::map<std::string, School> found;
  const RecordSchema& schema = *Schema::instance().find("school");
  api::RecordQuery query{.type = schema.rule.type(), .limit = kPage};
  for (;;) {
    DUHUI_TRY(rows, source_.list(query));
    for (const api::RecordRow& row : rows) {
      DUHUI_TRY(state, source_.state(row.id));
      record::v1::School school;
      if (!state || !school.ParseFromString(shown_message(schema, *state, {}).bytes)) continue;
      auto scope = scopes_.of_school(school.id());
      if (scope) found[school.id()] = {school.zone_id(), std::move(*scope)};
    }
    if (rows.size() < kPage) break;
    query.after = rows.back().id;
  }
  schools_ = std::move(found);
  return Done{};
}

Result<std::string> Places::of_school(const std::string& school_id) {
  DUHUI_CHECK_OK(learn_schools());
  const auto at = schools_->find(school_id);
  if (at == schools_->end()) return Error{ErrorCode::not_found, "no such school: " + school_id};
  return at->second.scope;
}

Result<bool> Places::exists(const std::string& place) {
  if (place == api::kHubScope) return true;
  if (!is_scope(place)) return false;
  const std::string last(api::last_part(place));
  DUHUI_CHECK_OK(learn_schools());
  const auto school = schools_->find(last);
  if (school != schools_->end()) return school->second.scope == place;
  DUHUI_TRY(org, source_.state(registry_record_id("org", last)));
  const std::string stands =
      place_in_tree(last, source_.facts().root_scope,
                    [this](const std::string& id) { return api::parent_of(source_, id); });
  return org && org->stage() == RecordState::Stage::born && stands == place;
}

Status Places::check(const std::string& place, const record::v1::User& person) {
  DUHUI_TRY(known, exists(place));
  if (!known) return Error{ErrorCode::invalid_input, "no_such_place: " + place};
  if (place == api::kHubScope) return Done{};
  const auto grants = grants_of(person, source_.facts().root_scope, [this](const std::string& id) {
    return api::parent_of(source_, id);
  });
  const bool near = std::ranges::any_of(grants, [&](const DatedGrant& dated) {
    const std::string_view reach = writing_scope(dated.grant);
    return !reach.empty() && scope_readable(reach, place);
  });
  if (near) return Done{};
  return Error{ErrorCode::refused,
               "out_of_reach: " + person.id() + " has nothing to do in " + place};
}

Result<std::set<std::string>> Places::of(const Subject& person) {
  std::set<std::string> places;
  bool at_hub = person.grants.empty();
  for (const Grant& grant : person.grants) {
    if (is_school_role(grant.role) && !grant.scope.empty()) places.insert(grant.scope);
    at_hub = at_hub || works_at_hub(grant.role);
  }
  DUHUI_CHECK_OK(learn_schools());
  std::set<std::string> zones;
  for (const Posting& posting : person.postings) {
    const auto school = schools_->find(posting.school_id);
    if (school == schools_->end() || is_over(posting, person.today)) continue;
    places.insert(school->second.scope);
    if (!school->second.zone.empty()) zones.insert(school->second.zone);
  }
  for (const auto& [id, school] : *schools_) {
    if (zones.contains(school.zone)) places.insert(school.scope);
  }
  if (at_hub || places.empty()) places.emplace(api::kHubScope);
  return places;
}

}  // namespace duhui::hub
