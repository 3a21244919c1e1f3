#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "duhui/record/v1/org.pb.h"
#include "duhui/sync/v1/op.pb.h"
#include "shared/merge/schema.h"

namespace duhui {

/// A role and where it holds.
struct Grant {
  record::v1::Role role = record::v1::ROLE_UNSPECIFIED;
  /// "org-430200/org-430202": there and below. Empty: nowhere (an organisation nobody knows).
  std::string scope{};

  friend bool operator==(const Grant&, const Grant&) = default;
};

/// A supervisor's time with a school (挂牌).
struct Posting {
  std::string school_id{};
  std::string from{};  // "2025-09-01", inclusive; empty: always
  std::string to{};    // inclusive; empty: open

  friend bool operator==(const Posting&, const Posting&) = default;
};

/// Who asks.
struct Subject {
  enum class Kind : std::uint8_t {
    nobody,    // not signed in
    person,    // signed in
    operator_  // owner of the machine, through the control socket
  };
  /// Which program is asked: the operator of a hub keeps the office's own machine, the operator of
  /// an agent that of the inspected school.
  enum class Place : std::uint8_t { hub, agent };

  Kind kind = Kind::nobody;
  Place place = Place::agent;
  std::string person{};         // id of the account: "u-sup-001"
  std::string supervisor_id{};  // empty: none
  std::string school_id{};      // staff of a school
  std::vector<Grant> grants{};
  std::vector<Posting> postings{};
  std::string today{};  // "2025-10-09"
  sync::v1::SignIn sign_in = sync::v1::SIGN_IN_UNSPECIFIED;
};

/// What can be asked for besides records. One row each in the table of authority.cc.
enum class Thing : std::uint8_t {
  health,      // whether the program answers
  session,     // signing in and out, the own password
  status,      // how the program does
  link,        // the connection to the hub: exchange now, cut, restore
  machine,     // manage: reading and writing any file of the machine the program runs on
  devices,     // list of devices; manage: revoke, restore
  tickets,     // enrolment tickets
  quarantine,  // what could not be merged; manage: accept, set aside
  registries,  // manage: import of organisations, schools, people
  accounts,    // passwords and roles
  audit,       // the audit log
  integrity,   // manage: verification of all that is stored
  records,     // that one may ask for records at all; each is then judged by itself
};
inline constexpr Thing kLastThing = Thing::records;

enum class Verb : std::uint8_t { read, create, edit, decide, export_, manage };

/// What the authority has to know of one record.
struct RecordFacts {
  const RecordSchema* schema = nullptr;
  /// Of what never leaves the hub and has no place in the tree: that of its school.
  std::string_view scope{};
  /// The place a registry record is about, where it stands higher: a supervisor's zone, a policy's
  /// district. Empty: `scope`. To write one takes authority there.
  std::string_view about{};
  std::string_view school_id{};
  std::string_view state{};
  std::string_view date{};
  bool unannounced = false;
  /// Laid before the school to be counter-signed: signed by a supervisor.
  bool presented = false;
  /// Ids of accounts and supervisors it names: author, lead, participants, assignees, handler.
  std::vector<std::string> people{};
  std::vector<std::string> sections{};  // organisations it was sent to
};

struct Ruling {
  bool allowed = false;
  /// Word for programs when not: "sign_in", "role", "scope", "not_yet", "hub_only".
  std::string_view reason{};

  explicit operator bool() const { return allowed; }
};

/// The one authority of agent and hub. Denies whatever no row of its tables allows.
Ruling authorize(const Subject& subject, Verb verb, Thing thing);
Ruling authorize(const Subject& subject, Verb verb, const RecordFacts& record);
/// Whether the subject may bring in records of other people from a file.
Ruling authorize_import(const Subject& subject);
/// Whether the subject may make a record of this type anywhere: asked before its value is looked
/// at.
Ruling authorize_type(const Subject& subject, const RecordSchema& schema);
/// Whether the subject, who may read the record, may read this field of it.
Ruling authorize_field(const Subject& subject,
                       const RecordFacts& record,
                       const record::v1::FieldRule& rule);

/// Whether nothing but the school's own sight lets the subject read the record.
bool reads_as_school(const Subject& subject, const RecordFacts& record);

/// School staff: the roles that act for the inspected school.
bool is_school_role(record::v1::Role role);

std::string_view to_string(Thing thing);
std::string_view to_string(Verb verb);

}  // namespace duhui
