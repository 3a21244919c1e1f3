#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "shared/api/domain_lookup.h"
#include "shared/api/people.h"
#include "shared/api/record_source.h"
#include "shared/api/scopes.h"
#include "shared/base/result.h"
#include "shared/domain/follow_ups.h"
#include "shared/record/record_edit.h"
#include "shared/sync/op_builder.h"

namespace duhui::api {

/// A record that a request wants to create.
struct NewRecord {
  Intent intent;
  std::string id_text;
  const RecordSchema* schema = nullptr;
};

/// Turns the bodies of POST /records and POST /records/{id}/edits into intents: checks them against
/// the schema and the rules, finds ids and scopes, adds what an edit implies for other records.
/// Lives for one request.
class RecordRequests {
 public:
  explicit RecordRequests(RecordSource& source)
      : source_(source), people_(source), scopes_(source), lookup_(source) {}

  /// One {"type","value","as","id","scope","import"}. `import`: the record was made elsewhere
  /// before; it keeps its id and its people, and no rule is asked.
  Result<NewRecord> create(const nlohmann::json& body);

  /// What a new record means for others: an answer that is sent, a recheck.
  Result<std::vector<Intent>> follow_ups_of(const NewRecord& created, const nlohmann::json& value);

  /// The edits of one body as the intents to save together; the first is the record's own.
  Result<std::vector<Intent>> edit(const RecordId& id,
                                   const RecordState& state,
                                   const nlohmann::json& body);

  DomainLookup& lookup() { return lookup_; }
  People& people() { return people_; }

 private:
  Result<std::vector<Intent>> implied(const RecordSchema& schema,
                                      const std::string& id_text,
                                      const nlohmann::json& after,
                                      const RecordEdit& edit,
                                      const EditAuthor& author,
                                      std::uint32_t rank);
  FollowUpContext follow_up_context();

  RecordSource& source_;
  People people_;
  ScopeFinder scopes_;
  DomainLookup lookup_;
};

}  // namespace duhui::api
