#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/ports/file_system.h"

namespace duhui::agent {

/// The disk of this machine through plain system calls: no buffering of its own, no memory maps, so
/// that what fails fails in the call that caused it. Stateless; any thread.
class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<AppendFile>> open_to_append(const std::string& path,
                                                     Existing existing) override;
  Result<std::unique_ptr<ReadFile>> open_to_read(const std::string& path) override;
  Result<std::optional<FileInfo>> info(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& folder) override;
  Status make_folder(const std::string& path) override;
  Status remove(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status sync_folder(const std::string& folder) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& folder) override;
};

}  // namespace duhui::agent
