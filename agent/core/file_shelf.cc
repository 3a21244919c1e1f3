#include "agent/core/file_shelf.h"

#include <algorithm>

#include "agent/core/keys.h"
#include "shared/sync/chunk_map.h"
#include "shared/sync/limits.h"

namespace duhui::agent {
namespace {

using sync_limits::kChunkBytes;
constexpr std::uint64_t kLockedChunkBytes = kChunkBytes + VaultKey::kChunkLockBytes;

Error is_locked_error() {
  return {ErrorCode::unavailable, "file: locked until a supervisor signs in here"};
}

std::uint64_t locked_size(std::uint64_t size) {
  return size + ChunkMap(size).chunks() * VaultKey::kChunkLockBytes;
}

std::uint64_t unlocked_size(std::uint64_t size) {
  const std::uint64_t chunks = (size + kLockedChunkBytes - 1) / kLockedChunkBytes;
  return size - std::min(size, chunks * VaultKey::kChunkLockBytes);
}

}  // namespace

Result<std::optional<std::uint64_t>> FileShelf::size(const Digest& sha256) {
  DUHUI_TRY(open, files_.size(sha256));
  if (open) return open;
  DUHUI_TRY(there, locked_.size(sha256));
  return there ? std::optional(unlocked_size(*there)) : std::nullopt;
}

Result<std::string> FileShelf::read(const Digest& sha256, std::uint64_t offset, std::size_t count) {
  DUHUI_TRY(open, files_.size(sha256));
  if (open) return files_.read(sha256, offset, count);
  DUHUI_TRY(there, locked_.size(sha256));
  if (!there) return Error{ErrorCode::not_found, "file: not here"};
  const VaultKey* key = vault_.key();
  if (key == nullptr) return is_locked_error();
  const std::uint64_t size = unlocked_size(*there);
  std::string out;
  while (out.size() < count && offset < size) {
    const auto index = static_cast<std::uint32_t>(offset / kChunkBytes);
    DUHUI_TRY(bytes, locked_.read(sha256, index * kLockedChunkBytes, kLockedChunkBytes));
    DUHUI_TRY(plain, key->open_chunk(sha256.view(), index, bytes));
    const std::uint64_t from = offset - std::uint64_t{index} * kChunkBytes;
    if (from >= plain.size()) break;
    const std::string part = plain.substr(from, count - out.size());
    out += part;
    offset += part.size();
  }
  return out;
}

Result<FileShelf::Chunk> FileShelf::chunk(const Digest& sha256, std::uint32_t index) {
  DUHUI_TRY(open, files_.size(sha256));
  if (open) {
    DUHUI_TRY(bytes, files_.read(sha256, std::uint64_t{index} * kChunkBytes, kChunkBytes));
    return Chunk{std::move(bytes), false};
  }
  DUHUI_TRY(bytes, locked_.read(sha256, index * kLockedChunkBytes, kLockedChunkBytes));
  return Chunk{std::move(bytes), true};
}

Status FileShelf::lock(const Digest& sha256) {
  const VaultKey* key = vault_.key();
  if (key == nullptr) return is_locked_error();
  DUHUI_TRY(size, files_.size(sha256));
  if (!size || *size == 0) return Done{};
  const BlobName name{sha256, locked_size(*size), RecordId{}};
  std::string waiting;
  std::uint32_t written = 0;
  for (std::uint32_t index = 0; index < ChunkMap(*size).chunks(); ++index) {
    DUHUI_TRY(plain, files_.read(sha256, std::uint64_t{index} * kChunkBytes, kChunkBytes));
    waiting += key->lock_chunk(sha256.view(), index, plain);
    for (; waiting.size() >= kChunkBytes; waiting.erase(0, kChunkBytes)) {
      const std::string_view next = std::string_view(waiting).substr(0, kChunkBytes);
      DUHUI_CHECK_OK(locked_.write_chunk(name, written++, next));
    }
  }
  if (!waiting.empty()) DUHUI_CHECK_OK(locked_.write_chunk(name, written, waiting));
  DUHUI_TRY(whole, locked_.finish(name));
  if (!whole) return Error{ErrorCode::corrupt_data, "file: shorter than its size"};
  KvBatch batch;
  batch.put(keys::locked_file(sha256), {});
  DUHUI_CHECK_OK(store_.commit(batch));
  return files_.remove(sha256);
}

Status FileShelf::unlock(const Digest& sha256) {
  DUHUI_TRY(there, locked_.size(sha256));
  if (!there) return Done{};
  if (vault_.key() == nullptr) return is_locked_error();
  DUHUI_TRY(open, files_.size(sha256));
  if (!open) {
    const BlobName name{sha256, unlocked_size(*there), RecordId{}};
    for (std::uint32_t index = 0; index < ChunkMap(name.size).chunks(); ++index) {
      DUHUI_TRY(plain, read(sha256, std::uint64_t{index} * kChunkBytes, kChunkBytes));
      DUHUI_CHECK_OK(files_.write_chunk(name, index, plain));
    }
    DUHUI_TRY(whole, files_.finish(name));
    if (!whole) return Error{ErrorCode::corrupt_data, "file: another hash"};
  }
  KvBatch batch;
  batch.erase(keys::locked_file(sha256));
  DUHUI_CHECK_OK(store_.commit(batch));
  return locked_.remove(sha256);
}

Result<std::vector<Digest>> FileShelf::locked_files() {
  std::vector<Digest> found;
  DUHUI_CHECK_OK(
      store_.scan(keys::kLockedFiles, {}, [&found](std::string_view key, std::string_view) {
        const auto name = Digest::from_bytes(key.substr(keys::kLockedFiles.size()));
        if (name) found.push_back(*name);
        return true;
      }));
  return found;
}

}  // namespace duhui::agent
