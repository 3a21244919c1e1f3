#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "shared/base/result.h"
#include "shared/crypto/digest.h"
#include "shared/crypto/vault_key.h"
#include "shared/sync/blob_store.h"

namespace duhui {

/// Files that lie locked: each chunk with the vault's key, one behind the other, named by the hash
/// of what they are without their lock.

/// How many bytes a file of `size` has when it is locked.
std::uint64_t locked_size(std::uint64_t size);
/// The other way round.
std::uint64_t unlocked_size(std::uint64_t size);

/// Up to `count` plain bytes from `offset`.
using ReadPlain = std::function<Result<std::string>(std::uint64_t offset, std::size_t count)>;

/// Locks what `read` gives into `locked`, durable. `corrupt_data`: it ends before `size`.
Status lock_file(const VaultKey& key,
                 const Digest& sha256,
                 std::uint64_t size,
                 const ReadPlain& read,
                 BlobStore& locked);

/// Up to `count` plain bytes from `offset` of a file that has `size` of them.
Result<std::string> read_locked(const VaultKey& key,
                                const Digest& sha256,
                                std::uint64_t size,
                                BlobStore& locked,
                                std::uint64_t offset,
                                std::size_t count);

/// A chunk as it lies there.
Result<std::string> locked_chunk(BlobStore& locked, const Digest& sha256, std::uint32_t index);

}  // namespace duhui
