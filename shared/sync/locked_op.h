#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "duhui/sync/v1/op.pb.h"
#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/crypto/digest.h"
#include "shared/crypto/vault_key.h"

namespace duhui {

/// An op is kept and sent as its exact bytes, or locked: one zero byte and a LockedOp. These read
/// either; `kept` is such bytes.

/// How much of it can be read without the key.
enum class Openness : std::uint8_t { nothing, part, all };

bool is_locked(std::string_view kept);
/// `corrupt_data`: locked, but not in its right form.
Result<sync::v1::LockedOp> read_locked(std::string_view kept);
Openness openness(std::string_view kept);

/// `open_part`: what the school may read of it, serialized; empty: nothing.
std::string lock_op(const VaultKey& key,
                    std::string_view op_bytes,
                    const sync::v1::Op& op,
                    std::string_view open_part,
                    Random& random);
/// The op's exact bytes. `corrupt_data`: not locked with this key, or not what it says to be.
Result<std::string> open_op(const VaultKey& key, std::string_view kept);

/// What Op.salt is for.
std::string make_salt(Random& random);

/// SHA-256 of the op's bytes; of a locked one, as it says.
Digest kept_digest(std::string_view kept);
/// The op as far as its place among the others needs it: record, type, scope, time and rank; of one
/// that is not locked, all of it. False: not parsable.
bool read_head(std::string_view kept, sync::v1::Op* op);

}  // namespace duhui
