#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "agent/api/agent_records.h"
#include "agent/core/delivery.h"
#include "agent/core/replica.h"
#include "shared/api/router.h"
#include "shared/base/result.h"

namespace duhui::agent {

/// How far a record and its files have come on their way to the hub, in words and with the hub's
/// receipts, and files that somebody here wants to see.
///
///   GET  /records/{id}/delivery
///   POST /records/{id}/fetch     {"sha256"}
///
/// Nothing in it says "delivered" that the hub has not signed. Used on the replica's thread.
class DeliveryDesk {
 public:
  /// False: there is no hub now.
  using Fetch = std::function<bool(const BlobName&)>;

  /// All outlive this.
  DeliveryDesk(Replica& replica, AgentRecords& records, Fetch fetch)
      : replica_(replica), records_(records), fetch_(std::move(fetch)) {}

  /// This must outlive the router.
  void add_to(api::Router& router);
  /// How a fetch ended.
  void fetched(const BlobName& name, const Status& how);

 private:
  struct Found;
  Result<Found> find(const api::ApiRequest& request);
  Result<api::ApiResponse> show(const api::ApiRequest& request);
  Result<api::ApiResponse> fetch(const api::ApiRequest& request);
  Result<nlohmann::json> file_json(const RecordId& record, const nlohmann::json& named);

  Replica& replica_;
  AgentRecords& records_;
  const Fetch fetch_;
  /// What was asked for in this run; empty: not answered yet.
  std::map<BlobName, std::optional<Error>> asked_;
};

}  // namespace duhui::agent
