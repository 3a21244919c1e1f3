#pragma once

#include <nlohmann/json_fwd.hpp>

#include "shared/api/record_source.h"
#include "shared/api/router.h"
#include "shared/base/result.h"

namespace duhui::api {

/// The nouns that agent and hub have in common: records, their fields, why, edits, conflicts,
/// export. Stateless but for the source; one thread at a time.
class RecordNouns {
 public:
  /// `source` outlives this.
  explicit RecordNouns(RecordSource& source) : source_(source) {}

  /// Adds the routes; this must outlive the router.
  void add_to(Router& router);

  Result<ApiResponse> create(const ApiRequest& request);
  Result<ApiResponse> list(const ApiRequest& request);
  Result<ApiResponse> show(const ApiRequest& request);
  Result<ApiResponse> field(const ApiRequest& request);
  Result<ApiResponse> why(const ApiRequest& request);
  Result<ApiResponse> edit(const ApiRequest& request);
  Result<ApiResponse> conflicts(const ApiRequest& request);
  Result<ApiResponse> export_all(const ApiRequest& request);

 private:
  struct Found;
  Result<Found> find(const ApiRequest& request);
  Result<ApiResponse> create_many(const nlohmann::json& body);

  RecordSource& source_;
};

}  // namespace duhui::api
