#pragma once

#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/crypto/signing.h"

namespace duhui {

/// Encrypts `bytes` so that only the holder of `to`'s secret half can read them (X25519 with a key
/// made for this message, XSalsa20-Poly1305). Says nothing about who wrote them: sign inside.
/// invalid_input: `to` is not a point of the curve.
Result<std::string> seal(const PublicKey& to, std::string_view bytes);
/// corrupt_data: sealed to somebody else, or damaged.
Result<std::string> unseal(const SigningKey& key, std::string_view sealed);

/// How much longer a sealed text is than the bytes in it.
constexpr std::size_t kSealOverhead = 48;

}  // namespace duhui
