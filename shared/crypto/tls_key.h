#pragma once

#include <string>
#include <string_view>

#include "shared/base/result.h"

/// What a hub's TLS key does besides TLS: it signs who comes after it.
namespace duhui {

/// The public half as SubjectPublicKeyInfo, DER: its SHA-256 is the pin. corrupt_data: `pem` holds
/// no private key.
Result<std::string> tls_public_key(std::string_view pem);
/// ECDSA with SHA-256, DER, by the private key in `pem`.
Result<std::string> tls_sign(std::string_view pem, std::string_view bytes);
/// False for anything that is not a signature by this P-256 key. Never trusts its arguments.
bool tls_verify(std::string_view public_key, std::string_view bytes, std::string_view signature);

}  // namespace duhui
