#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "hub/api/hub_access.h"
#include "hub/api/proof_making.h"
#include "hub/core/proof_reader.h"
#include "shared/api/router.h"
#include "shared/base/result.h"

namespace duhui::hub {

/// Proof archives, made page by page; one at a time: a new one ends the one before.
class ProofDesk {
 public:
  /// `hub` outlives this.
  explicit ProofDesk(HubAccess& hub) : hub_(hub) {}

  /// Adds the routes; this must outlive the router.
  void add_to(api::Router& router);

  /// {"record","type"} or nothing for everything.
  Result<api::ApiResponse> begin(const api::ApiRequest& request);
  /// ?page=N, from 1; the newest page may be asked for again.
  Result<api::ApiResponse> page(const api::ApiRequest& request);

 private:
  HubAccess& hub_;
  std::unique_ptr<ProofMaking> making_;
  std::string number_;
  std::uint64_t pages_ = 0;
  std::string newest_page_;
};

/// The record that {"record","type"} of a request name.
Result<RecordId> record_of(const api::ApiRequest& request);

/// {"ok","problem","stream","seq","record","streams","batches","ops","records","key_fingerprint"}.
nlohmann::json findings_json(const ProofFindings& found);

/// Proves one record as the hub holds it: all of its ops, in the batches they came with.
Result<ProofFindings> verify_record(HubAccess& hub, const RecordId& record);

}  // namespace duhui::hub
