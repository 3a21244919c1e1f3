#pragma once

#include <functional>
#include <string>

#include "shared/api/router.h"
#include "shared/api/sign_in_desk.h"

namespace duhui::api {

inline constexpr std::string_view kSessionCookie = "duhui_session";

/// Signing in and out over HTTP, the same at agent and hub; and GET /health.
class SessionNouns {
 public:
  /// `desk` outlives this. `program`: "duhui-agent".
  SessionNouns(SignInDesk& desk, std::string program, std::string version)
      : desk_(desk), program_(std::move(program)), version_(std::move(version)) {}

  /// Adds the routes; this must outlive the router.
  void add_to(Router& router);

  Result<ApiResponse> health(const ApiRequest& request);
  Result<ApiResponse> show(const ApiRequest& request);
  /// Answers that take a password are deferred.
  Result<ApiResponse> sign_in(const ApiRequest& request);
  Result<ApiResponse> sign_out(const ApiRequest& request);
  Result<ApiResponse> lock(const ApiRequest& request);
  Result<ApiResponse> unlock(const ApiRequest& request);
  Result<ApiResponse> change_password(const ApiRequest& request);

 private:
  Result<ApiResponse> answer_for(const std::string& token, bool local);
  ApiResponse deferred(PasswordTrial trial,
                       std::function<Result<ApiResponse>(PasswordTrial&)> finish) const;

  SignInDesk& desk_;
  const std::string program_;
  const std::string version_;
};

}  // namespace duhui::api
