#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/ports/blob_shelf.h"
#include "agent/ports/file_system.h"

namespace duhui::agent {

/// A shelf of plain files:
///
///   incoming/<token>          what has begun
///   ab/cd/abcd...             by SHA-256, two levels of folders
///   ab/cd/abcd....original    what it was made from
///
/// A file counts once it has been renamed: contents, then name, then folder are synced, in this
/// order.
class FileShelf final : public BlobShelf {
 public:
  /// `files` outlives this. Makes `folder`, whose parent must exist.
  static Result<std::unique_ptr<FileShelf>> open(FileSystem& files, std::string folder);

  Status begin(const std::string& token, std::uint64_t size) override;
  Status append(const std::string& token, std::string_view bytes) override;
  Result<std::unique_ptr<BlobReader>> look(const std::string& token) override;
  Result<ShelvedBlob> finish(const std::string& token) override;
  Status keep_original(const std::string& token, const std::string& sha256) override;
  Result<std::unique_ptr<BlobReader>> open(const std::string& sha256, Copy copy) override;
  Status drop(const std::string& token) override;

 private:
  FileShelf(FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  std::string incoming() const { return folder_ + "/incoming"; }
  /// `invalid_input`: not of `digits` hexadecimal digits; it is used in a path.
  static Status check_name(std::string_view name, std::size_t digits);
  Result<std::unique_ptr<BlobReader>> read_path(const std::string& path);
  Result<std::string> place_of(const std::string& sha256);
  Status move(const std::string& token, const std::string& sha256, std::string_view ending);

  FileSystem& files_;
  const std::string folder_;
};

}  // namespace duhui::agent
