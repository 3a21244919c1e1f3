#pragma once

#include <functional>
#include <vector>

#include "hub/api/account_desk.h"
#include "shared/api/router.h"

namespace duhui::hub {

/// Accounts over HTTP. Passwords come in and never go out.
class AccountNouns {
 public:
  /// `desk` outlives this.
  explicit AccountNouns(AccountDesk& desk) : desk_(desk) {}

  /// Adds the routes; this must outlive the router.
  void add_to(api::Router& router);

  Result<api::ApiResponse> list(const api::ApiRequest& request);
  Result<api::ApiResponse> show(const api::ApiRequest& request);
  Result<api::ApiResponse> create(const api::ApiRequest& request);
  Result<api::ApiResponse> set_password(const api::ApiRequest& request);
  Result<api::ApiResponse> set_passwords(const api::ApiRequest& request);
  Result<api::ApiResponse> disable(const api::ApiRequest& request);
  Result<api::ApiResponse> enable(const api::ApiRequest& request);
  Result<api::ApiResponse> add_place(const api::ApiRequest& request);
  Result<api::ApiResponse> remove_place(const api::ApiRequest& request);

 private:
  using Finish = std::function<Result<api::ApiResponse>(std::vector<GivenPassword>&)>;
  static api::ApiResponse deferred(std::vector<GivenPassword> given, Finish finish);
  Result<api::ApiResponse> set_disabled(const api::ApiRequest& request, bool disabled);

  AccountDesk& desk_;
};

}  // namespace duhui::hub
