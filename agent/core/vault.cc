#include "agent/core/vault.h"

#include "shared/crypto/sealing.h"
#include "shared/domain/school_part.h"
#include "shared/sync/limits.h"
#include "shared/sync/locked_op.h"

namespace duhui::agent {

Vault::State Vault::state() const {
  if (key_) return State::open;
  return keepers_.keepers().empty() ? State::none : State::locked;
}

Status Vault::unlock(const SigningKey& person) {
  for (const sync::v1::Vault::Keeper& keeper : keepers_.keepers()) {
    if (keeper.sealed_key().empty() || keeper.public_key() != person.public_key().view()) continue;
    DUHUI_TRY(bytes, unseal(person, keeper.sealed_key()));
    key_ = VaultKey::from_bytes(bytes);
    if (!key_) return Error{ErrorCode::corrupt_data, "vault: not a key"};
    return Done{};
  }
  return Error{ErrorCode::not_found, "vault: no key for this person"};
}

bool Vault::read(std::string_view kept, sync::v1::Op* op) const {
  if (!is_locked(kept)) return op->ParseFromArray(kept.data(), static_cast<int>(kept.size()));
  if (key_) {
    if (const auto bytes = open_op(*key_, kept)) return op->ParseFromString(*bytes);
  }
  const auto locked = read_locked(kept);
  return locked && !locked->open_part().empty() && op->ParseFromString(locked->open_part());
}

Result<std::string> Vault::exact(std::string_view kept) const {
  if (!is_locked(kept)) return std::string(kept);
  if (!key_) return Error{ErrorCode::unavailable, "the vault is locked"};
  return open_op(*key_, kept);
}

std::string Vault::keep(std::string_view op_bytes,
                        const sync::v1::Op& op,
                        bool open,
                        Random& random) const {
  if (!key_) return std::string(op_bytes);
  sync::v1::Op part;
  switch (school_part(Schema::instance().find(op.record_type()), open, op, &part)) {
    case SchoolPart::all:
      break;
    case SchoolPart::some:
      if (op_bytes.size() <= sync_limits::kOpenPartBytesMax) {
        return lock_op(*key_, op_bytes, op, part.SerializeAsString(), random);
      }
      [[fallthrough]];
    case SchoolPart::nothing:
      return lock_op(*key_, op_bytes, op, {}, random);
  }
  return std::string(op_bytes);
}

std::string_view to_string(Vault::State state) {
  switch (state) {
    case Vault::State::none:
      return "none";
    case Vault::State::locked:
      return "locked";
    case Vault::State::open:
      return "open";
  }
  return {};
}

}  // namespace duhui::agent
