#include "shared/sync/chunk_map.h"

#include "shared/sync/limits.h"

namespace duhui {
namespace {

using sync_limits::kChunkBytes;

std::uint32_t chunks_of(std::uint64_t size) {
  return static_cast<std::uint32_t>((size + kChunkBytes - 1) / kChunkBytes);
}

}  // namespace

ChunkMap::ChunkMap(std::uint64_t size)
    : size_(size), held_(chunks_of(size), false), missing_(chunks_of(size)) {}

Result<ChunkMap> ChunkMap::from_runs(std::uint64_t size, const Runs& runs) {
  if (size == 0 || size > sync_limits::kBlobBytesMax) {
    return Error{ErrorCode::invalid_input, "file: a size of " + std::to_string(size)};
  }
  ChunkMap map(size);
  std::uint64_t at = 0;
  bool held = false;
  for (const std::uint32_t length : runs) {
    if (length > map.chunks() - at) {
      return Error{ErrorCode::invalid_input, "file: runs beyond its end"};
    }
    if (held) {
      for (std::uint64_t chunk = at; chunk < at + length; ++chunk) {
        map.hold(static_cast<std::uint32_t>(chunk));
      }
    }
    at += length;
    held = !held;
  }
  return map;
}

ChunkMap::Runs ChunkMap::runs() const {
  Runs runs;
  if (missing_ == chunks()) return runs;
  bool held = false;
  std::uint32_t length = 0;
  for (const bool one : held_) {
    if (one != held) {
      runs.Add(length);
      length = 0;
      held = one;
    }
    ++length;
  }
  if (held) runs.Add(length);  // missing to the end needs no saying
  return runs;
}

std::uint32_t ChunkMap::chunk_bytes(std::uint32_t chunk) const {
  if (chunk + 1 < chunks()) return kChunkBytes;
  return static_cast<std::uint32_t>(size_ - std::uint64_t{chunk} * kChunkBytes);
}

void ChunkMap::hold(std::uint32_t chunk) {
  if (held_[chunk]) return;
  held_[chunk] = true;
  --missing_;
}

std::uint64_t ChunkMap::missing_bytes() const {
  if (missing_ == 0) return 0;
  const std::uint32_t last = chunks() - 1;
  const std::uint64_t all = std::uint64_t{missing_} * kChunkBytes;
  return held_[last] ? all : all - (kChunkBytes - chunk_bytes(last));
}

std::optional<std::uint32_t> ChunkMap::next_missing(std::uint32_t from) const {
  for (std::uint32_t chunk = from; chunk < chunks(); ++chunk) {
    if (!held_[chunk]) return chunk;
  }
  return std::nullopt;
}

}  // namespace duhui
