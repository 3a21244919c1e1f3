#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"

namespace duhui::agent {

/// A file that only grows. After any call failed the file is dead: its tail is unknown, later calls
/// fail too; the owner goes on in another file.
class AppendFile {
 public:
  /// Closes without syncing.
  virtual ~AppendFile() = default;

  /// Hands `bytes` to the system; they survive a power cut only after sync().
  virtual Status append(std::string_view bytes) = 0;
  /// Returns after the file's content and size are on the medium. Not its name: see sync_folder().
  virtual Status sync() = 0;
};

/// An open file for reading at any place. Never memory-mapped: a bad sector is an Error, not a
/// signal.
class ReadFile {
 public:
  virtual ~ReadFile() = default;

  /// Up to `size` bytes from `offset`; fewer only at the end of the file.
  virtual Result<std::string> read(std::uint64_t offset, std::size_t size) = 0;
};

/// Held until destroyed, or until the process ends however it ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

struct FileInfo {
  std::uint64_t size = 0;
  bool is_folder = false;
};

/// The disk as the stores need it. Calls block; two threads may call at once (LevelDB compacts on
/// one of its own). Errors: `not_found`, `limit_exceeded` when the disk is full, `unavailable` when
/// somebody else holds a lock, `storage_failed` for everything else.
class FileSystem {
 public:
  enum class Existing : std::uint8_t { replaced, kept };

  virtual ~FileSystem() = default;

  /// Creates the file if it is absent; `replaced` empties an existing one.
  virtual Result<std::unique_ptr<AppendFile>> open_to_append(const std::string& path,
                                                             Existing existing) = 0;
  virtual Result<std::unique_ptr<ReadFile>> open_to_read(const std::string& path) = 0;
  /// Absent: empty optional.
  virtual Result<std::optional<FileInfo>> info(const std::string& path) = 0;
  /// The names in a folder, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;
  /// Success if it exists already. Its parent must exist.
  virtual Status make_folder(const std::string& path) = 0;
  /// A file or an empty folder.
  virtual Status remove(const std::string& path) = 0;
  /// Atomic; replaces a file of the name `to`.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  /// What was created, renamed or removed in `folder` survives a power cut only after this.
  virtual Status sync_folder(const std::string& folder) = 0;
  /// Creates the file if it is absent. One holder at a time, in this process or another.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  /// What an ordinary process may still write to the disk that holds `folder`.
  virtual Result<std::uint64_t> free_bytes(const std::string& folder) = 0;
};

}  // namespace duhui::agent
