#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "agent/ports/blob_shelf.h"
#include "agent/ports/file_system.h"
#include "shared/base/random.h"
#include "shared/blobs/file_blob_store.h"
#include "shared/crypto/vault_key.h"

namespace duhui::agent {

/// Uploads that grow in a folder, and the files that they became:
///
///   incoming/<token>             what has begun; <token>.locked: in locked segments
///
/// What becomes whole goes to the stores of this device's files. What is hidden lies locked from
/// its first byte.
class UploadShelf final : public BlobShelf {
 public:
  /// All outlive this.
  struct Parts {
    FileSystem& files;
    FileBlobStore& shown;
    FileBlobStore& locked;
    Random& random;  // from any thread
  };
  /// Makes `folder`, whose parent must exist.
  static Result<std::unique_ptr<UploadShelf>> open(const Parts& parts, std::string folder);

  /// Of the vault while it is open. From any thread.
  void set_key(std::optional<VaultKey> key);

  bool can_hide() const override;
  Result<std::string> lock_note(const std::string& token, std::string_view note) override;
  Result<std::string> open_note(const std::string& token, std::string_view locked) override;
  Status begin(const std::string& token, std::uint64_t size, bool hidden) override;
  Status append(const std::string& token, std::string_view bytes) override;
  Result<std::unique_ptr<BlobReader>> look(const std::string& token) override;
  Result<ShelvedBlob> finish(const std::string& token) override;
  Result<std::unique_ptr<BlobReader>> open(const std::string& sha256) override;
  Status drop(const std::string& token) override;

 private:
  UploadShelf(const Parts& parts, std::string folder) : parts_(parts), folder_(std::move(folder)) {}

  std::string incoming() const { return folder_ + "/incoming"; }
  /// `unavailable`: the vault is locked.
  Result<VaultKey> key() const;
  /// Where it grows. `not_found`: nothing has begun under that token.
  Result<std::string> path_of(const std::string& token) const;
  Result<std::unique_ptr<BlobReader>> read_path(const std::string& path);

  const Parts parts_;
  const std::string folder_;
  mutable std::mutex mutex_;
  std::optional<VaultKey> key_;
};

}  // namespace duhui::agent
