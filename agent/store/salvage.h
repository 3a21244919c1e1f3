#pragma once

#include <string>

#include "agent/store/agent_store.h"

namespace duhui::agent {

/// Builds `<folder>.ready`, a new database with every readable entry of the damaged one in
/// `folder`, which is only read. Fills in the report's counts and what could not be read.
Status salvage_database(FileSystem& files,
                        const std::string& folder,
                        DiskReserve& reserve,
                        const LevelDbLimits& limits,
                        OpenReport& report);

/// Moves the database in `folder` out of the way and returns where it is now. At most three such
/// folders are kept; the oldest goes.
Result<std::string> set_aside(FileSystem& files, const std::string& folder, WallTime now);

/// Puts `<folder>.ready`, if an earlier salvage got that far, in place of `folder`.
Status finish_salvage(FileSystem& files,
                      const std::string& folder,
                      WallTime now,
                      OpenReport& report);

}  // namespace duhui::agent
