#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "shared/base/random.h"
#include "shared/base/result.h"

namespace duhui {

/// What one guess of a password costs (Argon2id, RFC 9106).
struct PasswordCost {
  std::uint32_t passes = 0;
  std::uint32_t memory_kib = 0;

  friend bool operator==(const PasswordCost&, const PasswordCost&) = default;
};

/// Of passwords that are set now: a tenth of a second and 64 MiB, which an old PC bears.
inline constexpr PasswordCost kPasswordCost{.passes = 2, .memory_kib = 64 * 1024};
/// What a stored password may ask of this machine: nobody can exhaust it with one.
inline constexpr PasswordCost kPasswordCostMax{.passes = 10, .memory_kib = 256 * 1024};

/// Characters, whatever they take in bytes; of digits alone there must be more.
inline constexpr std::size_t kPasswordLengthMin = 8;
inline constexpr std::size_t kPasswordDigitsMin = 10;
inline constexpr std::size_t kPasswordBytesMax = 128;

using Seed = std::array<char, 32>;

/// A seed that only a password opens.
struct LockedSeed {
  PasswordCost cost{};
  std::string salt{};    // 16 bytes
  std::string sealed{};  // nonce, then XChaCha20-Poly1305 of the seed

  friend bool operator==(const LockedSeed&, const LockedSeed&) = default;
};

/// Takes as long as `cost` says. `limit_exceeded`: over kPasswordCostMax; `unavailable`: not
/// enough memory.
Result<LockedSeed> lock_seed(const Seed& seed,
                             std::string_view password,
                             const PasswordCost& cost,
                             Random& random);
/// Takes as long. `refused`: another password, or damaged; else as lock_seed().
Result<Seed> open_seed(const LockedSeed& locked, std::string_view password);

/// What opens for nobody and costs what a password of now costs: so that a name nobody has takes as
/// long as one that somebody has.
LockedSeed locked_for_nobody(Random& random);

/// Whether a person may choose it. `invalid_input` "password_short", "password_long",
/// "password_text", "password_simple": the reason, for people.
Status check_new_password(std::string_view password, std::string_view login);

/// Overwrites a secret that is no longer needed.
void wipe(std::string& secret);
void wipe(Seed& seed);

}  // namespace duhui
