#pragma once

#include <string>
#include <string_view>

#include "shared/crypto/digest.h"

namespace duhui::net {

/// The head of an upgrade's answer in which a hub behind a TLS proxy gives its nonce (base64url).
constexpr std::string_view kNonceHeader = "Duhui-Binding";
constexpr std::size_t kNonceBytes = 32;

/// Of a session over POST: one connection opened it, many carry it. `exporter`: of the one that
/// opened it; `session`: the id the hub gave it there.
inline std::string post_binding(std::string_view exporter, std::string_view session) {
  return sha256(sha256("duhui post binding v1\n", exporter).view(), session).str();
}

/// Where TLS ends at a proxy that has the hub's key, the two ends have no exporter in common. What
/// the hub has drawn for this session, and the key that was shown, are what is left.
inline std::string proxied_binding(std::string_view nonce, const Digest& pin) {
  return sha256(sha256("duhui proxied binding v1\n", nonce).view(), pin.view()).str();
}

}  // namespace duhui::net
