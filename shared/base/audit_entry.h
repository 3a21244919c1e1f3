#pragma once

#include <string>

#include "shared/base/time.h"

namespace duhui {

/// One act that somebody must answer for. Ids only: no secret, no name, no text of a record.
struct AuditEntry {
  WallTime at{};
  std::string actor{};        // id of the account; "operator": owner of the machine; "device"
  std::string device{};       // UUID of the device it came from; empty: this machine
  std::string action{};       // "ticket.create", "session.sign_in", "record.export"
  std::string target_type{};  // "device", "ticket", the name of a record type
  std::string target_id{};
  std::string outcome{};  // "done", "refused", "failed", "begun"
  std::string detail{};   // words for people and logs: counts, the reason of a refusal

  friend bool operator==(const AuditEntry&, const AuditEntry&) = default;
};

}  // namespace duhui
