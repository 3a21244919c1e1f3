#include "hub/app/tls_rotation.h"

#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "hub/core/audit.h"
#include "shared/base/bytes.h"
#include "shared/sync/key_history.h"

namespace duhui::hub {
namespace {

std::string next_file(const std::string& path) { return path + "/tls.next"; }
std::string history_file(const std::string& path) { return path + "/tls.history"; }

Status remove_next(const std::string& path) {
  if (::unlink(next_file(path).c_str()) == 0 || errno == ENOENT) return Done{};
  return Error{ErrorCode::storage_failed, "remove tls.next: " + std::string(std::strerror(errno))};
}

}  // namespace

Result<std::string> read_key_history(const std::string& path) {
  auto bytes = read_file(history_file(path));
  if (!bytes && bytes.error().code == ErrorCode::not_found) return std::string();
  return bytes;
}

Status finish_tls_rotation(const std::string& path) {
  auto next = read_file(next_file(path));
  if (!next && next.error().code == ErrorCode::not_found) return Done{};
  if (!next) return std::move(next).error();
  const auto identity = net::parse_tls_identity(*next);
  DUHUI_TRY(bytes, read_key_history(path));
  DUHUI_TRY(history, parse_key_history(bytes));
  const bool stated =
      identity && history.statements_size() > 0 &&
      history.statements(history.statements_size() - 1).new_pin() == identity->pin.view();
  if (stated) DUHUI_CHECK_OK(write_tls_identity(path, *identity));
  return remove_next(path);
}

Result<Digest> rotate_tls_key(HubFolder& folder, WallTime now) {
  const std::string& path = folder.path();
  DUHUI_TRY(bytes, read_key_history(path));
  DUHUI_TRY(history, parse_key_history(bytes));
  if (history.statements_size() >= static_cast<int>(kKeyStatementsMax)) {
    return Error{ErrorCode::limit_exceeded, "key history: full"};
  }
  DUHUI_TRY(identity, net::make_tls_identity(folder.name()));
  DUHUI_TRY(said, state_new_key(folder.id(), folder.tls().pem, identity.pin, now));
  *history.add_statements() = std::move(said);
  const AuditEntry entry{.at = now,
                         .actor = "operator",
                         .action = "key.rotate",
                         .target_type = "tls_key",
                         .target_id = to_hex(identity.pin.view()),
                         .outcome = "begun",
                         .detail = "old=" + to_hex(folder.tls().pin.view())};
  DUHUI_CHECK_OK(folder.store().write([&](HubTransaction& tx) { return append_audit(tx, entry); }));
  // The new key is on the disk before anybody is told of it, the statement before it is used.
  DUHUI_CHECK_OK(write_file(next_file(path), identity.pem, true));
  DUHUI_CHECK_OK(write_file(history_file(path), history.SerializeAsString(), false));
  DUHUI_CHECK_OK(finish_tls_rotation(path));
  return identity.pin;
}

}  // namespace duhui::hub
