#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json_fwd.hpp>

#include "shared/api/list_cursor.h"
#include "shared/api/record_access.h"
#include "shared/api/record_source.h"
#include "shared/api/router.h"
#include "shared/base/result.h"
#include "shared/domain/present.h"

namespace duhui::api {

/// Something that belongs into the audit log. `detail` names fields and counts, never values.
struct AuditedAct {
  const Subject& subject;
  std::string action;  // "export", "read_restricted"
  std::string type{};
  std::string id{};
  std::string detail{};
};

/// Writes it down before the answer goes out; an error refuses the answer.
using TellAudit = std::function<Status(const AuditedAct&)>;

/// The nouns that agent and hub have in common: records, their fields, why, edits, conflicts,
/// export. Stateless but for the source; one thread at a time.
class RecordNouns {
 public:
  /// `source` outlives this.
  explicit RecordNouns(RecordSource& source, TellAudit told = {})
      : source_(source), told_(std::move(told)) {}

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
  /// `not_found`: there is none, or the subject may not read it.
  Result<Found> find(const ApiRequest& request, RecordAccess& access);
  Result<ApiResponse> create_many(const ApiRequest& request);
  Status note_restricted(const Subject& subject,
                         const Presented& shown,
                         const nlohmann::json& value,
                         std::string_view path = {});

  RecordSource& source_;
  const TellAudit told_;
  const ListCursor cursor_;
};

}  // namespace duhui::api
