#pragma once

#include <map>
#include <string>
#include <utility>

#include "shared/sync/blob_inventory.h"
#include "shared/sync/blob_store.h"
#include "shared/sync/limits.h"

namespace duhui {

/// BlobStore in memory. Chunks count as lost in a crash unless save_part came after them.
class MemoryBlobStore final : public BlobStore, public BlobInventory {
 public:
  Result<std::optional<std::uint64_t>> size(const Digest& sha256) override {
    const auto at = whole.find(sha256);
    if (at == whole.end()) return std::optional<std::uint64_t>{};
    return std::optional<std::uint64_t>(at->second.size());
  }
  Result<std::string> read(const Digest& sha256, std::uint64_t offset, std::size_t count) override {
    const auto at = whole.find(sha256);
    if (at == whole.end()) return Error{ErrorCode::not_found, "no such file"};
    return offset >= at->second.size() ? std::string() : at->second.substr(offset, count);
  }
  Result<Part> part(const BlobName& name) override {
    const auto at = parts.find(name);
    if (at == parts.end()) return Part{ChunkMap(name.size), {}};
    return at->second.saved;
  }
  Status write_chunk(const BlobName& name, std::uint32_t chunk, std::string_view bytes) override {
    if (full) return Error{ErrorCode::limit_exceeded, "disk full"};
    begun(name).bytes.replace(std::size_t{chunk} * sync_limits::kChunkBytes, bytes.size(), bytes);
    return Done{};
  }
  Status save_part(const BlobName& name, const Part& part) override {
    begun(name).saved = part;
    return Done{};
  }
  Result<bool> finish(const BlobName& name) override {
    const auto at = parts.find(name);
    if (at == parts.end()) return Error{ErrorCode::not_found, "no such part"};
    const bool same = locked || sha256(at->second.bytes) == name.sha256;
    if (same) whole[name.sha256] = std::move(at->second.bytes);
    parts.erase(at);
    return same;
  }
  Status remove(const Digest& sha256) override {
    whole.erase(sha256);
    return Done{};
  }

  Status each_whole(const std::function<bool(const Whole&)>& visit) override {
    for (const auto& [sha256, content] : std::map(whole)) {
      if (!visit({sha256, content.size()})) break;
    }
    return Done{};
  }
  Status each_part(const std::function<bool(const Begun&)>& visit) override {
    for (const auto& [name, part] : std::map(parts)) {
      if (!visit({name.sha256, name.record, name.size, part.bytes.size()})) break;
    }
    return Done{};
  }
  Status remove_part(const Digest& sha256, const RecordId& record) override {
    std::erase_if(parts, [&](const auto& part) {
      return part.first.sha256 == sha256 && part.first.record == record;
    });
    return Done{};
  }

  struct Unfinished {
    std::string bytes;
    Part saved;
  };
  std::map<Digest, std::string> whole;
  std::map<BlobName, Unfinished> parts;
  bool full = false;
  bool locked = false;  // names say nothing of the bytes

 private:
  Unfinished& begun(const BlobName& name) {
    const auto at = parts.find(name);
    if (at != parts.end()) return at->second;
    return parts
        .emplace(name, Unfinished{std::string(name.size, '\0'), Part{ChunkMap(name.size), {}}})
        .first->second;
  }
};

}  // namespace duhui
