#include "hub/core/device_audit.h"

#include <string>

#include "duhui/record/v1/office.pb.h"
#include "shared/merge/schema.h"

namespace duhui::hub {
namespace {

constexpr std::string_view kHubScope = "hub";  // of records that never leave it

std::uint32_t audit_type() {
  static const std::uint32_t type = Schema::instance().find("audit_event")->rule.type();
  return type;
}

}  // namespace

bool is_device_audit(const sync::v1::Op& op) {
  return op.creates() && op.scope() == kHubScope && op.record_type() == audit_type();
}

AuditEntry device_audit(const sync::v1::Op& op, const DeviceId& device, WallTime at) {
  std::string bytes;
  for (const sync::v1::Write& write : op.writes()) bytes += write.value();
  AuditEntry entry{.at = at, .actor = op.person(), .device = to_uuid_text(device.view())};
  record::v1::AuditEvent event;
  if (!event.ParseFromString(bytes)) {
    entry.action = "audit.unreadable";
    return entry;
  }
  entry.action = event.action();
  entry.target_type = event.target_type();
  entry.target_id = event.target_id();
  // "refused: wrong password"
  const std::string& told = event.detail();
  const std::size_t colon = told.find(": ");
  entry.outcome = told.substr(0, colon);
  if (colon != std::string::npos) entry.detail = told.substr(colon + 2);
  return entry;
}

}  // namespace duhui::hub
