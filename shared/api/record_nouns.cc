#include "shared/api/record_nouns.h"

#include <algorithm>
#include <set>
#include <utility>

#include "shared/api/domain_lookup.h"
#include "shared/api/people.h"
#include "shared/api/record_access.h"
#include "shared/api/record_answer.h"
#include "shared/api/record_ids.h"
#include "shared/api/record_requests.h"
#include "shared/api/why_answer.h"

namespace duhui::api {
namespace {

using Json = nlohmann::json;

/// Records saved with one journal write and one commit.
constexpr std::size_t kSavedTogetherMax = 200;
constexpr std::uint32_t kListDefault = 100;
constexpr std::uint32_t kListMax = 1000;
constexpr int kScannedPagesMax = 20;

Error at_place(Error error, const std::string& place) {
  error.detail = place + ": " + error.detail;
  return error;
}

/// A record of another school: of no known scope here, or of one this device does not write.
bool belongs_elsewhere(const Error& error) {
  return error.detail.starts_with("scope: ") || error.detail.starts_with("elsewhere: ");
}

Json dots_json(const std::vector<Dot>& dots) {
  Json list = Json::array();
  for (const Dot& dot : dots) list.push_back(to_string(dot));
  return list;
}

Result<RecordQuery> query_of(const ApiRequest& request, const ListCursor& cursor) {
  RecordQuery query;
  const std::string type = request.query_text("type");
  if (!type.empty()) {
    DUHUI_TRY(schema, schema_named(type));
    query.type = schema->rule.type();
  }
  const std::string after = request.query_text("after");
  if (!after.empty()) {
    DUHUI_TRY(id, ListCursor::is_one(after) ? cursor.after(after) : parse_record_id(after, type));
    query.after = id;
  }
  query.school_id = request.query_text("school_id");
  query.state = request.query_text("state");
  query.date_from = request.query_text("from");
  query.date_to = request.query_text("to");
  DUHUI_TRY(limit, request.query_number("limit", kListDefault, kListMax));
  query.limit = limit;
  return query;
}

/// One page of what the subject may list.
struct Page {
  std::vector<RecordRow> rows;
  Json next;  // where the list goes on; null: it is complete
};

/// Reads on until the page is full: of what is left out nothing is told. A page of a very long list
/// in which the subject may read next to nothing may come short; `next` then says so.
Result<Page> page_of(RecordSource& source,
                     RecordAccess& access,
                     const ListCursor& cursor,
                     RecordQuery query,
                     Verb verb) {
  Page page;
  const std::uint32_t limit = query.limit;
  for (int round = 0; round < kScannedPagesMax; ++round) {
    DUHUI_TRY(rows, source.list(query));
    for (RecordRow& row : rows) {
      query.after = row.id;
      DUHUI_TRY(listed, access.may_list(row, verb));
      if (listed) page.rows.push_back(std::move(row));
      if (page.rows.size() == limit) break;
    }
    if (rows.size() < query.limit && page.rows.size() < limit) return page;
    if (page.rows.size() == limit) {
      page.next = to_uuid_text(query.after.view());
      return page;
    }
    query.limit = kListMax;
  }
  // The last that was looked at need not be one the subject may know of.
  page.next = cursor.text(query.after);
  return page;
}

/// The author of what a request saves: whoever signed in. The hub's operator writes on somebody's
/// behalf. An import keeps the people the file names inside the record; it takes the office, and
/// whoever brings it in answers for it.
Status settle_author(const Subject& subject, Json& body) {
  if (!body.is_object()) return Error{ErrorCode::invalid_input, "body: an object"};
  if (subject.kind != Subject::Kind::person) return Done{};
  // Where a record belongs follows from what it is about.
  body.erase("scope");
  if (body.value("import", Json(false)) == Json(true)) {
    return granted(authorize_import(subject));
  }
  if (!body.contains("as")) body["as"] = subject.person;
  if (body["as"] != Json(subject.person)) {
    return Error{ErrorCode::forbidden, "as: " + subject.person + " is signed in"};
  }
  return Done{};
}

/// Who answers for the ops of an import: its first author is only what the file says.
void settle_importer(const Subject& subject, Intent& intent) {
  if (subject.kind == Subject::Kind::person) intent.person = subject.person;
}

/// What an edit implies for other records is done in the person's name: they must be theirs, too.
Status check_implied(RecordSource& source,
                     RecordAccess& access,
                     const std::vector<Intent>& others) {
  for (const Intent& other : others) {
    DUHUI_TRY(state, source.state(other.record));
    if (state) DUHUI_CHECK_OK(access.check(Verb::edit, other.record, *state));
  }
  return Done{};
}

void note_sign_in(const Subject& subject, bool import, std::vector<Intent>& intents) {
  for (Intent& intent : intents) {
    intent.sign_in = import                                     ? sync::v1::SIGN_IN_IMPORT
                     : subject.kind == Subject::Kind::operator_ ? sync::v1::SIGN_IN_OPERATOR
                                                                : subject.sign_in;
  }
}

/// The readable id of a registry record, the UUID of any other.
std::string name_of(RecordSource& source, DomainLookup& lookup, const RecordRow& row) {
  const RecordSchema* schema = Schema::instance().find(row.type);
  if (schema != nullptr && !schema->rule.id_fields().empty()) {
    auto state = source.state(row.id);
    if (state && *state) {
      auto shown = lookup.present_record(row.id, **state);
      if (shown) return shown->id;
    }
  }
  return to_uuid_text(row.id.view());
}

}  // namespace

struct RecordNouns::Found {
  RecordId id;
  RecordState state;
};

void RecordNouns::add_to(Router& router) {
  const auto bind = [this](Result<ApiResponse> (RecordNouns::*handler)(const ApiRequest&)) {
    return [this, handler](const ApiRequest& request) { return (this->*handler)(request); };
  };
  router.add("POST", "/records", {Verb::create, Thing::records}, bind(&RecordNouns::create));
  router.add("GET", "/records", {Verb::read, Thing::records}, bind(&RecordNouns::list));
  router.add("GET", "/records/{id}", {Verb::read, Thing::records}, bind(&RecordNouns::show));
  router.add("GET", "/records/{id}/field", {Verb::read, Thing::records}, bind(&RecordNouns::field));
  router.add("GET", "/records/{id}/why", {Verb::read, Thing::records}, bind(&RecordNouns::why));
  router.add("POST", "/records/{id}/edits", {Verb::edit, Thing::records}, bind(&RecordNouns::edit));
  router.add("GET", "/conflicts", {Verb::read, Thing::records}, bind(&RecordNouns::conflicts));
  router.add("GET", "/export", {Verb::export_, Thing::records}, bind(&RecordNouns::export_all));
}

Result<RecordNouns::Found> RecordNouns::find(const ApiRequest& request, RecordAccess& access) {
  const std::string& text = request.names.at("id");
  DUHUI_TRY(id, parse_record_id(text, request.query_text("type")));
  DUHUI_TRY(state, source_.state(id));
  // The same answer, to the letter, whether there is none or it is not for them.
  if (!state || !access.check_read(id, *state)) {
    return Error{ErrorCode::not_found, "no such record: " + text};
  }
  return Found{id, std::move(*state)};
}

Result<ApiResponse> RecordNouns::create(const ApiRequest& request) {
  if (request.body.is_object() && request.body.contains("records")) return create_many(request);
  Json asked = request.body;
  DUHUI_CHECK_OK(settle_author(request.subject, asked));
  RecordRequests requests(source_);
  RecordAccess access(source_, request.subject);
  const bool import = asked.value("import", Json(false)) == Json(true);
  if (!import) DUHUI_CHECK_OK(access.check_type(asked));
  DUHUI_TRY(created, requests.create(asked));
  const std::string& scope = created.intent.scope;
  DUHUI_CHECK_OK(import ? access.check_import(*created.schema, scope, asked["value"])
                        : access.check_create(*created.schema, scope, asked["value"]));
  if (import) settle_importer(request.subject, created.intent);
  std::vector<Intent> intents{created.intent};
  if (!import) {
    DUHUI_TRY(others, requests.follow_ups_of(created, asked["value"]));
    DUHUI_CHECK_OK(check_implied(source_, access, others));
    for (Intent& other : others) intents.push_back(std::move(other));
  }
  note_sign_in(request.subject, import, intents);
  DUHUI_CHECK_OK(check_names(source_, intents));
  DUHUI_TRY(dots, source_.save(std::move(intents)));
  DUHUI_TRY(state, source_.state(created.intent.record));
  Json body = {{"id", created.id_text},
               {"uuid", to_uuid_text(created.intent.record.view())},
               {"type", created.schema->rule.name()},
               {"scope", created.intent.scope},
               {"dots", dots_json(dots)},
               {"seen", state ? source_.seen_token(created.intent.record, *state) : ""}};
  return ApiResponse{201, std::move(body)};
}

Result<ApiResponse> RecordNouns::create_many(const ApiRequest& request) {
  const Json& body = request.body;
  if (!body["records"].is_array()) {
    return Error{ErrorCode::invalid_input, "wrong_type: records: a list"};
  }
  RecordRequests requests(source_);
  RecordAccess access(source_, request.subject);
  std::vector<Intent> intents;
  std::set<RecordId> ids_seen;
  Json ids = Json::array();
  std::size_t skipped = 0;
  std::size_t elsewhere = 0;
  const bool only_here = body.value("only_here", false);
  // All are read before any is saved: a mistake in one of them saves none.
  for (std::size_t n = 0; n < body["records"].size(); ++n) {
    Json one = body["records"][n];
    const std::string place = "records[" + std::to_string(n) + "]";
    if (auto may = settle_author(request.subject, one); !may) return at_place(may.error(), place);
    const bool import = one.value("import", Json(false)) == Json(true);
    if (!import) {
      if (auto may = access.check_type(one); !may) return at_place(may.error(), place);
    }
    auto created = requests.create(one);
    if (!created && only_here && belongs_elsewhere(created.error())) {
      ++elsewhere;
      continue;
    }
    if (!created) return at_place(std::move(created).error(), place);
    const std::string& scope = created->intent.scope;
    auto may = import ? access.check_import(*created->schema, scope, one["value"])
                      : access.check_create(*created->schema, scope, one["value"]);
    if (!may) return at_place(may.error(), place);
    ids.push_back(created->id_text);
    // An import that is repeated goes on where it stopped.
    if (import) {
      DUHUI_TRY(known, source_.state(created->intent.record));
      if (!ids_seen.insert(created->intent.record).second ||
          (known && known->stage() == RecordState::Stage::born)) {
        ++skipped;
        continue;
      }
    }
    if (import) settle_importer(request.subject, created->intent);
    std::vector<Intent> made{std::move(created->intent)};
    note_sign_in(request.subject, import, made);
    intents.push_back(std::move(made.front()));
  }
  DUHUI_CHECK_OK(check_names(source_, intents));
  const std::size_t total = intents.size();
  for (std::size_t from = 0; from < total; from += kSavedTogetherMax) {
    const auto first = intents.begin() + static_cast<std::ptrdiff_t>(from);
    const auto last =
        intents.begin() + static_cast<std::ptrdiff_t>(std::min(total, from + kSavedTogetherMax));
    std::vector<Intent> together(std::make_move_iterator(first), std::make_move_iterator(last));
    auto saved = source_.save(std::move(together));
    if (!saved) return at_place(std::move(saved).error(), std::to_string(from) + " saved");
  }
  return ApiResponse{
      201,
      {{"saved", total}, {"skipped", skipped}, {"elsewhere", elsewhere}, {"ids", std::move(ids)}}};
}

Result<ApiResponse> RecordNouns::list(const ApiRequest& request) {
  DUHUI_TRY(query, query_of(request, cursor_));
  RecordAccess access(source_, request.subject);
  DUHUI_TRY(page, page_of(source_, access, cursor_, query, Verb::read));
  DomainLookup lookup(source_);
  Json records = Json::array();
  for (const RecordRow& row : page.rows) {
    records.push_back(row_answer(row, name_of(source_, lookup, row)));
  }
  return ApiResponse{200, {{"records", std::move(records)}, {"next", std::move(page.next)}}};
}

Result<ApiResponse> RecordNouns::show(const ApiRequest& request) {
  RecordAccess access(source_, request.subject);
  DUHUI_TRY(found, find(request, access));
  DomainLookup lookup(source_);
  const std::string seen = source_.seen_token(found.id, found.state);
  auto shown = lookup.present_record(found.id, found.state);
  if (!shown) return ApiResponse{200, unborn_answer(found.id, found.state, seen)};
  Json answer = record_answer(found.id, found.state, *shown, seen);
  access.redact_answer(found.id, found.state, answer);
  DUHUI_CHECK_OK(note_restricted(request.subject, *shown, answer["value"]));
  return ApiResponse{200, std::move(answer)};
}

Result<ApiResponse> RecordNouns::field(const ApiRequest& request) {
  RecordAccess access(source_, request.subject);
  DUHUI_TRY(found, find(request, access));
  const std::string path = request.query_text("path");
  if (path.empty()) return Error{ErrorCode::invalid_input, "missing: path"};
  DUHUI_CHECK_OK(access.check_history(found.id, found.state, path));
  DomainLookup lookup(source_);
  DUHUI_TRY(shown, lookup.present_record(found.id, found.state));
  DUHUI_TRY(answer, field_answer(found.state, shown, path));
  DUHUI_CHECK_OK(note_restricted(request.subject, shown, shown.record, path));
  return ApiResponse{200, std::move(answer)};
}

Result<ApiResponse> RecordNouns::why(const ApiRequest& request) {
  RecordAccess access(source_, request.subject);
  DUHUI_TRY(found, find(request, access));
  const std::string path = request.query_text("path");
  if (path.empty()) return Error{ErrorCode::invalid_input, "missing: path"};
  DUHUI_CHECK_OK(access.check_history(found.id, found.state, path));
  DomainLookup lookup(source_);
  People people(source_);
  DUHUI_TRY(shown, lookup.present_record(found.id, found.state));
  DUHUI_TRY(answer, why_answer(found.state, shown, path, people));
  DUHUI_CHECK_OK(note_restricted(request.subject, shown, shown.record, path));
  return ApiResponse{200, std::move(answer)};
}

Result<ApiResponse> RecordNouns::edit(const ApiRequest& request) {
  RecordAccess access(source_, request.subject);
  DUHUI_TRY(found, find(request, access));
  DUHUI_CHECK_OK(access.check(Verb::edit, found.id, found.state));
  Json asked = request.body;
  DUHUI_CHECK_OK(settle_author(request.subject, asked));
  RecordRequests requests(source_);
  DUHUI_TRY(intents, requests.edit(found.id, found.state, asked));
  DUHUI_CHECK_OK(check_implied(source_, access, {intents.begin() + 1, intents.end()}));
  note_sign_in(request.subject, false, intents);
  DUHUI_CHECK_OK(check_names(source_, intents));
  DUHUI_TRY(dots, source_.save(std::move(intents)));
  DUHUI_TRY(after, source_.state(found.id));
  Json body = {{"seen", after ? source_.seen_token(found.id, *after) : ""},
               {"dots", dots_json(dots)}};
  return ApiResponse{200, std::move(body)};
}

Result<ApiResponse> RecordNouns::conflicts(const ApiRequest& request) {
  DUHUI_TRY(query, query_of(request, cursor_));
  query.only_conflicts = true;
  RecordAccess access(source_, request.subject);
  DUHUI_TRY(page, page_of(source_, access, cursor_, query, Verb::read));
  DomainLookup lookup(source_);
  Json conflicts = Json::array();
  for (const RecordRow& row : page.rows) {
    DUHUI_TRY(state, source_.state(row.id));
    if (!state) continue;
    auto shown = lookup.present_record(row.id, *state);
    if (!shown) continue;
    Json open = conflict_answers(*shown);
    access.redact_conflicts(row.id, *state, open);
    for (Json& conflict : open) conflicts.push_back(std::move(conflict));
  }
  return ApiResponse{200, {{"conflicts", std::move(conflicts)}, {"next", std::move(page.next)}}};
}

Result<ApiResponse> RecordNouns::export_all(const ApiRequest& request) {
  DUHUI_TRY(query, query_of(request, cursor_));
  RecordAccess access(source_, request.subject);
  DUHUI_TRY(page, page_of(source_, access, cursor_, query, Verb::export_));
  DomainLookup lookup(source_);
  Json records = Json::array();
  for (const RecordRow& row : page.rows) {
    DUHUI_TRY(state, source_.state(row.id));
    if (!state) continue;
    auto shown = lookup.present_record(row.id, *state);
    if (!shown || shown->view.deleted) continue;
    access.redact_value(row.id, *state, shown->record);
    DUHUI_CHECK_OK(note_restricted(request.subject, *shown, shown->record));
    records.push_back(std::move(shown->record));
  }
  if (told_) {
    DUHUI_CHECK_OK(told_({request.subject,
                          "export",
                          request.query_text("type"),
                          {},
                          std::to_string(records.size()) + " records"}));
  }
  return ApiResponse{200, {{"records", std::move(records)}, {"next", std::move(page.next)}}};
}

Status RecordNouns::note_restricted(const Subject& subject,
                                    const Presented& shown,
                                    const Json& value,
                                    std::string_view path) {
  if (!told_) return Done{};
  std::string fields;
  for (const std::string& name : RecordAccess::restricted_in(*shown.schema, value)) {
    if (!path.empty() && !path.starts_with(name)) continue;
    fields += (fields.empty() ? "" : ",") + name;
  }
  if (fields.empty()) return Done{};
  return told_({subject, "read_restricted", shown.schema->rule.name(), shown.id, fields});
}

}  // namespace duhui::api
