#include "hub/api/account_desk.h"

#include <algorithm>
#include <utility>

#include "hub/core/domain_rules.h"
#include "shared/api/record_ids.h"
#include "shared/api/time_text.h"
#include "shared/crypto/registry_id.h"
#include "shared/crypto/system_random.h"
#include "shared/record/record_edit.h"
#include "shared/sync/credentials.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;
using record::v1::User;

constexpr std::uint32_t kPage = 500;
constexpr std::size_t kNameBytesMax = 64;
constexpr std::string_view kOperatorName = "operator";

std::string text_at(const Json& body, const char* name) {
  const auto at = body.is_object() ? body.find(name) : body.end();
  return at != body.end() && at->is_string() ? at->get<std::string>() : std::string();
}

/// What can be typed on any keyboard and stands in no file name or header for anything else.
bool is_account_name(const std::string& name) {
  return name.size() >= 2 && name.size() <= kNameBytesMax && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                  c == '_';
         });
}

bool is_administrator(const std::string& role) {
  return role == "it_admin" || role == "security_admin" || role == "auditor";
}

std::string id_for(const Json& body) {
  const std::string id = text_at(body, "id");
  return id.empty() ? "u-" + text_at(body, "login") : id;
}

Json user_value(const Json& body) {
  Json value = {{"id", id_for(body)},
                {"login", text_at(body, "login")},
                {"name", text_at(body, "name")},
                {"role", text_at(body, "role")},
                {"status", "active"}};
  if (const std::string org = text_at(body, "org"); !org.empty()) value["scope_org_id"] = org;
  if (const std::string school = text_at(body, "school"); !school.empty()) {
    value["school_id"] = school;
    value["scope_org_id"] = school;
  }
  return value;
}

/// The place a body names, whether or not it exists.
Result<std::string> named_place(Places& places, const Json& body) {
  const std::string place = text_at(body, "place");
  const std::string school = text_at(body, "school");
  if (place.empty() && school.empty()) {
    return Error{ErrorCode::invalid_input, "missing: place or school"};
  }
  if (!place.empty()) return place;
  return places.of_school(school);
}

std::string by_hand_key(const std::string& user_id) { return "account/places/" + user_id; }

Intent status_intent(const std::string& user_id, record::v1::PersonStatus status) {
  User part;
  part.set_status(status);
  Intent intent;
  intent.record = registry_record_id("user", user_id);
  intent.type = Schema::instance().find("user")->rule.type();
  intent.writes.push_back({{User::kStatusFieldNumber, {}}, part.SerializeAsString()});
  return intent;
}

}  // namespace

void GivenPassword::make() {
  SystemRandom random;
  Seed seed = mint_seed(random);
  key = SigningKey::from_seed(seed).public_key();
  auto made = make_secret(
      seed, {.user_id = user_id, .serial = serial, .at = at, .must_change = must_change}, password,
      random);
  wipe(seed);
  wipe(password);
  if (made) {
    secret = std::move(*made);
  } else {
    error = made.error();
  }
}

Result<std::string> AccountDesk::id_of(const std::string& name) {
  DUHUI_TRY(id, desk_.subjects().id_of(name));
  if (id.empty()) return Error{ErrorCode::not_found, "no such account: " + name};
  return id;
}

Result<const api::KnownPerson*> AccountDesk::person(const std::string& user_id) {
  desk_.subjects().forget(user_id);
  DUHUI_TRY(found, desk_.subjects().find(user_id, hub_.monotonic()));
  if (found == nullptr) return Error{ErrorCode::not_found, "no such account: " + user_id};
  return found;
}

Status AccountDesk::save(std::vector<Intent> intents, const Subject& by) {
  if (intents.empty()) return Done{};
  for (Intent& intent : intents) {
    intent.person = by.person.empty() ? std::string(kOperatorName) : by.person;
    intent.rank = record::v1::WRITER_HUB;
    intent.sign_in = by.kind == Subject::Kind::operator_ ? sync::v1::SIGN_IN_OPERATOR : by.sign_in;
  }
  DUHUI_TRY(dots, records_.save(std::move(intents)));
  static_cast<void>(dots);
  return Done{};
}

Status AccountDesk::note(const Subject& by, const char* action, const std::string& user_id) {
  return hub_.audit({.actor = by.person.empty() ? std::string(kOperatorName) : by.person,
                     .action = action,
                     .target_type = "user",
                     .target_id = user_id,
                     .outcome = "done"});
}

// --- new accounts ---

Status AccountDesk::check_new(const Json& body, const std::string& password) {
  const std::string login = text_at(body, "login");
  const std::string id = id_for(body);
  if (!is_account_name(login) || !is_account_name(id)) {
    return Error{ErrorCode::invalid_input, "login: 2 to 64 of a-z, 0-9, '.', '-' and '_'"};
  }
  if (text_at(body, "name").empty()) return Error{ErrorCode::invalid_input, "missing: name"};
  if (text_at(body, "role").empty()) return Error{ErrorCode::invalid_input, "missing: role"};
  for (const std::string& name : {login, id}) {
    DUHUI_TRY(taken, desk_.subjects().id_of(name));
    if (!taken.empty()) return Error{ErrorCode::conflict, "taken: " + name};
  }
  auto edit = edit_create(*Schema::instance().find("user"), user_value(body), EditAuthor{});
  if (!edit) return std::move(edit).error();
  return check_new_password(password, login);
}

Result<std::string> AccountDesk::create(const Json& body, const Subject& by) {
  const RecordSchema& schema = *Schema::instance().find("user");
  const std::string id = id_for(body);
  DUHUI_TRY(edit, edit_create(schema, user_value(body), EditAuthor{}));
  Intent intent;
  intent.record = registry_record_id("user", id);
  intent.type = schema.rule.type();
  intent.creates = true;
  // Who keeps the hub's machine is nobody's business at the schools. Before the city is known,
  // nobody else is either.
  intent.scope = is_administrator(text_at(body, "role")) ? "" : records_.facts().root_scope;
  if (intent.scope.empty()) intent.scope = std::string(api::kHubScope);
  for (RegisterEdit& write : edit.writes) {
    intent.writes.push_back({std::move(write.key), std::move(write.value)});
  }
  DUHUI_CHECK_OK(note(by, "account.create", id));
  DUHUI_CHECK_OK(save({std::move(intent)}, by));
  return id;
}

// --- passwords ---

Result<GivenPassword> AccountDesk::prepare(const std::string& name,
                                           std::string password,
                                           bool must_change) {
  DUHUI_TRY(user_id, id_of(name));
  DUHUI_TRY(known, person(user_id));
  DUHUI_CHECK_OK(check_new_password(password, known->user.login()));
  GivenPassword given{.user_id = user_id,
                      .password = std::move(password),
                      .must_change = must_change,
                      .at = hub_.now()};
  DUHUI_TRY(accounts, desk_.subjects().accounts_of(user_id));
  for (const auto& [place, account] : accounts) {
    // Numbers go on across keys: whichever replica sees both takes the newer for the newer.
    if (account.secret) given.serial = std::max(given.serial, account.secret->serial() + 1);
  }
  return given;
}

Status AccountDesk::give(const std::vector<GivenPassword>& made, const Subject& by) {
  Places places(records_);
  std::vector<Intent> intents;
  for (const GivenPassword& given : made) {
    if (given.error) return *given.error;
    DUHUI_TRY(wanted, places_of(places, given.user_id));
    DUHUI_TRY(accounts, desk_.subjects().accounts_of(given.user_id));
    DUHUI_TRY(known, person(given.user_id));
    const bool locked_out = !known->active;
    for (const auto& [place, account] : accounts) {
      intents.push_back(change_credential(given.user_id, place,
                                          {.key = given.key,
                                           .disabled = locked_out || !wanted.contains(place),
                                           .secret = given.secret}));
      wanted.erase(place);
    }
    for (const std::string& place : wanted) {
      intents.push_back(
          create_credential(given.user_id, place,
                            {.key = given.key, .disabled = locked_out, .secret = given.secret}));
    }
  }
  for (const GivenPassword& given : made) {
    DUHUI_CHECK_OK(note(by, "account.password", given.user_id));
  }
  DUHUI_CHECK_OK(save(std::move(intents), by));
  for (const GivenPassword& given : made) desk_.end_sessions_of(given.user_id);
  return Done{};
}

// --- places ---

Result<std::set<std::string>> AccountDesk::places_by_hand(const std::string& user_id) {
  std::set<std::string> places;
  DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    places.clear();
    DUHUI_TRY(text, tx.settings().get(by_hand_key(user_id)));
    const Json list = Json::parse(text.value_or("[]"), nullptr, false);
    if (!list.is_array()) return Done{};
    for (const Json& place : list) {
      if (place.is_string()) places.insert(place.get<std::string>());
    }
    return Done{};
  }));
  return places;
}

Result<std::set<std::string>> AccountDesk::places_of(Places& places, const std::string& user_id) {
  DUHUI_TRY(known, person(user_id));
  DUHUI_TRY(wanted, places.of(known->subject));
  DUHUI_TRY(by_hand, places_by_hand(user_id));
  wanted.merge(by_hand);
  return wanted;
}

Status AccountDesk::add_changes(Places& places,
                                const std::string& user_id,
                                std::vector<Intent>& intents) {
  auto known = person(user_id);
  if (!known && known.error().code == ErrorCode::not_found) return Done{};
  if (!known) return std::move(known).error();
  DUHUI_TRY(wanted, places_of(places, user_id));
  DUHUI_TRY(again, person(user_id));
  return add_changes(*again, std::move(wanted), intents);
}

Status AccountDesk::add_changes(const api::KnownPerson& known,
                                std::set<std::string> wanted,
                                std::vector<Intent>& intents) {
  const std::string user_id = known.subject.person;
  const bool active = known.active;
  DUHUI_TRY(accounts, desk_.subjects().accounts_of(user_id));
  const Account* best = nullptr;
  for (const auto& [place, account] : accounts) {
    if (!account.secret) continue;
    if (best == nullptr || is_newer(*account.secret, *best->secret)) best = &account;
  }
  if (best == nullptr) return Done{};
  for (const auto& [place, account] : accounts) {
    const bool disabled = !active || !wanted.contains(place);
    wanted.erase(place);
    CredentialChange change;
    if (account.disabled != disabled) change.disabled = disabled;
    if (account.key != best->key) change.key = best->key;
    if (!account.secret || is_newer(*best->secret, *account.secret)) {
      change.secret = best->secret;
    }
    if (!change.disabled && !change.key && !change.secret) continue;
    intents.push_back(change_credential(user_id, place, change));
  }
  if (!active) return Done{};
  for (const std::string& place : wanted) {
    intents.push_back(create_credential(
        user_id, place, {.key = best->key, .disabled = false, .secret = best->secret}));
  }
  return Done{};
}

Result<std::set<std::string>> AccountDesk::everybody() {
  std::set<std::string> users;
  api::RecordQuery query{.type = Schema::instance().find("credential")->rule.type(),
                         .limit = kPage};
  for (;;) {
    DUHUI_TRY(rows, records_.list(query));
    for (const api::RecordRow& row : rows) {
      DUHUI_TRY(state, records_.state(row.id));
      if (const auto account = state ? read_account(*state) : std::nullopt) {
        users.insert(account->user_id);
      }
    }
    if (rows.size() < kPage) return users;
    query.after = rows.back().id;
  }
}

Result<std::size_t> AccountDesk::refresh() {
  DUHUI_TRY(users, everybody());
  std::vector<Intent> intents;
  Places places(records_);
  for (const std::string& user_id : users) {
    DUHUI_CHECK_OK(add_changes(places, user_id, intents));
  }
  const std::size_t count = intents.size();
  DUHUI_CHECK_OK(save(std::move(intents), {.kind = Subject::Kind::operator_}));
  for (const std::string& user_id : users) desk_.subjects().forget(user_id);
  return count;
}

Status AccountDesk::set_disabled(const std::string& name, bool disabled, const Subject& by) {
  DUHUI_TRY(user_id, id_of(name));
  DUHUI_CHECK_OK(note(by, disabled ? "account.disable" : "account.enable", user_id));
  // Locked out first: should the second part fail, nobody is in who must not be.
  DUHUI_CHECK_OK(save({status_intent(user_id, disabled ? record::v1::PERSON_STATUS_DISABLED
                                                       : record::v1::PERSON_STATUS_ACTIVE)},
                      by));
  if (disabled) desk_.end_sessions_of(user_id);
  std::vector<Intent> intents;
  Places places(records_);
  DUHUI_CHECK_OK(add_changes(places, user_id, intents));
  DUHUI_CHECK_OK(save(std::move(intents), by));
  desk_.subjects().forget(user_id);
  return Done{};
}

Status AccountDesk::save_by_hand(Places& places,
                                 const std::string& user_id,
                                 const std::set<std::string>& by_hand,
                                 const char* action,
                                 const Subject& by) {
  DUHUI_TRY(known, person(user_id));
  DUHUI_TRY(wanted, places.of(known->subject));
  wanted.insert(by_hand.begin(), by_hand.end());
  std::vector<Intent> intents;
  DUHUI_CHECK_OK(add_changes(*known, std::move(wanted), intents));
  DUHUI_CHECK_OK(note(by, action, user_id));
  DUHUI_CHECK_OK(save(std::move(intents), by));
  desk_.subjects().forget(user_id);
  // Last: what could not be carried out is not wished for either, or every later change would fail.
  const std::string text = Json(by_hand).dump();
  return hub_.change(
      [&](HubTransaction& tx) { return tx.settings().put(by_hand_key(user_id), text); });
}

Status AccountDesk::add_place(const std::string& name, const Json& body, const Subject& by) {
  DUHUI_TRY(user_id, id_of(name));
  Places places(records_);
  DUHUI_TRY(place, named_place(places, body));
  DUHUI_TRY(known, person(user_id));
  DUHUI_CHECK_OK(places.check(place, known->user));
  DUHUI_TRY(by_hand, places_by_hand(user_id));
  by_hand.insert(place);
  return save_by_hand(places, user_id, by_hand, "account.place", by);
}

Status AccountDesk::remove_place(const std::string& name, const Json& body, const Subject& by) {
  DUHUI_TRY(user_id, id_of(name));
  Places places(records_);
  DUHUI_TRY(place, named_place(places, body));
  DUHUI_TRY(by_hand, places_by_hand(user_id));
  if (by_hand.erase(place) == 0) {
    return Error{ErrorCode::not_found, "not_by_hand: " + place};
  }
  return save_by_hand(places, user_id, by_hand, "account.place.remove", by);
}

// --- answers ---

Result<Json> AccountDesk::account_json(const std::string& user_id) {
  DUHUI_TRY(known, person(user_id));
  Json json = {
      {"id", user_id},           {"login", known->user.login()}, {"name", known->user.name()},
      {"active", known->active}, {"grants", Json::array()},      {"places", Json::array()}};
  for (const Grant& grant : known->subject.grants) {
    std::string role = record::v1::Role_Name(grant.role).substr(5);
    std::ranges::transform(role, role.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    json["grants"].push_back({{"role", role}, {"scope", grant.scope}});
  }
  const auto& account = known->account;
  json["must_change"] = account && account->secret->must_change();
  json["changed_at"] = account && account->secret->changed_at_ms() > 0
                           ? Json(api::time_text(WallTime{account->secret->changed_at_ms()}))
                           : Json(nullptr);
  DUHUI_TRY(accounts, desk_.subjects().accounts_of(user_id));
  DUHUI_TRY(by_hand, places_by_hand(user_id));
  for (const auto& [place, one] : accounts) {
    json["places"].push_back(
        {{"place", place}, {"disabled", one.disabled}, {"by_hand", by_hand.erase(place) > 0}});
  }
  // Until there is a password nobody can sign in there.
  for (const std::string& place : by_hand) {
    json["places"].push_back({{"place", place}, {"disabled", true}, {"by_hand", true}});
  }
  return json;
}

Result<Json> AccountDesk::list() {
  DUHUI_TRY(users, everybody());
  Json list = Json::array();
  for (const std::string& user_id : users) {
    auto one = account_json(user_id);
    if (one) list.push_back(std::move(*one));
  }
  return list;
}

Result<Json> AccountDesk::show(const std::string& name) {
  DUHUI_TRY(user_id, id_of(name));
  return account_json(user_id);
}

}  // namespace duhui::hub
