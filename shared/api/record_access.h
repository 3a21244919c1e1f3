#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "shared/api/domain_lookup.h"
#include "shared/api/record_source.h"
#include "shared/api/scopes.h"
#include "shared/domain/authority.h"
#include "shared/domain/present.h"

namespace duhui::api {

/// What one subject may do with the records of a source: asks the authority with what it has to
/// know of each record, and takes out of answers what the subject may not read. Lives for one
/// request.
class RecordAccess {
 public:
  RecordAccess(RecordSource& source, const Subject& subject)
      : source_(source), subject_(subject), scopes_(source), lookup_(source) {}

  /// Reads the record itself only where its row does not tell.
  Result<bool> may_list(const RecordRow& row, Verb verb);
  /// `not_found` if the subject may not read it: it learns nothing, not even that there is one.
  Status check_read(const RecordId& id, const RecordState& state);
  /// The same, and then `forbidden` if the subject may do no more than read it.
  Status check(Verb verb, const RecordId& id, const RecordState& state);
  /// The type a body of POST /records names; an unknown one is said to be so later.
  Status check_type(const nlohmann::json& body) const;
  /// A record that is about to be made.
  Status check_create(const RecordSchema& schema,
                      const std::string& scope,
                      const nlohmann::json& value);
  /// A record of others that the office brings in from a file: where its own authority reaches.
  Status check_import(const RecordSchema& schema,
                      const std::string& scope,
                      const nlohmann::json& value);
  /// GET /records/{id}/field and why: who wrote what and when. Staff of a school read the history
  /// of what they write themselves.
  Status check_history(const RecordId& id, const RecordState& state, std::string_view path);

  /// Takes fields the subject may not read out of a shown record. Precondition: may read it.
  void redact_value(const RecordId& id, const RecordState& state, nlohmann::json& value);
  /// The same for the answer of GET /records/{id}.
  void redact_answer(const RecordId& id, const RecordState& state, nlohmann::json& answer);
  /// The same for entries of GET /conflicts.
  void redact_conflicts(const RecordId& id, const RecordState& state, nlohmann::json& conflicts);
  /// Names of restricted fields that `value` (after redaction) holds: reading them is audited.
  static std::vector<std::string> restricted_in(const RecordSchema& schema,
                                                const nlohmann::json& value);

 private:
  /// What RecordFacts points into.
  struct Known {
    const RecordSchema* schema = nullptr;
    std::string scope{};
    std::string about{};
    std::string school_id{};
    std::string state{};
    std::string date{};
    bool unannounced = false;
    bool presented = false;
    std::vector<std::string> people{};
    std::vector<std::string> sections{};

    RecordFacts facts() const;
  };
  Status check_new(Verb verb,
                   const RecordSchema& schema,
                   const std::string& scope,
                   const nlohmann::json& value);
  Known of_row(const RecordRow& row);
  Known of_state(const RecordId& id, const RecordState& state);
  void settle_place(Known& known);
  /// The place the value is about: its school, zone, district or organisation.
  std::string about(const RecordSchema& schema, const nlohmann::json& value);
  bool is_school(const std::string& id);
  Ruling ruling(Verb verb, const Known& known) const;
  bool hides(const Known& known, const record::v1::FieldRule& rule) const;

  RecordSource& source_;
  const Subject& subject_;
  ScopeFinder scopes_;
  DomainLookup lookup_;
  std::map<std::string, bool> schools_;
};

}  // namespace duhui::api
