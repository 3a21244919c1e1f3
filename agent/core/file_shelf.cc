#include "agent/core/file_shelf.h"

#include "agent/core/keys.h"
#include "shared/sync/chunk_map.h"
#include "shared/sync/limits.h"
#include "shared/sync/locked_file.h"

namespace duhui::agent {
namespace {

using sync_limits::kChunkBytes;

Error is_locked_error() {
  return {ErrorCode::unavailable, "file: locked until a supervisor signs in here"};
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
  return read_locked(*key, sha256, unlocked_size(*there), locked_, offset, count);
}

Result<FileShelf::Chunk> FileShelf::chunk(const Digest& sha256, std::uint32_t index) {
  DUHUI_TRY(open, files_.size(sha256));
  if (open) {
    DUHUI_TRY(bytes, files_.read(sha256, std::uint64_t{index} * kChunkBytes, kChunkBytes));
    return Chunk{std::move(bytes), false};
  }
  DUHUI_TRY(bytes, locked_chunk(locked_, sha256, index));
  return Chunk{std::move(bytes), true};
}

Status FileShelf::lock(const Digest& sha256) {
  const VaultKey* key = vault_.key();
  if (key == nullptr) return is_locked_error();
  DUHUI_TRY(size, files_.size(sha256));
  if (size && *size > 0) {
    const ReadPlain read = [&](std::uint64_t offset, std::size_t count) {
      return files_.read(sha256, offset, count);
    };
    DUHUI_CHECK_OK(lock_file(*key, sha256, *size, read, locked_));
  } else {
    // Handed in by somebody whose files are locked before a record names them.
    DUHUI_TRY(there, locked_.size(sha256));
    if (!there) return Done{};
  }
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
