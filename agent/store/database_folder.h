#pragma once

#include <cstdint>
#include <string>

#include "agent/ports/file_system.h"

namespace duhui::agent {

enum class UnfinishedManifest : std::uint8_t { is_damage, allowed };

/// Finds the damage that LevelDB would step over and thereby make final: it begins a new database
/// when CURRENT is missing, takes a missing log for an empty one, and takes a cut MANIFEST for a
/// crash - and then deletes the files that no longer belong. `corrupt_data` says which.
Status check_database_folder(FileSystem& files,
                             const std::string& folder,
                             UnfinishedManifest unfinished);

}  // namespace duhui::agent
