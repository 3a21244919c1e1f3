#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "hub/api/account_desk.h"
#include "hub/api/account_nouns.h"
#include "hub/api/audit_desk.h"
#include "hub/api/bundle_desk.h"
#include "hub/api/file_desk.h"
#include "hub/api/hub_access.h"
#include "hub/api/hub_nouns.h"
#include "hub/api/hub_records.h"
#include "hub/api/kept_setting.h"
#include "hub/api/proof_desk.h"
#include "hub/api/quarantine_desk.h"
#include "shared/api/audit_actor.h"
#include "shared/api/edge.h"
#include "shared/api/record_nouns.h"
#include "shared/api/refusal_log.h"
#include "shared/api/router.h"
#include "shared/api/session_nouns.h"
#include "shared/api/sign_in_audit.h"
#include "shared/api/sign_in_desk.h"

namespace duhui::hub {

/// The hub's JSON API (docs/api/hub.openapi.yaml), the same over TCP, over the control socket and
/// inside the command line. Answers block; from one thread.
class HubApi {
 public:
  /// `hub` outlives this.
  explicit HubApi(HubAccess& hub,
                  std::function<void(const api::SignInEvent&)> told = {},
                  const api::SignInLimits& limits = {})
      : records_(hub),
        tries_(hub, "sign_in/tries"),
        refusals_([&hub](AuditEntry entry) { static_cast<void>(hub.audit(std::move(entry))); }),
        desk_({.source = records_,
               .random = hub.random(),
               .tries = tries_,
               .place = Subject::Place::hub,
               .clock = [&hub] { return hub.monotonic(); },
               .told = audited(hub, std::move(told))},
              limits),
        accounts_(hub, records_, desk_),
        record_nouns_(
            records_,
            [&hub](const api::AuditedAct& act) { return hub.audit(api::audit_entry(act)); }),
        hub_nouns_(hub, records_, accounts_),
        session_nouns_(desk_, "duhui-hub", hub.facts().version),
        account_nouns_(accounts_),
        audit_desk_(hub),
        proof_desk_(hub),
        quarantine_(hub, records_),
        bundles_(hub),
        files_(hub, records_) {
    record_nouns_.add_to(router_);
    hub_nouns_.add_to(router_);
    session_nouns_.add_to(router_);
    account_nouns_.add_to(router_);
    audit_desk_.add_to(router_);
    proof_desk_.add_to(router_);
    quarantine_.add_to(router_);
    bundles_.add_to(router_);
    files_.add_to(router_);
    // Refused it is in any case, also where that cannot be written down.
    router_.on_refused([this, &hub](const api::ApiRequest& request, const api::Router::Route& route,
                                    const api::ApiResponse& answer) {
      refusals_.refused(request, route, answer, hub.monotonic());
    });
  }
  HubApi(const HubApi&) = delete;
  HubApi& operator=(const HubApi&) = delete;

  api::ApiResponse answer(const api::ApiCall& call) const { return router_.dispatch(call); }
  /// As a listener hands it on; may be deferred.
  api::ApiResponse answer(const api::EdgeRequest& request) {
    return api::answer_at_edge(router_, desk_, request);
  }
  const api::Router& router() const { return router_; }

 private:
  /// What happens at the desk goes into the audit log; where that fails the log of the service has
  /// to do, or nobody could sign in to mend it.
  std::function<void(const api::SignInEvent&)> audited(
      HubAccess& hub, std::function<void(const api::SignInEvent&)> told) {
    return [this, &hub, told = std::move(told)](const api::SignInEvent& event) {
      if (auto entry = sign_ins_.entry_of(event, hub.monotonic())) {
        static_cast<void>(hub.audit(std::move(*entry)));
      }
      if (told) told(event);
    };
  }

  HubRecords records_;
  KeptSetting tries_;
  api::SignInAudit sign_ins_;
  api::RefusalLog refusals_;
  api::SignInDesk desk_;
  AccountDesk accounts_;
  api::RecordNouns record_nouns_;
  HubNouns hub_nouns_;
  api::SessionNouns session_nouns_;
  AccountNouns account_nouns_;
  AuditDesk audit_desk_;
  ProofDesk proof_desk_;
  QuarantineDesk quarantine_;
  BundleDesk bundles_;
  FileDesk files_;
  api::Router router_;
};

}  // namespace duhui::hub
