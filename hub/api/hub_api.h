#pragma once

#include <string_view>

#include "hub/api/audit_desk.h"
#include "hub/api/hub_access.h"
#include "hub/api/hub_nouns.h"
#include "hub/api/hub_records.h"
#include "hub/api/proof_desk.h"
#include "shared/api/audit_actor.h"
#include "shared/api/record_nouns.h"
#include "shared/api/router.h"

namespace duhui::hub {

/// The hub's JSON API (docs/api/hub.openapi.yaml), the same over TCP, over the control socket and
/// inside the command line. Answers block; from one thread.
class HubApi {
 public:
  /// `hub` outlives this.
  explicit HubApi(HubAccess& hub)
      : records_(hub),
        record_nouns_(
            records_,
            [&hub](const api::AuditedAct& act) { return hub.audit(api::audit_entry(act)); }),
        hub_nouns_(hub, records_),
        audit_desk_(hub),
        proof_desk_(hub) {
    record_nouns_.add_to(router_);
    hub_nouns_.add_to(router_);
    audit_desk_.add_to(router_);
    proof_desk_.add_to(router_);
  }
  HubApi(const HubApi&) = delete;
  HubApi& operator=(const HubApi&) = delete;

  api::ApiResponse answer(const api::ApiCall& call) const { return router_.dispatch(call); }
  const api::Router& router() const { return router_; }

 private:
  HubRecords records_;
  api::RecordNouns record_nouns_;
  HubNouns hub_nouns_;
  AuditDesk audit_desk_;
  ProofDesk proof_desk_;
  api::Router router_;
};

}  // namespace duhui::hub
