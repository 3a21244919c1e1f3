#pragma once

#include <string>
#include <string_view>

#include "shared/base/ids.h"
#include "shared/crypto/digest.h"

namespace duhui {

/// H(0) of every stream.
std::string empty_chain();

/// H(n) = SHA-256(H(n-1) || SHA-256(op bytes)). `chain`: 32 bytes.
std::string extend_chain(std::string_view chain, std::string_view op_bytes);
/// The same from the op's digest.
std::string extend_chain(std::string_view chain, const Digest& op_digest);

/// First eight bytes of SHA-256(op bytes): what additive checksums sum up, modulo 2^64.
std::uint64_t op_checksum(std::string_view op_bytes);
std::uint64_t op_checksum(const Digest& op_digest);

/// The bytes a device signs for a batch whose last op is `last` and whose chain value is `chain`.
std::string batch_statement(const Dot& last, std::string_view chain);
/// The bytes a device signs to prove who it is on this TLS channel.
std::string device_statement(std::string_view channel_binding,
                             const DeviceId& device,
                             std::string_view public_key);
/// The bytes a hub signs for one of its own ops, so that it can be taken back from a device.
std::string seal_statement(const Dot& dot, std::string_view op_bytes);
/// The bytes a hub signs in a receipt.
std::string receipt_statement(const HubId& hub,
                              const Dot& last,
                              std::string_view chain,
                              std::int64_t hub_time_ms);

}  // namespace duhui
