#include "shared/domain/authority.h"

#include <algorithm>
#include <array>

#include "shared/base/scope.h"
#include "shared/domain/grants.h"
#include "shared/domain/school_part.h"
#include "shared/domain/writers.h"

namespace duhui {
namespace {

using namespace record::v1;  // NOLINT(google-build-using-namespace)

/// How far a role sees from where it was given.
enum class Reach : std::uint8_t {
  none,      // no records
  school,    // the own school, what a school may see
  postings,  // the schools one is or was posted to, and what names one
  handled,   // what was sent to one's section
  below,     // everything in the scope of the grant
};

struct RoleRow {
  Role role;
  Reach reach;
  bool writes;   // fields of its kind of writer (FieldRule.writers)
  bool decides;  // conflicts, proposals
  bool exports;  // many records at once
  bool office;   // complaints, letters, draws
};

constexpr std::array kRoles{
    RoleRow{ROLE_RESPONSIBLE_SUPERVISOR, Reach::postings, true, true, false, false},
    RoleRow{ROLE_CO_SUPERVISOR, Reach::postings, true, false, false, false},
    RoleRow{ROLE_COMMISSIONER, Reach::below, true, true, false, false},
    RoleRow{ROLE_ZONE_LEADER, Reach::below, true, true, true, false},
    RoleRow{ROLE_CHIEF_SUPERVISOR, Reach::below, true, true, true, true},
    RoleRow{ROLE_EVALUATION_EXPERT, Reach::postings, true, false, false, false},
    RoleRow{ROLE_DISTRICT_OFFICER, Reach::below, true, true, true, true},
    RoleRow{ROLE_REGISTRY_OFFICER, Reach::below, true, true, true, true},
    RoleRow{ROLE_LEADER, Reach::below, false, false, true, true},
    RoleRow{ROLE_CITY_OFFICER, Reach::below, true, true, true, true},
    RoleRow{ROLE_PROVINCE_OFFICER, Reach::below, true, true, true, true},
    RoleRow{ROLE_SECTION_OFFICER, Reach::handled, true, false, false, false},
    RoleRow{ROLE_PRINCIPAL, Reach::school, true, false, false, false},
    RoleRow{ROLE_SCHOOL_CONTACT, Reach::school, true, false, false, false},
    RoleRow{ROLE_IT_ADMIN, Reach::none, false, false, false, false},
    RoleRow{ROLE_SECURITY_ADMIN, Reach::none, false, false, false, false},
    RoleRow{ROLE_AUDITOR, Reach::none, false, false, false, false},
};

const RoleRow* row_of(Role role) {
  const auto at = std::ranges::find(kRoles, role, &RoleRow::role);
  return at == kRoles.end() ? nullptr : &*at;
}

constexpr std::uint8_t bit(Verb verb) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(verb));
}
constexpr std::uint8_t kRead = bit(Verb::read);
constexpr std::uint8_t kManage = bit(Verb::manage);
constexpr std::uint8_t kLook = kRead | bit(Verb::export_);
constexpr std::uint8_t kAll = 0xff;

/// Who may do what with a thing: everybody, everybody who has signed in, the operators, roles.
struct ThingRow {
  Thing thing;
  std::uint8_t anybody;
  std::uint8_t person;
  std::uint8_t hub_operator;
  std::uint8_t agent_operator;
  std::uint8_t office;  // roles with `office` in kRoles
  std::uint8_t it_admin;
  std::uint8_t security_admin;
  std::uint8_t auditor;
};

constexpr std::array kThings{
    ThingRow{Thing::health, kRead, kRead, kRead, kRead, 0, 0, 0, 0},
    ThingRow{Thing::session, kAll, kAll, kAll, kAll, 0, 0, 0, 0},
    ThingRow{Thing::status, 0, kRead, kRead, kRead, 0, 0, 0, 0},
    ThingRow{Thing::link, 0, kManage, kManage, kManage, 0, 0, 0, 0},
    ThingRow{Thing::machine, 0, 0, kManage, kManage, 0, 0, 0, 0},
    ThingRow{Thing::devices, 0, 0, kLook | kManage, 0, kRead, kLook | kManage, kRead, kRead},
    ThingRow{Thing::tickets, 0, 0, kRead | kManage, 0, 0, kRead | kManage, 0, kRead},
    ThingRow{Thing::quarantine, 0, 0, kRead | kManage, 0, kRead | kManage, 0, 0, kRead},
    ThingRow{Thing::registries, 0, 0, kManage, 0, 0, 0, 0, 0},
    ThingRow{Thing::accounts, 0, 0, kRead | kManage, 0, 0, 0, kRead | kManage, kRead},
    ThingRow{Thing::audit, 0, 0, kLook, 0, 0, 0, kRead, kLook},
    ThingRow{Thing::integrity, 0, 0, kManage | bit(Verb::export_), 0, 0, kManage, 0, kManage},
    ThingRow{Thing::records, 0, kAll, kAll, 0, 0, 0, 0, 0},
};
static_assert(kThings.size() == static_cast<std::size_t>(kLastThing) + 1);

/// Roles are given with accounts, not written like a record.
constexpr std::string_view kUserType = "user";
constexpr std::string_view kSupervisorType = "supervisor";

constexpr Ruling kAllowed{true, {}};
constexpr Ruling deny(std::string_view reason) { return {false, reason}; }

bool is_posted(const Subject& subject, std::string_view school) {
  return std::ranges::any_of(subject.postings, [&](const Posting& posting) {
    return posting.school_id == school && (posting.from.empty() || posting.from <= subject.today) &&
           (posting.to.empty() || subject.today <= posting.to);
  });
}

/// Posted there on that day: who made a record answers for it for ever.
bool was_posted(const Subject& subject, std::string_view school, std::string_view date) {
  return !date.empty() && std::ranges::any_of(subject.postings, [&](const Posting& posting) {
    return posting.school_id == school && (posting.from.empty() || posting.from <= date) &&
           (posting.to.empty() || date <= posting.to);
  });
}

bool is_named(const Subject& subject, const RecordFacts& record) {
  return std::ranges::any_of(record.people, [&](const std::string& who) {
    return who == subject.person ||
           (!subject.supervisor_id.empty() && who == subject.supervisor_id);
  });
}

/// Registries: one's own branch of the tree, upward and downward.
bool is_near(const Grant& grant, std::string_view scope) {
  return !grant.scope.empty() && scope_readable(grant.scope, scope);
}

Ruling see_as_school(const Subject& subject, const RecordFacts& record) {
  const RecordRule& rule = record.schema->rule;
  const bool own = !record.school_id.empty() && record.school_id == subject.school_id;
  if (!own && rule.audience() != AUDIENCE_REGISTRY) return deny("scope");
  switch (rule.school_sight()) {
    case SCHOOL_SIGHT_ALWAYS:
      return kAllowed;
    case SCHOOL_SIGHT_ANNOUNCED:
      return record.unannounced && record.state != "done" && record.state != "confirmed"
                 ? deny("not_yet")
                 : kAllowed;
    case SCHOOL_SIGHT_IN_STATES:
      return open_to_school(*record.schema, record.state, record.presented) ? kAllowed
                                                                            : deny("not_yet");
    case SCHOOL_SIGHT_NEVER:
    case SCHOOL_SIGHT_UNSPECIFIED:
    default:
      return deny("role");
  }
}

Ruling see_as_posted(const Subject& subject, const Grant& grant, const RecordFacts& record) {
  if (is_named(subject, record)) return kAllowed;
  if (record.school_id.empty()) {
    // Of no school: plans and the like of one's own branch.
    return is_near(grant, record.scope) ? kAllowed : deny("scope");
  }
  if (is_posted(subject, record.school_id)) return kAllowed;
  return was_posted(subject, record.school_id, record.date) ? kAllowed : deny("scope");
}

Ruling see(const Subject& subject,
           const Grant& grant,
           const RoleRow& role,
           const RecordFacts& record) {
  if (role.reach == Reach::none) return deny("role");
  switch (record.schema->rule.audience()) {
    case AUDIENCE_REGISTRY:
      if (!is_near(grant, record.scope) && !is_posted(subject, record.school_id)) {
        return deny("scope");
      }
      return role.reach == Reach::school ? see_as_school(subject, record) : kAllowed;
    case AUDIENCE_OFFICE:
      if (role.reach != Reach::school && is_named(subject, record)) return kAllowed;
      if (role.reach == Reach::handled) break;
      if (!role.office) return deny("role");
      break;
    case AUDIENCE_SUPERVISION:
      break;
    case AUDIENCE_AUDIT:
    case AUDIENCE_NOBODY:
    case AUDIENCE_UNSPECIFIED:
    default:
      return deny("role");
  }
  switch (role.reach) {
    case Reach::school:
      return see_as_school(subject, record);
    case Reach::postings:
      return see_as_posted(subject, grant, record);
    case Reach::handled: {
      const bool sent = std::ranges::any_of(record.sections, [&](const std::string& section) {
        return grant.scope == section || grant.scope.ends_with("/" + section);
      });
      return sent || is_named(subject, record) ? kAllowed : deny("scope");
    }
    case Reach::below:
      // Plans and the like that concern no school are told down the branch.
      if (record.school_id.empty() && record.schema->rule.audience() == AUDIENCE_SUPERVISION) {
        return is_near(grant, record.scope) ? kAllowed : deny("scope");
      }
      return !grant.scope.empty() && scope_writable(grant.scope, record.scope) ? kAllowed
                                                                               : deny("scope");
    case Reach::none:
      break;
  }
  return deny("role");
}

bool may(const RoleRow& role, Verb verb) {
  switch (verb) {
    case Verb::read:
      return role.reach != Reach::none;
    case Verb::create:
    case Verb::edit:
      return role.writes;
    case Verb::decide:
      return role.decides;
    case Verb::export_:
      return role.exports;
    case Verb::manage:
      return false;
  }
  return false;
}

/// Whether people of this kind have anything to write in such a record. Each field asks again
/// (check_edit.h).
Ruling may_write_type(const Subject& subject,
                      Verb verb,
                      const Grant& grant,
                      const RecordFacts& record) {
  const RecordSchema& schema = *record.schema;
  if (schema.rule.name() == kUserType) return authorize(subject, Verb::manage, Thing::accounts);
  const Writer writer = writer_of(grant.role);
  if (verb == Verb::create) {
    return may_create(schema, writer) ? kAllowed : deny("role");
  }
  // Everybody keeps their own telephone number.
  if (schema.rule.name() == kSupervisorType && writer == WRITER_SUPERVISOR &&
      !is_named(subject, record)) {
    return deny("role");
  }
  const bool any = std::ranges::any_of(schema.fields, [&](const auto& entry) {
    const FieldRule& rule = entry.second.rule;
    return rule.policy() != POLICY_DERIVED && may_write(rule, writer);
  });
  return any ? kAllowed : deny("role");
}

/// A record that is being made has no state, date or people yet that could hide it.
Ruling reach_for(const Subject& subject,
                 Verb verb,
                 const Grant& grant,
                 const RoleRow& role,
                 const RecordFacts& record) {
  if (verb != Verb::create) return see(subject, grant, role, record);
  if (role.reach == Reach::school) {
    const SchoolSight sight = record.schema->rule.school_sight();
    if (sight == SCHOOL_SIGHT_NEVER || sight == SCHOOL_SIGHT_UNSPECIFIED) return deny("role");
    return record.school_id == subject.school_id ? kAllowed : deny("scope");
  }
  // A visit to a school of the zone one is not posted to is taken and marked `unassigned`
  // (domain.md, story 10).
  const std::string_view reach = writing_scope(grant);
  if (role.reach == Reach::postings && !reach.empty() && scope_writable(reach, record.scope)) {
    return kAllowed;
  }
  return see(subject, grant, role, record);
}

/// Reading goes up the branch, writing does not.
bool writes_there(const Subject& subject, const Grant& grant, const RecordFacts& record) {
  const std::string_view place = record.about.empty() ? record.scope : record.about;
  const std::string_view reach = writing_scope(grant);
  if (!reach.empty() && scope_writable(reach, place)) return true;
  return is_named(subject, record) || is_posted(subject, record.school_id);
}

}  // namespace

Ruling authorize(const Subject& subject, Verb verb, Thing thing) {
  const auto row = std::ranges::find(kThings, thing, &ThingRow::thing);
  if (row == kThings.end()) return deny("role");
  const std::uint8_t wanted = bit(verb);
  if ((row->anybody & wanted) != 0) return kAllowed;
  if (subject.kind == Subject::Kind::nobody) return deny("sign_in");
  if (subject.kind == Subject::Kind::operator_) {
    const bool hub = subject.place == Subject::Place::hub;
    return ((hub ? row->hub_operator : row->agent_operator) & wanted) != 0 ? kAllowed
                                                                           : deny("role");
  }
  if ((row->person & wanted) != 0) return kAllowed;
  for (const Grant& grant : subject.grants) {
    const RoleRow* role = row_of(grant.role);
    if (role == nullptr) continue;
    std::uint8_t granted = role->office ? row->office : 0;
    if (!role->writes) granted &= kLook;
    if (grant.role == ROLE_IT_ADMIN) granted |= row->it_admin;
    if (grant.role == ROLE_SECURITY_ADMIN) granted |= row->security_admin;
    if (grant.role == ROLE_AUDITOR) granted |= row->auditor;
    if ((granted & wanted) != 0) return kAllowed;
  }
  return deny("role");
}

Ruling authorize(const Subject& subject, Verb verb, const RecordFacts& record) {
  if (subject.kind == Subject::Kind::nobody) return deny("sign_in");
  if (record.schema == nullptr) return deny("role");
  const Audience audience = record.schema->rule.audience();
  if (audience == AUDIENCE_NOBODY || audience == AUDIENCE_UNSPECIFIED) return deny("role");
  if (subject.kind == Subject::Kind::operator_) {
    // The office's own machine; who keeps it has its disk as well. The school's machine: nothing.
    return subject.place == Subject::Place::hub && verb != Verb::manage ? kAllowed : deny("role");
  }
  Ruling nearest = deny("role");
  for (const Grant& grant : subject.grants) {
    const RoleRow* role = row_of(grant.role);
    if (role == nullptr || !may(*role, verb)) continue;
    Ruling ruling = reach_for(subject, verb, grant, *role, record);
    if (ruling && (verb == Verb::create || verb == Verb::edit)) {
      ruling = writes_there(subject, grant, record) ? may_write_type(subject, verb, grant, record)
                                                    : deny("scope");
    }
    if (ruling.allowed) return ruling;
    nearest = ruling;
  }
  return nearest;
}

Ruling authorize_import(const Subject& subject) {
  if (subject.kind == Subject::Kind::nobody) return deny("sign_in");
  if (subject.kind == Subject::Kind::operator_) {
    return subject.place == Subject::Place::hub ? kAllowed : deny("role");
  }
  const bool office = std::ranges::any_of(subject.grants, [](const Grant& grant) {
    const RoleRow* role = row_of(grant.role);
    return role != nullptr && role->office && role->writes &&
           writer_of(grant.role) >= WRITER_DISTRICT;
  });
  return office ? kAllowed : deny("role");
}

Ruling authorize_type(const Subject& subject, const RecordSchema& schema) {
  const RecordFacts any{.schema = &schema};
  if (subject.kind != Subject::Kind::person) return authorize(subject, Verb::create, any);
  const Audience audience = schema.rule.audience();
  if (audience == AUDIENCE_NOBODY || audience == AUDIENCE_AUDIT) return deny("role");
  for (const Grant& grant : subject.grants) {
    const RoleRow* role = row_of(grant.role);
    if (role == nullptr || !may(*role, Verb::create)) continue;
    const bool unseen = schema.rule.school_sight() == SCHOOL_SIGHT_NEVER;
    if (role->reach == Reach::school && unseen) continue;
    if (may_write_type(subject, Verb::create, grant, any)) return kAllowed;
  }
  return deny("role");
}

Ruling authorize_field(const Subject& subject, const RecordFacts& record, const FieldRule& rule) {
  if (rule.secret()) return deny("role");
  if (subject.kind == Subject::Kind::operator_) return authorize(subject, Verb::read, record);
  if (!rule.hidden_from_school() && !rule.restricted()) return kAllowed;
  for (const Grant& grant : subject.grants) {
    const RoleRow* role = row_of(grant.role);
    if (role == nullptr || role->reach == Reach::school) continue;
    if (rule.restricted() && !role->office) continue;
    if (see(subject, grant, *role, record)) return kAllowed;
  }
  return deny("role");
}

bool reads_as_school(const Subject& subject, const RecordFacts& record) {
  if (subject.kind != Subject::Kind::person) return false;
  return std::ranges::none_of(subject.grants, [&](const Grant& grant) {
    const RoleRow* role = row_of(grant.role);
    return role != nullptr && role->reach != Reach::school && may(*role, Verb::read) &&
           see(subject, grant, *role, record).allowed;
  });
}

bool is_school_role(Role role) {
  const RoleRow* row = row_of(role);
  return row != nullptr && row->reach == Reach::school;
}

std::string_view to_string(Thing thing) {
  constexpr std::array<std::string_view, kThings.size()> kNames{
      "health",     "session",    "status",   "link",  "machine",   "devices", "tickets",
      "quarantine", "registries", "accounts", "audit", "integrity", "records"};
  return kNames[static_cast<std::size_t>(thing)];
}

std::string_view to_string(Verb verb) {
  constexpr std::array<std::string_view, 6> kNames{"read",   "create", "edit",
                                                   "decide", "export", "manage"};
  return kNames[static_cast<std::size_t>(verb)];
}

}  // namespace duhui
