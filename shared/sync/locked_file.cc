#include "shared/sync/locked_file.h"

#include <algorithm>
#include <string_view>

#include "shared/sync/chunk_map.h"
#include "shared/sync/limits.h"

namespace duhui {
namespace {

using sync_limits::kChunkBytes;
constexpr std::uint64_t kLockedChunkBytes = kChunkBytes + VaultKey::kChunkLockBytes;

}  // namespace

std::uint64_t locked_size(std::uint64_t size) {
  return size + ChunkMap(size).chunks() * VaultKey::kChunkLockBytes;
}

std::uint64_t unlocked_size(std::uint64_t size) {
  const std::uint64_t chunks = (size + kLockedChunkBytes - 1) / kLockedChunkBytes;
  return size - std::min(size, chunks * VaultKey::kChunkLockBytes);
}

Status lock_file(const VaultKey& key,
                 const Digest& sha256,
                 std::uint64_t size,
                 const ReadPlain& read,
                 BlobStore& locked) {
  const BlobName name{sha256, locked_size(size), RecordId{}};
  std::string waiting;
  std::uint32_t written = 0;
  for (std::uint32_t index = 0; index < ChunkMap(size).chunks(); ++index) {
    DUHUI_TRY(plain, read(std::uint64_t{index} * kChunkBytes, kChunkBytes));
    waiting += key.lock_chunk(sha256.view(), index, plain);
    for (; waiting.size() >= kChunkBytes; waiting.erase(0, kChunkBytes)) {
      const std::string_view next = std::string_view(waiting).substr(0, kChunkBytes);
      DUHUI_CHECK_OK(locked.write_chunk(name, written++, next));
    }
  }
  if (!waiting.empty()) DUHUI_CHECK_OK(locked.write_chunk(name, written, waiting));
  DUHUI_TRY(whole, locked.finish(name));
  if (!whole) return Error{ErrorCode::corrupt_data, "file: shorter than its size"};
  return Done{};
}

Result<std::string> locked_chunk(BlobStore& locked, const Digest& sha256, std::uint32_t index) {
  return locked.read(sha256, index * kLockedChunkBytes, kLockedChunkBytes);
}

Result<std::string> read_locked(const VaultKey& key,
                                const Digest& sha256,
                                std::uint64_t size,
                                BlobStore& locked,
                                std::uint64_t offset,
                                std::size_t count) {
  std::string out;
  while (out.size() < count && offset < size) {
    const auto index = static_cast<std::uint32_t>(offset / kChunkBytes);
    DUHUI_TRY(bytes, locked_chunk(locked, sha256, index));
    DUHUI_TRY(plain, key.open_chunk(sha256.view(), index, bytes));
    const std::uint64_t from = offset - std::uint64_t{index} * kChunkBytes;
    if (from >= plain.size()) break;
    const std::string part = plain.substr(from, count - out.size());
    out += part;
    offset += part.size();
  }
  return out;
}

}  // namespace duhui
