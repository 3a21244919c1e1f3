#include "hub/api/account_nouns.h"

#include <memory>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

/// Each takes a tenth of a second.
constexpr std::size_t kPasswordsAtOnceMax = 100;

/// Whether the person has to choose another one first: yes, unless the request says otherwise.
Result<bool> must_change(const Json& body) {
  const auto at = body.is_object() ? body.find("must_change") : body.end();
  if (!body.is_object() || at == body.end()) return true;
  if (!at->is_boolean()) return Error{ErrorCode::invalid_input, "wrong_type: must_change"};
  return at->get<bool>();
}

}  // namespace

void AccountNouns::add_to(api::Router& router) {
  using Handler = Result<api::ApiResponse> (AccountNouns::*)(const api::ApiRequest&);
  const auto bind = [this](Handler handler) {
    return [this, handler](const api::ApiRequest& request) { return (this->*handler)(request); };
  };
  const api::Need look{Verb::read, Thing::accounts};
  const api::Need manage{Verb::manage, Thing::accounts};
  router.add("GET", "/accounts", look, bind(&AccountNouns::list));
  router.add("POST", "/accounts", manage, bind(&AccountNouns::create));
  router.add("POST", "/accounts/passwords", manage, bind(&AccountNouns::set_passwords));
  router.add("GET", "/accounts/{id}", look, bind(&AccountNouns::show));
  router.add("POST", "/accounts/{id}/password", manage, bind(&AccountNouns::set_password));
  router.add("POST", "/accounts/{id}/disable", manage, bind(&AccountNouns::disable));
  router.add("POST", "/accounts/{id}/enable", manage, bind(&AccountNouns::enable));
  router.add("POST", "/accounts/{id}/places", manage, bind(&AccountNouns::add_place));
  router.add("POST", "/accounts/{id}/places/remove", manage, bind(&AccountNouns::remove_place));
}

api::ApiResponse AccountNouns::deferred(std::vector<GivenPassword> given, Finish finish) {
  const auto shared = std::make_shared<std::vector<GivenPassword>>(std::move(given));
  api::ApiResponse answer;
  answer.deferred = std::make_shared<api::Deferred>(
      api::Deferred{[shared] {
                      for (GivenPassword& one : *shared) one.make();
                    },
                    [shared, finish = std::move(finish)] {
                      auto done = finish(*shared);
                      return done ? std::move(*done) : api::error_answer(done.error());
                    }});
  return answer;
}

Result<api::ApiResponse> AccountNouns::list(const api::ApiRequest&) {
  DUHUI_TRY(accounts, desk_.list());
  return api::ApiResponse{200, {{"accounts", std::move(accounts)}}};
}

Result<api::ApiResponse> AccountNouns::show(const api::ApiRequest& request) {
  DUHUI_TRY(account, desk_.show(request.names.at("id")));
  return api::ApiResponse{200, std::move(account)};
}

Result<api::ApiResponse> AccountNouns::create(const api::ApiRequest& request) {
  DUHUI_TRY(password, request.body_text("password"));
  DUHUI_TRY(change, must_change(request.body));
  DUHUI_CHECK_OK(desk_.check_new(request.body, password));
  Json body = request.body;
  body.erase("password");
  DUHUI_TRY(id, desk_.create(body, request.subject));
  DUHUI_TRY(given, desk_.prepare(id, std::move(password), change));
  return deferred({std::move(given)},
                  [this, id, by = request.subject](
                      std::vector<GivenPassword>& made) -> Result<api::ApiResponse> {
                    DUHUI_CHECK_OK(desk_.give(made, by));
                    DUHUI_TRY(account, desk_.show(id));
                    return api::ApiResponse{201, std::move(account)};
                  });
}

Result<api::ApiResponse> AccountNouns::set_password(const api::ApiRequest& request) {
  DUHUI_TRY(password, request.body_text("password"));
  DUHUI_TRY(change, must_change(request.body));
  DUHUI_TRY(given, desk_.prepare(request.names.at("id"), std::move(password), change));
  const std::string id = given.user_id;
  return deferred({std::move(given)},
                  [this, id, by = request.subject](
                      std::vector<GivenPassword>& made) -> Result<api::ApiResponse> {
                    DUHUI_CHECK_OK(desk_.give(made, by));
                    DUHUI_TRY(account, desk_.show(id));
                    return api::ApiResponse{200, std::move(account)};
                  });
}

Result<api::ApiResponse> AccountNouns::set_passwords(const api::ApiRequest& request) {
  DUHUI_TRY(change, must_change(request.body));
  const Json rows = request.body.is_object() ? request.body.value("rows", Json()) : Json();
  if (!rows.is_array()) return Error{ErrorCode::invalid_input, "wrong_type: rows: a list"};
  if (rows.size() > kPasswordsAtOnceMax) {
    return Error{ErrorCode::limit_exceeded, "rows: at most " + std::to_string(kPasswordsAtOnceMax)};
  }
  std::vector<GivenPassword> all;
  for (const Json& row : rows) {
    const std::string place = "row " + std::to_string(all.size() + 1) + ": ";
    const bool fits = row.is_object() && row.contains("login") && row["login"].is_string() &&
                      row.contains("password") && row["password"].is_string();
    if (!fits) return Error{ErrorCode::invalid_input, place + "login and password"};
    auto given =
        desk_.prepare(row["login"].get<std::string>(), row["password"].get<std::string>(), change);
    if (!given) return Error{given.error().code, place + given.error().detail};
    for (const GivenPassword& other : all) {
      if (other.user_id != given->user_id) continue;
      return Error{ErrorCode::invalid_input, place + "twice in these rows: " + given->user_id};
    }
    all.push_back(std::move(*given));
  }
  return deferred(
      std::move(all),
      [this, by = request.subject](std::vector<GivenPassword>& made) -> Result<api::ApiResponse> {
        DUHUI_CHECK_OK(desk_.give(made, by));
        return api::ApiResponse{200, {{"set", made.size()}}};
      });
}

Result<api::ApiResponse> AccountNouns::set_disabled(const api::ApiRequest& request, bool disabled) {
  DUHUI_CHECK_OK(desk_.set_disabled(request.names.at("id"), disabled, request.subject));
  return show(request);
}

Result<api::ApiResponse> AccountNouns::disable(const api::ApiRequest& request) {
  return set_disabled(request, true);
}

Result<api::ApiResponse> AccountNouns::enable(const api::ApiRequest& request) {
  return set_disabled(request, false);
}

Result<api::ApiResponse> AccountNouns::add_place(const api::ApiRequest& request) {
  DUHUI_CHECK_OK(desk_.add_place(request.names.at("id"), request.body, request.subject));
  return show(request);
}

Result<api::ApiResponse> AccountNouns::remove_place(const api::ApiRequest& request) {
  DUHUI_CHECK_OK(desk_.remove_place(request.names.at("id"), request.body, request.subject));
  return show(request);
}

}  // namespace duhui::hub
