#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/crypto/digest.h"

namespace duhui {

/// What the hub's IT hands to a school so that one device can join, without network at that moment.
///
/// It has two forms. The *file* carries everything. The *code* is for typing: 56 characters of base
/// 32 in groups of four, then "@host:port"; it carries the id, the secret, the first
/// `kShortPinSize` bytes of the pin and a checksum over all of it and the address; scopes and
/// expiry then come from the hub, which knows them by the id. Both detect mistyping. With the file a
/// device can seal bundles to its hub before it has ever reached it.
struct Ticket {
  std::string id;                 // eight base 32 characters: public, for lists and logs
  std::array<char, 16> secret{};  // whoever knows it may enrol one device
  std::string hub_pin;            // SHA-256 of the hub's SPKI: 32 bytes, or its first kShortPinSize
  std::string host;               // a name, an IPv4 address, or an IPv6 address without brackets
  std::uint16_t port = 0;
  std::string hub_key;              // Ed25519 of the hub: 32 bytes; empty in the code form
  std::vector<std::string> scopes;  // empty in the code form
  WallTime expires;                 // zero in the code form

  std::string_view secret_view() const { return {secret.data(), secret.size()}; }
  friend bool operator==(const Ticket&, const Ticket&) = default;
};

/// 80 bits: forging it takes 2^80 key pairs while one unused ticket is valid. A device stores the
/// full pin as soon as it has seen the hub.
constexpr std::size_t kShortPinSize = 10;
constexpr std::size_t kTicketTextMax = 8192;

/// A fresh id and secret; the caller fills in the rest.
Ticket mint_ticket(Random& random);

/// What the hub stores instead of the secret.
Digest ticket_secret_hash(std::string_view ticket_id, std::string_view secret);

/// Precondition of both: `id` and `secret` from mint_ticket, `host` valid, `port` not zero,
/// `hub_pin` at least kShortPinSize bytes (the file form wants all 32).
std::string to_ticket_code(const Ticket& ticket);
std::string to_ticket_file(const Ticket& ticket);

/// Reads either form. Forgiving about case, spaces, hyphens, O for 0, I and L for 1 in the code.
/// invalid_input: mistyped, truncated or not a ticket; `detail` is fit to show.
Result<Ticket> parse_ticket(std::string_view text);

/// Whether a hub that shows a certificate of pin `seen` is the one meant by `pin` (full or short).
bool pin_matches(std::string_view pin, const Digest& seen);

}  // namespace duhui
