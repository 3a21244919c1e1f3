#pragma once

#include <string>
#include <vector>

#include "agent/ports/file_system.h"

namespace duhui::agent {

/// "a/b" of "a/b/c"; "." of "c".
std::string folder_of(const std::string& path);

/// The whole file, but never more than `size_max` bytes.
Result<std::string> read_file(FileSystem& files, const std::string& path, std::uint64_t size_max);

/// Removes a folder of files, or one that holds such folders. Absent: success.
Status remove_folder(FileSystem& files, const std::string& path);

/// Copies every file of a flat folder into the new folder `to`, synced. Files that cannot be read
/// to their end are copied as far as they can; their names and why are returned.
Result<std::vector<std::string>> copy_folder(FileSystem& files,
                                             const std::string& from,
                                             const std::string& to);

/// Renames within one folder, durably.
Status rename_durably(FileSystem& files, const std::string& from, const std::string& to);

}  // namespace duhui::agent
