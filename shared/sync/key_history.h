#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "duhui/sync/v1/frame.pb.h"
#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/crypto/digest.h"

/// How a device that knows only an old TLS key of its hub finds the present one: each key, when it
/// was replaced, signed the pin of the next.
namespace duhui {

constexpr std::size_t kKeyStatementsMax = 64;
constexpr std::size_t kKeyHistoryBytesMax = 64 << 10;

/// The old key's word for the new one. `old_pem`: the private key that is replaced.
Result<sync::v1::KeyStatement> state_new_key(const HubId& hub,
                                             std::string_view old_pem,
                                             const Digest& new_pin,
                                             WallTime at);

/// limit_exceeded: too long or too many; corrupt_data: not a history.
Result<sync::v1::KeyHistory> parse_key_history(std::string_view bytes);

/// Whether the hub whose key is `pinned` (full or the short form of a typed ticket) now has the key
/// `presented`. `hub_id`: empty while the device was never welcomed. `refused`: it cannot be
/// proven; `detail` says why.
Status follow_keys(const sync::v1::KeyHistory& history,
                   std::string_view hub_id,
                   std::string_view pinned,
                   const Digest& presented);

}  // namespace duhui
