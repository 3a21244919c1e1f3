#include "shared/api/session_nouns.h"

#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "shared/api/record_answer.h"
#include "shared/domain/authority.h"

namespace duhui::api {
namespace {

using Json = nlohmann::json;

/// "ROLE_DISTRICT_OFFICER" -> "district_officer"
std::string role_name(record::v1::Role role) {
  std::string name = record::v1::Role_Name(role);
  if (name.starts_with("ROLE_")) name.erase(0, 5);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

record::v1::Role role_named(const std::string& name) {
  std::string upper = "ROLE_" + name;
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  record::v1::Role role = record::v1::ROLE_UNSPECIFIED;
  return record::v1::Role_Parse(upper, &role) ? role : record::v1::ROLE_UNSPECIFIED;
}

Json person_json(const Session& session, const Subject& subject) {
  Json roles = Json::array();
  for (const Grant& grant : subject.grants) roles.push_back(role_name(grant.role));
  Json person = {{"id", session.person},
                 {"name", session.name.empty() ? session.person : session.name},
                 {"roles", std::move(roles)}};
  if (!subject.school_id.empty()) person["school_id"] = subject.school_id;
  if (!subject.supervisor_id.empty()) person["supervisor_id"] = subject.supervisor_id;
  return person;
}

std::pair<std::string, std::string> cookie_header(const std::string& token) {
  const std::string age = token.empty() ? "; Max-Age=0" : "";
  return {"Set-Cookie",
          std::string(kSessionCookie) + "=" + token + "; Path=/; HttpOnly; SameSite=Strict" + age};
}

ApiResponse refusal(const Error& error) {
  ApiResponse answer = error_answer(error);
  if (error.code == ErrorCode::throttled) {
    answer.headers.emplace_back("Retry-After", std::to_string(wait_seconds(error)));
  }
  return answer;
}

}  // namespace

void SessionNouns::add_to(Router& router) {
  using Handler = Result<ApiResponse> (SessionNouns::*)(const ApiRequest&);
  const auto bind = [this](Handler handler) {
    return [this, handler](const ApiRequest& request) -> Result<ApiResponse> {
      auto answer = (this->*handler)(request);
      return answer ? std::move(*answer) : refusal(answer.error());
    };
  };
  router.add("GET", "/health", {Verb::read, Thing::health}, bind(&SessionNouns::health));
  router.add("GET", "/session", {Verb::read, Thing::session}, bind(&SessionNouns::show));
  router.add("POST", "/session", {Verb::create, Thing::session}, bind(&SessionNouns::sign_in));
  router.add("DELETE", "/session", {Verb::edit, Thing::session}, bind(&SessionNouns::sign_out));
  router.add("POST", "/session/lock", {Verb::edit, Thing::session}, bind(&SessionNouns::lock));
  router.add("POST", "/session/unlock", {Verb::edit, Thing::session}, bind(&SessionNouns::unlock));
  router.add("POST", "/session/password", {Verb::edit, Thing::session},
             bind(&SessionNouns::change_password));
}

Result<ApiResponse> SessionNouns::health(const ApiRequest&) {
  return ApiResponse{200, {{"program", program_}, {"version", version_}}};
}

Result<ApiResponse> SessionNouns::answer_for(const std::string& token, bool local) {
  DUHUI_TRY(visit, desk_.visit(token, false));
  Json body = {{"person", nullptr}};
  if (visit.session == nullptr) {
    DUHUI_TRY(provisional, desk_.is_provisional());
    body["provisional"] = provisional && local;
    return ApiResponse{200, std::move(body)};
  }
  const Session& session = *visit.session;
  body["person"] = person_json(session, visit.subject);
  body["csrf"] = session.csrf;
  body["sign_in"] = sign_in_name(session.sign_in);
  body["must_change"] = visit.must_change;
  body["locked"] = session.locked;
  body["idle_s"] = desk_.limits().idle.ms / 1000;
  body["others"] = Json::array();
  for (const auto& [id, name] : session.others) {
    body["others"].push_back({{"id", id}, {"name", name.empty() ? id : name}});
  }
  return ApiResponse{200, std::move(body)};
}

Result<ApiResponse> SessionNouns::show(const ApiRequest& request) {
  return answer_for(request.session, request.local);
}

ApiResponse SessionNouns::deferred(
    PasswordTrial trial, std::function<Result<ApiResponse>(PasswordTrial&)> finish) const {
  const auto shared = std::make_shared<PasswordTrial>(std::move(trial));
  ApiResponse answer;
  answer.deferred =
      std::make_shared<Deferred>(Deferred{[shared] { shared->run(); },
                                          [shared, finish = std::move(finish)] {
                                            auto done = finish(*shared);
                                            return done ? std::move(*done) : refusal(done.error());
                                          }});
  return answer;
}

Result<ApiResponse> SessionNouns::sign_in(const ApiRequest& request) {
  DUHUI_TRY(password, request.body_text("password"));
  const bool by_login = request.body.contains("login") && !request.body.contains("user");
  DUHUI_TRY(name, request.body_text(by_login ? "login" : "user"));
  const Json wanted = request.body.value("provisional", Json(false));
  const bool provisional = wanted.is_boolean() && wanted.get<bool>();
  Result<PasswordTrial> trial = [&] {
    if (!provisional) return desk_.begin_sign_in(name, std::move(password), request.peer);
    if (!request.local) {
      return Result<PasswordTrial>(
          Error{ErrorCode::forbidden, "not_here: by name only at the machine itself"});
    }
    const Json role = request.body.value("role", Json("responsible_supervisor"));
    return desk_.begin_provisional(
        name, std::move(password),
        role.is_string() ? role_named(role.get<std::string>()) : record::v1::ROLE_UNSPECIFIED);
  }();
  if (!trial) return std::move(trial).error();
  return deferred(std::move(*trial),
                  [this, old = request.session,
                   local = request.local](PasswordTrial& done) -> Result<ApiResponse> {
                    DUHUI_TRY(signed_in, desk_.finish_sign_in(done, old));
                    DUHUI_TRY(answer, answer_for(signed_in.token, local));
                    answer.headers.push_back(cookie_header(signed_in.token));
                    return answer;
                  });
}

Result<ApiResponse> SessionNouns::sign_out(const ApiRequest& request) {
  desk_.sign_out(request.session);
  DUHUI_TRY(answer, answer_for({}, request.local));
  answer.headers.push_back(cookie_header({}));
  return answer;
}

Result<ApiResponse> SessionNouns::lock(const ApiRequest& request) {
  desk_.lock(request.session);
  return answer_for(request.session, request.local);
}

Result<ApiResponse> SessionNouns::unlock(const ApiRequest& request) {
  DUHUI_TRY(password, request.body_text("password"));
  DUHUI_TRY(trial, desk_.begin_unlock(request.session, std::move(password), request.peer));
  return deferred(std::move(trial),
                  [this, token = request.session,
                   local = request.local](PasswordTrial& done) -> Result<ApiResponse> {
                    DUHUI_CHECK_OK(desk_.finish_unlock(done, token));
                    return answer_for(token, local);
                  });
}

Result<ApiResponse> SessionNouns::change_password(const ApiRequest& request) {
  DUHUI_TRY(old_password, request.body_text("old"));
  DUHUI_TRY(new_password, request.body_text("new"));
  DUHUI_TRY(trial, desk_.begin_change(request.session, std::move(old_password),
                                      std::move(new_password), request.peer));
  return deferred(std::move(trial),
                  [this, token = request.session,
                   local = request.local](PasswordTrial& done) -> Result<ApiResponse> {
                    DUHUI_CHECK_OK(desk_.finish_change(done, token));
                    return answer_for(token, local);
                  });
}

}  // namespace duhui::api
