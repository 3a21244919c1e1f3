#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "duhui/record/v1/account.pb.h"
#include "shared/base/ids.h"
#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/crypto/password.h"
#include "shared/crypto/signing.h"
#include "shared/merge/record_state.h"
#include "shared/sync/op_builder.h"

namespace duhui {

/// Field of Credential that holds the secret.
inline constexpr std::uint32_t kSecretField = record::v1::Credential::kSecretFieldNumber;

/// A person's sign-in at one place, as far as it can be trusted.
struct Account {
  std::string user_id{};
  std::string place{};
  PublicKey key{};  // zero: none was given out
  bool disabled = false;
  /// Of all that were ever written: the newest that the person signed. Empty: none.
  std::optional<record::v1::CredentialSecret> secret{};
};

/// "u-sup-001@org-430200/org-430202/zone-430202-1/sch-001"
std::string credential_name(std::string_view user_id, std::string_view place);
RecordId credential_id(std::string_view user_id, std::string_view place);

/// Reads a credential record. Whoever wrote a secret that does not hold under the hub's public key
/// of that person wrote nothing. Empty optional: no credential, or not all of it is here.
std::optional<Account> read_account(const RecordState& state);

/// How far above the ones before it the number of a secret may be. A device that knows a password
/// could sign one with the highest number there is, and no later one of the person would ever be
/// newer: such a one counts for nothing. Nobody changes a password that often.
inline constexpr std::uint64_t kSerialStepMax = std::uint64_t{1} << 32;

/// `a` counts more than `b`.
bool is_newer(const record::v1::CredentialSecret& a, const record::v1::CredentialSecret& b);

/// Whether the secret is of that person and the signature theirs.
bool holds(const record::v1::CredentialSecret& secret,
           std::string_view user_id,
           const PublicKey& key);

/// What a new password is made of, besides the password.
struct NewSecret {
  std::string user_id{};
  std::uint64_t serial = 1;
  WallTime at{};
  bool must_change = false;
  PasswordCost cost = kPasswordCost;
};

/// Locks `seed` with the password and signs. Takes as long as the cost says.
Result<record::v1::CredentialSecret> make_secret(const Seed& seed,
                                                 const NewSecret& wanted,
                                                 std::string_view password,
                                                 Random& random);
LockedSeed locked_seed(const record::v1::CredentialSecret& secret);

/// A seed for a new account.
Seed mint_seed(Random& random);

/// What to write on a credential; absent: stays.
struct CredentialChange {
  std::optional<PublicKey> key{};
  std::optional<bool> disabled{};
  std::optional<record::v1::CredentialSecret> secret{};
};

/// JSON never carries secrets: these are the only ways to write one.
Intent create_credential(const std::string& user_id,
                         const std::string& place,
                         const CredentialChange& content);
Intent change_credential(const std::string& user_id,
                         const std::string& place,
                         const CredentialChange& change);

}  // namespace duhui
