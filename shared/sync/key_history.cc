#include "shared/sync/key_history.h"

#include "shared/base/bytes.h"
#include "shared/crypto/ticket.h"
#include "shared/crypto/tls_key.h"

namespace duhui {
namespace {

std::string statement_bytes(const sync::v1::KeyStatement& said) {
  std::string bytes = "duhui key v1\n";
  const auto add = [&](std::string_view part) {
    append_big_endian_32(bytes, static_cast<std::uint32_t>(part.size()));
    bytes.append(part);
  };
  add(said.hub_id());
  add(said.old_key());
  add(said.new_pin());
  std::string at;
  append_big_endian_64(at, static_cast<std::uint64_t>(said.at_ms()));
  add(at);
  return bytes;
}

}  // namespace

Result<sync::v1::KeyStatement> state_new_key(const HubId& hub,
                                             std::string_view old_pem,
                                             const Digest& new_pin,
                                             WallTime at) {
  DUHUI_TRY(old_key, tls_public_key(old_pem));
  sync::v1::KeyStatement said;
  said.set_hub_id(hub.str());
  said.set_old_key(old_key);
  said.set_new_pin(new_pin.str());
  said.set_at_ms(at.ms);
  DUHUI_TRY(signature, tls_sign(old_pem, statement_bytes(said)));
  said.set_signature(signature);
  return said;
}

Result<sync::v1::KeyHistory> parse_key_history(std::string_view bytes) {
  if (bytes.size() > kKeyHistoryBytesMax) {
    return Error{ErrorCode::limit_exceeded, "key history: too long"};
  }
  sync::v1::KeyHistory history;
  if (!history.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error{ErrorCode::corrupt_data, "key history: not readable"};
  }
  if (history.statements_size() > static_cast<int>(kKeyStatementsMax)) {
    return Error{ErrorCode::limit_exceeded, "key history: too many statements"};
  }
  return history;
}

Status follow_keys(const sync::v1::KeyHistory& history,
                   std::string_view hub_id,
                   std::string_view pinned,
                   const Digest& presented) {
  std::string pin(pinned);
  std::string hub(hub_id);
  for (const sync::v1::KeyStatement& said : history.statements()) {
    if (!pin_matches(pin, sha256(said.old_key()))) continue;
    // From the key we trust on, every step must be sound: a hub keeps no broken ones.
    if (!tls_verify(said.old_key(), statement_bytes(said), said.signature())) {
      return Error{ErrorCode::refused, "hub key changed, and the statement about it is forged"};
    }
    if (said.new_pin().size() != presented.view().size() ||
        (!hub.empty() && said.hub_id() != hub)) {
      return Error{ErrorCode::refused, "hub key changed, and the statement is of another hub"};
    }
    hub = said.hub_id();
    pin = said.new_pin();
  }
  if (pin.size() == presented.view().size() && pin != pinned && pin_matches(pin, presented)) {
    return Done{};
  }
  return Error{ErrorCode::refused, "hub key changed without a statement"};
}

}  // namespace duhui
