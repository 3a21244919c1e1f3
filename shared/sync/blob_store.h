#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shared/base/result.h"
#include "shared/crypto/digest.h"
#include "shared/sync/blob_receiving.h"
#include "shared/sync/chunk_map.h"

namespace duhui {

/// Files named by their SHA-256 (of locked ones: of what they are without their lock), and parts of those that are under way. Calls block; one thread
/// writes a part at a time. Errors: `storage_failed`, `limit_exceeded` (the disk is full), `not_found`.
class BlobStore {
 public:
  struct Part {
    ChunkMap held;
    std::string begun;  // the beginning of the first missing chunk
  };

  virtual ~BlobStore() = default;

  /// Of a whole file; empty optional: it is not here.
  virtual Result<std::optional<std::uint64_t>> size(const Digest& sha256) = 0;
  /// Up to `count` bytes of a whole file from `offset`; fewer only at its end.
  virtual Result<std::string> read(const Digest& sha256,
                                   std::uint64_t offset,
                                   std::size_t count) = 0;
  /// What is here of it; a new one is begun when somebody writes.
  virtual Result<Part> part(const BlobName& name) = 0;
  /// Plain bytes of a whole chunk. Durable with the next save_part.
  virtual Status write_chunk(const BlobName& name, std::uint32_t chunk, std::string_view bytes) = 0;
  /// Returns when the chunks and the map are on the medium.
  virtual Status save_part(const BlobName& name, const Part& part) = 0;
  /// All chunks are written: makes it a whole file, durable. False: they make another hash; the
  /// part is gone.
  virtual Result<bool> finish(const BlobName& name) = 0;
  /// Gone for good; absent: success.
  virtual Status remove(const Digest& sha256) = 0;
};

}  // namespace duhui
