#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "duhui/sync/v1/op.pb.h"
#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/crypto/signing.h"
#include "shared/crypto/vault_key.h"
#include "shared/merge/schema.h"

namespace duhui::agent {

/// What this device holds and the inspected school, whose PC it may be, must not read: ops are
/// locked with a key that is here only while somebody is signed in whom the hub gave it to.
class Vault {
 public:
  enum class State : std::uint8_t {
    none,    // the hub has named nobody who could open one: nothing is locked
    locked,  // what is locked cannot be read
    open,
  };

  /// Those whom the hub has given the key.
  void set_keepers(sync::v1::Vault keepers) { keepers_ = std::move(keepers); }
  const sync::v1::Vault& keepers() const { return keepers_; }
  State state() const;

  /// `not_found`: the hub gave this person no key (yet).
  Status unlock(const SigningKey& person);
  void lock() { key_.reset(); }
  /// Null: not open.
  const VaultKey* key() const { return key_ ? &*key_ : nullptr; }

  /// The op as it can be read now: all of it, or the part that the school may read. False: nothing.
  bool read(std::string_view kept, sync::v1::Op* op) const;
  /// The op's exact bytes. `unavailable`: locked.
  Result<std::string> exact(std::string_view kept) const;
  /// How an op is kept on this device. `open`: whether the school may read its record. While the
  /// vault cannot lock, as it is: then it was the school itself that wrote it.
  std::string keep(std::string_view op_bytes,
                   const sync::v1::Op& op,
                   bool open,
                   Random& random) const;

 private:
  sync::v1::Vault keepers_;
  std::optional<VaultKey> key_;
};

std::string_view to_string(Vault::State state);

}  // namespace duhui::agent
