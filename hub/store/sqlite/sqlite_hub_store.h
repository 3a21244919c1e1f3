#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hub/ports/store.h"

namespace duhui::hub {

struct SqliteHubStoreOptions {
  /// False: a missing file is an error instead of a new database.
  bool create = true;
  int page_bytes = 4096;
  std::size_t writer_cache_bytes = 16u << 20;
  std::size_t reader_cache_bytes = 4u << 20;  // each
  std::size_t readers_max = 2;                // more wait for one to end
  int busy_timeout_ms = 10'000;               // another process writes
  /// The log is folded into the database by the writer at this size; sooner by `checkpoint`.
  std::size_t log_bytes_max = 16u << 20;
  /// The database never grows past this, as if the disk were full; 0: no limit.
  std::size_t bytes_max = 0;
};

/// The HubStore port on one SQLite file: write-ahead log, every commit synced.
///
/// One writing connection; reads run on connections of their own, on the snapshot of their first
/// call, and neither wait for the writer nor hold it up. May be called from several threads: writes
/// take turns. `path`, `path`-wal and `path`-shm belong together and are one database.
///
/// After `corrupt_data` or a failed file operation in a write, every later write answers the same
/// error: close, look at the disk, `verify`, open again. A full disk is `storage_failed` too but
/// the next write may succeed.
class SqliteHubStore final : public HubStore {
 public:
  /// Opens the database, or makes it. A damaged, empty or foreign file is `corrupt_data` and left
  /// as it is; so is a log without its database. A file from a newer program is `refused`.
  static Result<std::unique_ptr<SqliteHubStore>> open(const std::string& path,
                                                      const SqliteHubStoreOptions& options = {});
  ~SqliteHubStore() override;

  Status write(const std::function<Status(HubTransaction&)>& work) override;
  Status read(const std::function<Status(HubTransaction&)>& work) override;

  /// Reads the whole database and checks its structure; `corrupt_data` with the first findings.
  Status verify();

  /// Writes a copy of the newest commit to `path`, which must not exist; syncs it and verifies it.
  /// Writes go on meanwhile.
  Status backup_to(const std::string& path);

  /// Folds the log into the database as far as readers allow, beside running writes. For the
  /// blocking pool when there is little to do, so that no commit has to.
  Status checkpoint();

 private:
  class Session;
  class ReaderLease;

  SqliteHubStore(std::string path, SqliteHubStoreOptions options);
  Result<std::unique_ptr<Session>> open_session(bool writable) const;
  Result<std::unique_ptr<Session>> take_reader();
  void give_back(std::unique_ptr<Session> reader);

  const std::string path_;
  const SqliteHubStoreOptions options_;

  std::mutex writing_;
  std::unique_ptr<Session> writer_;
  Status writer_state_ = Done{};

  std::mutex checkpointing_;
  std::unique_ptr<Session> checkpointer_;

  std::mutex pooling_;
  std::condition_variable reader_free_;
  std::vector<std::unique_ptr<Session>> idle_readers_;
  std::size_t readers_out_ = 0;
};

}  // namespace duhui::hub
