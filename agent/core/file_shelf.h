#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/core/vault.h"
#include "agent/ports/kv_store.h"
#include "shared/base/result.h"
#include "shared/crypto/digest.h"
#include "shared/sync/blob_store.h"

namespace duhui::agent {

/// The files on this device as its people may see them: what belongs to records that the inspected
/// school may not read lies there locked, chunk by chunk, with the vault's key.
///
/// Blocking, not thread-safe. Everything passed by reference outlives it.
class FileShelf {
 public:
  /// `locked`: named by the hash of what the files are without their lock, so that nothing but
  /// themselves and the key is needed to find and to open them.
  FileShelf(BlobStore& files, BlobStore& locked, KvStore& store, const Vault& vault)
      : files_(files), locked_(locked), store_(store), vault_(vault) {}

  /// The file's size, locked or not; empty optional: it is not here.
  Result<std::optional<std::uint64_t>> size(const Digest& sha256);
  /// Up to `count` bytes from `offset`. `unavailable`: locked; `not_found`; `corrupt_data`.
  Result<std::string> read(const Digest& sha256, std::uint64_t offset, std::size_t count);

  struct Chunk {
    std::string bytes;
    bool locked = false;
  };
  /// As it can be sent now, with or without the key.
  Result<Chunk> chunk(const Digest& sha256, std::uint32_t index);

  /// Locks a file, or opens it for good. Absent, or so already: success. The vault must be open.
  Status lock(const Digest& sha256);
  Status unlock(const Digest& sha256);
  Result<std::vector<Digest>> locked_files();

  /// Those that come from the hub.
  BlobStore& files() { return files_; }

 private:
  BlobStore& files_;
  BlobStore& locked_;
  KvStore& store_;
  const Vault& vault_;
};

}  // namespace duhui::agent
