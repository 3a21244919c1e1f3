#include "shared/domain/grants.h"

#include <algorithm>

#include "shared/base/scope.h"
#include "shared/domain/writers.h"

namespace duhui {
namespace {

using namespace record::v1;  // NOLINT(google-build-using-namespace)

/// Deeper trees do not exist; a circle in a damaged registry ends here.
constexpr int kDepthMax = 12;

std::string_view first_parts(std::string_view scope, int parts) {
  std::size_t end = 0;
  for (int n = 0; n < parts; ++n) {
    const std::size_t slash = scope.find('/', end == 0 ? 0 : end + 1);
    if (slash == std::string_view::npos) return scope;
    end = slash;
  }
  return scope.substr(0, end);
}

std::string_view above(std::string_view scope) {
  const std::size_t slash = scope.rfind('/');
  return slash == std::string_view::npos ? scope : scope.substr(0, slash);
}

/// Fields with a rule of their own about who counts, or that no person types.
bool is_judged_elsewhere(const FieldRule& rule) {
  return rule.machine() || rule.policy() == POLICY_HUB_ONLY || rule.policy() == POLICY_DERIVED;
}

bool is_import(const sync::v1::Op& op) {
  return op.creates() && op.sign_in() == sync::v1::SIGN_IN_IMPORT;
}

/// Nobody takes away a registry record, and the school nothing but its own answers and drafts.
bool may_delete(Writer writer, const RecordSchema& schema) {
  if (is_made_at_hub(schema)) return false;
  return writer != WRITER_SCHOOL || may_create(schema, writer);
}

/// A `per_author` register is its author's alone.
bool is_own_register(const FieldSchema& field, const std::string& key, const std::string& person) {
  if (field.rule.policy() != POLICY_PER_AUTHOR) return true;
  return field.shape == FieldSchema::Shape::map ? key == person
                                                : key == person || key.ends_with("/" + person);
}

bool may_write_all(Writer writer, const RecordSchema& schema, const sync::v1::Op& op) {
  // A record read from a file brings what many people wrote; the office brings it in.
  if (is_import(op) && writer >= WRITER_DISTRICT) return true;
  return std::ranges::all_of(op.writes(), [&](const sync::v1::Write& write) {
    if (write.field() == kDeletedField) return may_delete(writer, schema);
    const FieldSchema* field = schema.find(write.field());
    if (field == nullptr || is_judged_elsewhere(field->rule)) return true;
    if (!is_own_register(*field, write.key(), op.person())) return false;
    // The office settles what authors left open.
    return may_write(field->rule, writer) ||
           (writer >= WRITER_DISTRICT && field->rule.policy() == POLICY_ASK);
  });
}

}  // namespace

std::string place_in_tree(const std::string& id, const std::string& root, const ParentOf& parent) {
  if (root.empty() || id.empty()) return {};
  std::string below;
  std::string at = id;
  for (int depth = 0; depth < kDepthMax && !at.empty(); ++depth) {
    if (at == root) return root + below;
    below = "/" + at + below;
    at = parent(at);
  }
  at = root;
  for (int depth = 0; depth < kDepthMax && !at.empty(); ++depth) {
    at = parent(at);
    if (at == id) return root;
  }
  return {};
}

std::vector<DatedGrant> grants_of(const User& user,
                                  const std::string& root,
                                  const ParentOf& parent) {
  std::vector<DatedGrant> grants;
  if (user.has_status() && user.status() != PERSON_STATUS_ACTIVE) return grants;
  const auto add = [&](Role role, const std::string& org, const std::string& from,
                       const std::string& to) {
    if (role == ROLE_UNSPECIFIED) return;
    grants.push_back({{role, place_in_tree(org, root, parent)}, from, to});
  };
  const std::string& place = user.school_id().empty() ? user.scope_org_id() : user.school_id();
  add(user.role(), place, user.valid_from(), user.valid_to());
  for (const RoleGrant& more : user.grants()) {
    add(more.role(), more.scope_org_id(), more.valid_from(), more.valid_to());
  }
  return grants;
}

std::string_view writing_scope(const Grant& grant) {
  constexpr int kCityAndDistrict = 2;
  switch (grant.role) {
    case ROLE_RESPONSIBLE_SUPERVISOR:
    case ROLE_CO_SUPERVISOR:
    case ROLE_COMMISSIONER:
    case ROLE_ZONE_LEADER:
    case ROLE_EVALUATION_EXPERT:
      return first_parts(grant.scope, kCityAndDistrict);
    case ROLE_SECTION_OFFICER:
      return above(grant.scope);
    default:
      return grant.scope;
  }
}

OpRuling authorize_op(const std::vector<DatedGrant>& grants,
                      std::string_view day,
                      std::string_view scope,
                      const RecordSchema* schema,
                      const sync::v1::Op& op) {
  OpRuling ruling;
  for (const DatedGrant& dated : grants) {
    const Writer writer = writer_of(dated.grant.role);
    if (writer == WRITER_UNSPECIFIED || !dated.holds_on(day)) continue;
    const std::string_view reach = writing_scope(dated.grant);
    if (reach.empty() || (!scope.empty() && !scope_writable(reach, scope))) continue;
    ruling.writer = std::max(ruling.writer, writer);
    ruling.allowed = ruling.allowed || schema == nullptr || may_write_all(writer, *schema, op);
  }
  return ruling;
}

bool is_made_at_hub(const RecordSchema& schema) {
  const FieldSchema* naming = naming_field(schema);
  return schema.rule.hub_only() || schema.rule.audience() == AUDIENCE_NOBODY || naming == nullptr ||
         naming->rule.policy() == POLICY_HUB_ONLY;
}

}  // namespace duhui
