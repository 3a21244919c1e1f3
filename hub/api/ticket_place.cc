#include "hub/api/ticket_place.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "duhui/record/v1/org.pb.h"
#include "shared/api/scopes.h"
#include "shared/api/time_text.h"
#include "shared/base/scope.h"
#include "shared/crypto/registry_id.h"
#include "shared/merge/view.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kScopesMax = 64;
constexpr std::size_t kCodeDigits = 10;
constexpr std::uint32_t kPage = 500;

Error invalid(std::string detail) { return {ErrorCode::invalid_input, std::move(detail)}; }

std::string text_of(const Json& body, const char* name) {
  const auto at = body.find(name);
  return at != body.end() && at->is_string() ? at->get<std::string>() : std::string();
}

/// What is shown of a record; empty optional: not there, or deleted.
template <typename Message>
Result<std::optional<Message>> shown(HubRecords& records,
                                     const RecordSchema& schema,
                                     const RecordId& id) {
  DUHUI_TRY(state, records.state(id));
  Message message;
  if (!state || !message.ParseFromString(shown_message(schema, *state, {}).bytes)) {
    return std::optional<Message>();
  }
  return std::optional<Message>(std::move(message));
}

/// `visit` is called for each record of a type until it returns false.
template <typename Message, typename Visit>
Status each(HubRecords& records, const char* type, Visit visit) {
  const RecordSchema& schema = *Schema::instance().find(type);
  api::RecordQuery query;
  query.type = schema.rule.type();
  query.limit = kPage;
  for (;;) {
    DUHUI_TRY(rows, records.list(query));
    for (const api::RecordRow& row : rows) {
      if (row.deleted) continue;
      DUHUI_TRY(message, shown<Message>(records, schema, row.id));
      if (message && !visit(*message)) return Done{};
    }
    if (rows.size() < kPage) return Done{};
    query.after = rows.back().id;
  }
}

bool is_code(const std::string& text) {
  return text.size() == kCodeDigits &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// The id of a school named by id or code.
Result<std::string> school_id(HubRecords& records, const std::string& text) {
  if (!is_code(text)) return text;
  std::string found;
  DUHUI_CHECK_OK(each<record::v1::School>(records, "school", [&](const record::v1::School& school) {
    if (school.code() == text) found = school.id();
    return found.empty();
  }));
  if (found.empty()) return invalid("school: no school has the code " + text);
  return found;
}

Result<TicketPlace> place_of_school(HubRecords& records, const std::string& text) {
  DUHUI_TRY(id, school_id(records, text));
  api::ScopeFinder finder(records);
  DUHUI_TRY(scope, finder.of_school(id));
  const RecordSchema& schema = *Schema::instance().find("school");
  DUHUI_TRY(school, shown<record::v1::School>(records, schema, registry_record_id("school", id)));
  TicketPlace place;
  place.scopes.push_back(std::move(scope));
  place.name = school && !school->name().empty() ? school->name() : id;
  return place;
}

Result<TicketPlace> place_of_supervisor(HubRecords& records, const std::string& id, WallTime now) {
  const RecordSchema& schema = *Schema::instance().find("supervisor");
  DUHUI_TRY(supervisor,
            shown<record::v1::Supervisor>(records, schema, registry_record_id("supervisor", id)));
  if (!supervisor) return invalid("supervisor: not known: " + id);
  const std::string today = api::time_text(now).substr(0, 10);
  std::set<std::string> schools;
  DUHUI_CHECK_OK(each<record::v1::Assignment>(
      records, "assignment", [&](const record::v1::Assignment& posting) {
        const bool begun = posting.valid_from().empty() || posting.valid_from() <= today;
        const bool over = !posting.valid_to().empty() && posting.valid_to() < today;
        if (posting.supervisor_id() == id && begun && !over) schools.insert(posting.school_id());
        return true;
      }));
  if (schools.empty()) {
    return Error{ErrorCode::refused, "no_posting: " + id + " has no posting at a school today"};
  }
  api::ScopeFinder finder(records);
  TicketPlace place;
  std::set<std::string> districts;
  for (const std::string& school : schools) {
    DUHUI_TRY(scope, finder.of_school(school));
    DUHUI_TRY(district, finder.of_district(school));
    place.scopes.push_back(std::move(scope));
    districts.insert(std::move(district));
  }
  // Unannounced tasks wait there, off the schools' own machines.
  for (const std::string& district : districts) {
    place.scopes.push_back(district + "/" + id);
    place.scopes.push_back(district + "/" + std::string(api::kSupervisorsScope));
  }
  place.name = supervisor->name().empty() ? id : supervisor->name();
  return place;
}

Result<TicketPlace> place_of_scopes(const Json& body) {
  const auto scopes = body.find("scopes");
  if (scopes == body.end() || !scopes->is_array() || scopes->empty()) {
    return invalid("missing: school, supervisor, or scopes");
  }
  if (scopes->size() > kScopesMax) return invalid("scopes: too many");
  TicketPlace place;
  for (const Json& scope : *scopes) {
    if (!scope.is_string() || !is_scope(scope.get<std::string>())) {
      return invalid("scope: " + scope.dump());
    }
    // Complaints and letters between offices never leave the hub.
    if (scope == api::kHubScope) return Error{ErrorCode::refused, "scope: hub is for no device"};
    place.scopes.push_back(scope);
  }
  place.name = place.scopes.front();
  return place;
}

}  // namespace

Result<TicketPlace> ticket_place(HubRecords& records, const Json& body, WallTime now) {
  const std::string school = text_of(body, "school");
  const std::string supervisor = text_of(body, "supervisor");
  const int named = (school.empty() ? 0 : 1) + (supervisor.empty() ? 0 : 1) +
                    (body.contains("scopes") && !body["scopes"].is_null() ? 1 : 0);
  if (named > 1) return invalid("only one of: school, supervisor, scopes");
  auto place = !school.empty()       ? place_of_school(records, school)
               : !supervisor.empty() ? place_of_supervisor(records, supervisor, now)
                                     : place_of_scopes(body);
  if (!place) return place;
  const std::string name = text_of(body, "name");
  if (!name.empty()) place->name = name;
  return place;
}

}  // namespace duhui::hub
