#pragma once

#include <string>

#include "shared/api/record_nouns.h"
#include "shared/base/audit_entry.h"
#include "shared/domain/authority.h"

namespace duhui::api {

/// Who an entry of the audit log is about: an account, "operator", or nobody ("").
inline std::string audit_actor(const Subject& subject) {
  return subject.kind == Subject::Kind::operator_ ? "operator" : subject.person;
}

/// What the nouns of records tell, as an entry; `at` is not filled in.
inline AuditEntry audit_entry(const AuditedAct& act) {
  return {.actor = audit_actor(act.subject),
          .action = "record." + act.action,
          .target_type = act.type,
          .target_id = act.id,
          .outcome = "done",
          .detail = act.detail};
}

}  // namespace duhui::api
