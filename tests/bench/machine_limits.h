#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace duhui::bench {

/// What this machine can do at most, measured with the plainest code: an fsync, LevelDB batches
/// that are synced, SQLite upserts, WebSocket messages there and back. `folder`: on the disk that
/// counts.
nlohmann::json machine_limits(const std::string& folder);

}  // namespace duhui::bench
