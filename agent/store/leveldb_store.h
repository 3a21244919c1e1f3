#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/ports/file_system.h"
#include "agent/ports/kv_store.h"
#include "agent/store/disk_reserve.h"
#include "agent/store/leveldb_env.h"

namespace duhui::agent {

struct LevelDbLimits {
  std::size_t write_buffer_bytes = 8 << 20;  // a catch-up merges half as often; at least 64 KiB
  std::size_t table_bytes = 2 << 20;         // LevelDB's default; no less than 1 MiB
  Compaction compaction = Compaction::on_a_thread;
};

/// What the store went through since it was made.
struct StoreHealth {
  std::uint64_t reopened = 0;      // handles given up after an error and replaced
  std::uint64_t commits_lost = 0;  // synced, yet not there after a reopen: replay the journal
  std::string last_error;          // empty: never one
};

/// KvStore on LevelDB.
///
///   closed --open--> open --any status but OK--> closed   (the reserve file is given up here)
///      ^                                            |
///      +------- at once, and at every later call ---+
///
/// A LevelDB handle that failed once may answer OK to synced writes that are gone at the next open,
/// so it is never used again. Each batch carries a commit number under a key of our own: after a
/// reopen it tells whether the batch is there. There: the commit succeeded (reopening moved the log
/// into a synced table). Not there: one more try on the new handle.
///
/// Every value is stored behind a CRC-32C over key, commit number and value, so that what a salvage
/// brings back can be judged one by one. Key and value formats: docs/storage.md.
class LevelDbStore final : public KvStore {
 public:
  /// Creates the database if `folder` is absent; the folder appears complete or not at all.
  /// `files` and `reserve` must outlive the store. An unreadable database: corrupt_data.
  static Result<std::unique_ptr<LevelDbStore>> open(FileSystem& files,
                                                    std::string folder,
                                                    DiskReserve& reserve,
                                                    LevelDbLimits limits);
  /// A store that opens its database at the first call that finds the disk willing.
  static std::unique_ptr<LevelDbStore> open_later(FileSystem& files,
                                                  std::string folder,
                                                  DiskReserve& reserve,
                                                  LevelDbLimits limits,
                                                  std::string why);
  /// Runs RepairDB in `folder`, which must be a copy: it may drop files and bring deleted entries
  /// back. What it could not read is appended to `unreadable`.
  static Result<std::unique_ptr<LevelDbStore>> repair(FileSystem& files,
                                                      std::string folder,
                                                      DiskReserve& reserve,
                                                      LevelDbLimits limits,
                                                      std::vector<std::string>& unreadable);
  ~LevelDbStore() override;

  Result<std::optional<std::string>> get(std::string_view key) override;
  Status commit(const KvBatch& batch) override;
  Status commit_unsynced(const KvBatch& batch) override;
  Status scan(
      std::string_view prefix,
      std::string_view from,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) override;

  /// Reads every block and judges every value. Returns how many values are there.
  Result<std::uint64_t> verify();
  /// Visits every readable entry with its verdict, past damaged blocks: for a salvage.
  using Judge = std::function<Status(
      std::string_view key, std::optional<std::string_view> value, std::uint64_t commit)>;
  /// `value` absent: the entry is damaged. Returns what LevelDB said about what could not be read.
  Result<std::string> visit_readable(const Judge& visit);
  /// Goes on counting commits behind `commit`, so that numbers never repeat after a salvage.
  void continue_after(std::uint64_t commit);

  /// The number of the last commit.
  std::uint64_t commit_number() const { return committed_; }
  const StoreHealth& health() const { return health_; }
  bool is_open() const { return database_ != nullptr; }

 private:
  struct Database;

  LevelDbStore(FileSystem& files, std::string folder, DiskReserve& reserve, LevelDbLimits limits);

  Status open_handle(const std::string& folder, bool create);
  Status create_database();
  Status open_database();
  Status ensure_open();
  void close();
  Error give_up_handle(Error error);
  enum class Sync : std::uint8_t { now, later };
  Status commit(const KvBatch& batch, Sync sync);
  Status write(const KvBatch& batch, std::uint64_t number, Sync sync);
  Result<std::optional<std::string>> read(std::string_view key);
  Result<std::uint64_t> read_commit_number();

  FileSystem& files_;
  const std::string folder_;
  DiskReserve& reserve_;
  const LevelDbLimits limits_;
  LevelDbEnv env_;
  std::unique_ptr<Database> database_;
  bool opened_before_ = false;
  std::uint64_t committed_ = 0;
  std::uint64_t gone_ = 0;    // commits that the last reopening did not find
  std::uint64_t synced_ = 0;  // the last commit that no power cut may take back
  StoreHealth health_;
};

}  // namespace duhui::agent
