#pragma once

#include <cstdint>
#include <memory>

#include "agent/ports/file_system.h"

namespace leveldb {
class Env;
}

namespace duhui::agent {

/// Where LevelDB's compactions run.
enum class Compaction : std::uint8_t {
  on_a_thread,    // LevelDB's own; a save never waits for one unless it falls far behind
  between_calls,  // in LevelDbEnv::run_scheduled(): the same calls in the same order every time
};

/// LevelDB's environment over our file-system port. Folders are synced after every create, rename
/// and remove, so that no name is ever less durable than what refers to it; files are read, never
/// mapped; a file whose write failed takes no further bytes.
class LevelDbEnv {
 public:
  /// `files` must outlive this; this must outlive every database opened with env().
  LevelDbEnv(FileSystem& files, Compaction compaction);
  ~LevelDbEnv();

  leveldb::Env* env();
  /// Runs what LevelDB scheduled, until nothing is left. Call outside of LevelDB, after every call
  /// into it and before closing a database.
  void run_scheduled();
  /// Whether any call since the last take failed because the disk was full.
  bool take_disk_was_full();
  /// Whether a lock was refused since the last take: another process has the database.
  bool take_lock_was_held();

 private:
  class Bridge;
  const std::unique_ptr<Bridge> bridge_;
};

}  // namespace duhui::agent
