#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/ports/file_system.h"
#include "agent/store/disk_reserve.h"
#include "agent/store/file_journal.h"
#include "agent/store/leveldb_store.h"
#include "shared/base/time.h"

namespace duhui::agent {

struct AgentStoreOptions {
  WallTime now;  // names what is set aside
  LevelDbLimits database{};
  JournalLimits journal{};
  // One write buffer, its table and log, and some journal: enough to reopen and to save on.
  std::uint64_t reserve_bytes = 16 << 20;
};

/// What opening found and did. Anything but `opened` and `created` is for a person to read.
struct OpenReport {
  enum class Outcome : std::uint8_t {
    opened,       // whole: every block read, every checksum right
    created,      // there was none
    salvaged,     // damaged: a new database holds what was readable
    started_new,  // damaged, and nothing could be salvaged: see `damage` and `unreadable`
    waiting,      // the disk is full: the store opens at the first call that finds room
  };

  Outcome outcome = Outcome::opened;
  std::string damage;                     // what was wrong with the database
  std::string set_aside;                  // the folder that keeps it; empty: nothing was set aside
  std::uint64_t entries = 0;              // in the database now
  std::uint64_t entries_damaged = 0;      // found, but their own checksum was wrong
  std::vector<std::string> damaged_keys;  // the first kDamagedKeysMax of them
  std::vector<std::string> unreadable;    // files, tables and ranges, in LevelDB's words
  std::uint64_t last_commit = 0;          // the newest commit number that is there
  std::uint64_t journal_damaged_ranges = 0;
  std::string journal_set_aside;  // the folder, if the journal would not open

  static constexpr std::size_t kDamagedKeysMax = 1000;

  /// The database is not what the last run left: distrust cursors, replay the journal, ask the hub.
  bool rebuilt() const { return outcome != Outcome::opened && outcome != Outcome::created; }
};

/// An agent's data folder, opened: nobody else can open it until this goes.
struct OpenedStore {
  std::unique_ptr<FileLock> lock;
  std::unique_ptr<DiskReserve> reserve;
  std::unique_ptr<LevelDbStore> store;
  std::unique_ptr<FileJournal> journal;
  OpenReport report;
};

/// Opens the data folder whatever state it is in:
///
///   open and read everything --ok--------------------------------------------> opened
///        | disk full: give up the reserve, again --still full----------------> waiting
///        | error: again, once (it may have passed)
///        v damage
///   copy, RepairDB on the copy, keep every entry whose own checksum holds
///        | in a new database; then set the old one aside and swap -----------> salvaged
///        v nothing can be salvaged
///   set the old one aside, begin a new one ----------------------------------> started_new
///
/// The caller then replays the journal into the store. Errors: `unavailable` when another process
/// has the folder open; `storage_failed` only when the disk refuses to hold a new database too.
/// `files` must outlive what is returned. A crash at any point leaves a folder that opens.
Result<OpenedStore> open_agent_store(FileSystem& files,
                                     const std::string& folder,
                                     const AgentStoreOptions& options);

}  // namespace duhui::agent
