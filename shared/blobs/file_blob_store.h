#pragma once

#include <memory>
#include <string>

#include "shared/sync/blob_inventory.h"
#include "shared/sync/blob_store.h"

namespace duhui {

/// Files in a folder of their own:
///
///   ab/ab12...          whole, named by SHA-256 (64 hexadecimal digits), mode 0600
///   parts/ab12...-0199... .part   chunks at their places
///   parts/ab12...-0199... .map    duhui.store.v1.BlobPart; says nothing that is not on the medium
///
/// A name never comes from outside. What becomes a whole file was hashed first, synced, then
/// renamed, and then its folder synced. Blocking, one thread at a time.
class FileBlobStore final : public BlobStore, public BlobInventory {
 public:
  /// What a name says of the bytes: their hash, or the hash of what they are without their lock.
  enum class Names : std::uint8_t { hash_of_content, hash_of_unlocked };
  /// Makes the folders that are absent.
  static Result<std::unique_ptr<FileBlobStore>> open(const std::string& folder,
                                                     Names names = Names::hash_of_content);

  Result<std::optional<std::uint64_t>> size(const Digest& sha256) override;
  Result<std::string> read(const Digest& sha256, std::uint64_t offset, std::size_t count) override;
  Result<Part> part(const BlobName& name) override;
  Status write_chunk(const BlobName& name, std::uint32_t chunk, std::string_view bytes) override;
  Status save_part(const BlobName& name, const Part& part) override;
  Result<bool> finish(const BlobName& name) override;
  Status remove(const Digest& sha256) override;

  Status each_whole(const std::function<bool(const Whole&)>& visit) override;
  Status each_part(const std::function<bool(const Begun&)>& visit) override;
  Status remove_part(const Digest& sha256, const RecordId& record) override;

  struct Adopted {
    Digest sha256;
    std::uint64_t size = 0;
  };
  /// A complete file at `path` becomes ours, durable: it is moved, so it lies on the same disk.
  /// `limit_exceeded`: empty or over kBlobBytesMax.
  Result<Adopted> adopt(const std::string& path);

  std::string path_of(const Digest& sha256) const;

 private:
  FileBlobStore(std::string folder, Names names) : folder_(std::move(folder)), names_(names) {}
  std::string part_path(const Digest& sha256, const RecordId& record) const;
  std::string part_path(const BlobName& name) const { return part_path(name.sha256, name.record); }
  Status move_in(const std::string& from, const Digest& sha256);
  Status drop(const std::string& part_path);

  const std::string folder_;
  const Names names_;
};

}  // namespace duhui
