#pragma once

#include <string>

#include "hub/store/sqlite/connection.h"
#include "shared/base/result.h"

namespace duhui::hub {

/// "DUHB" in the header of the file: says whose database it is.
inline constexpr int kApplicationId = 0x44554842;

/// The newest version of the tables that this program knows.
int schema_version();

/// Makes a new database at `path`, all of it or nothing: written beside it, synced, renamed.
Status create_database(const std::string& path, int page_bytes);

/// Checks that the open file is ours and brings its tables to `schema_version()`, each step in a
/// transaction of its own. A file from a newer program is `refused`, anything else that is not a
/// hub's database is `corrupt_data`.
Status bring_up_to_date(Connection& connection);

/// Syncs the folder that holds `path`, so that a name in it survives a power cut.
Status sync_folder_of(const std::string& path);

}  // namespace duhui::hub
