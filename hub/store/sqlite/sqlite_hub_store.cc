#include "hub/store/sqlite/sqlite_hub_store.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/store/sqlite/connection.h"
#include "hub/store/sqlite/schema.h"
#include "hub/store/sqlite/sqlite_audit_table.h"
#include "hub/store/sqlite/sqlite_device_table.h"
#include "hub/store/sqlite/sqlite_feed_table.h"
#include "hub/store/sqlite/sqlite_record_table.h"
#include "hub/store/sqlite/sqlite_review_table.h"
#include "hub/store/sqlite/sqlite_setting_table.h"
#include "hub/store/sqlite/sqlite_stream_table.h"
#include "hub/store/sqlite/word_index.h"

namespace duhui::hub {
namespace {

constexpr std::size_t kFindingsMax = 5;  // of a damaged database, shown in the error

bool exists(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0;
}

Status sync_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return Error{ErrorCode::storage_failed, "open " + path + ": " + std::strerror(errno)};
  const bool synced = ::fsync(file) == 0;
  const int why = errno;
  ::close(file);
  if (synced) return Done{};
  return Error{ErrorCode::storage_failed, "sync " + path + ": " + std::strerror(why)};
}

Status quick_check(Connection& connection) {
  DUHUI_TRY(statement, connection.prepare("PRAGMA quick_check"));
  std::string findings;
  for (std::size_t count = 0; count < kFindingsMax; ++count) {
    DUHUI_TRY(found, statement.step());
    if (!found || statement.bytes_at(0) == "ok") break;
    findings += (findings.empty() ? "" : "; ") + statement.text_at(0);
  }
  if (findings.empty()) return Done{};
  return Error{ErrorCode::corrupt_data, "quick_check: " + findings};
}

Status copy_pages(Connection& from, Connection& to) {
  sqlite3_backup* copy = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (copy == nullptr) return to.error(sqlite3_extended_errcode(to.handle()), "backup");
  const int stepped = sqlite3_backup_step(copy, -1);
  const int finished = sqlite3_backup_finish(copy);
  if (stepped == SQLITE_DONE && finished == SQLITE_OK) return Done{};
  return to.error(stepped == SQLITE_DONE ? finished : stepped, "backup");
}

}  // namespace

/// A connection with its tables.
class SqliteHubStore::Session final : public HubTransaction {
 public:
  explicit Session(std::unique_ptr<Connection> connection)
      : connection_(std::move(connection)),
        database_(*connection_),
        streams_(database_),
        records_(database_),
        feed_(database_),
        devices_(database_),
        review_(database_),
        settings_(database_),
        audit_(database_) {}

  StreamTable& streams() override { return streams_; }
  RecordTable& records() override { return records_; }
  FeedTable& feed() override { return feed_; }
  DeviceTable& devices() override { return devices_; }
  ReviewTable& review() override { return review_; }
  SettingTable& settings() override { return settings_; }
  AuditTable& audit() override { return audit_; }

  Connection& connection() { return *connection_; }

  Status run(const char* begin, const std::function<Status(HubTransaction&)>& work) {
    DUHUI_CHECK_OK(connection_->execute(begin));
    auto done = work(*this);
    if (done) done = records_.flush();
    if (done) done = connection_->execute("COMMIT");
    records_.forget();
    if (done) return done;
    // Numbers given to words in this transaction are free again.
    database_.forget();
    // Some errors have rolled back already; then this fails and changes nothing.
    if (sqlite3_get_autocommit(connection_->handle()) == 0) {
      auto undone = connection_->execute("ROLLBACK");
      if (!undone) return undone;
    }
    return done;
  }

 private:
  std::unique_ptr<Connection> connection_;
  Database database_;
  SqliteStreamTable streams_;
  SqliteRecordTable records_;
  SqliteFeedTable feed_;
  SqliteDeviceTable devices_;
  SqliteReviewTable review_;
  SqliteSettingTable settings_;
  SqliteAuditTable audit_;
};

/// Gives the reader back, whatever happens.
class SqliteHubStore::ReaderLease {
 public:
  ReaderLease(SqliteHubStore& store, std::unique_ptr<Session> reader)
      : store_(store), reader_(std::move(reader)) {}
  ReaderLease(const ReaderLease&) = delete;
  ReaderLease& operator=(const ReaderLease&) = delete;
  ~ReaderLease() { store_.give_back(std::move(reader_)); }
  Session& operator*() { return *reader_; }
  Session* operator->() { return reader_.get(); }

 private:
  SqliteHubStore& store_;
  std::unique_ptr<Session> reader_;
};

SqliteHubStore::SqliteHubStore(std::string path, SqliteHubStoreOptions options)
    : path_(std::move(path)), options_(options) {}

SqliteHubStore::~SqliteHubStore() {
  // The last connection folds the log into the database, which only a writer can.
  idle_readers_.clear();
  checkpointer_.reset();
  writer_.reset();
}

Result<std::unique_ptr<SqliteHubStore>> SqliteHubStore::open(const std::string& path,
                                                             const SqliteHubStoreOptions& options) {
  if (!exists(path)) {
    if (exists(path + "-wal"))
      return Error{ErrorCode::corrupt_data, "open " + path + ": its log is there, it is not"};
    if (!options.create) return Error{ErrorCode::not_found, "open " + path + ": no such file"};
    DUHUI_CHECK_OK(create_database(path, options.page_bytes));
  }
  std::unique_ptr<SqliteHubStore> store(new SqliteHubStore(path, options));
  DUHUI_TRY(writer, store->open_session(true));
  Connection& connection = writer->connection();
  DUHUI_CHECK_OK(bring_up_to_date(connection));
  DUHUI_TRY(page, connection.number("PRAGMA page_size"));
  const auto pages = options.log_bytes_max / static_cast<std::size_t>(page);
  std::string settings =
      "PRAGMA journal_mode=WAL;PRAGMA wal_autocheckpoint=" + std::to_string(pages) +
      ";PRAGMA journal_size_limit=" + std::to_string(options.log_bytes_max / 4);
  if (options.bytes_max != 0) {
    settings += ";PRAGMA max_page_count=" +
                std::to_string(options.bytes_max / static_cast<std::size_t>(page));
  }
  DUHUI_CHECK_OK(connection.execute(settings.c_str()));
  store->writer_ = std::move(writer);
  return store;
}

Result<std::unique_ptr<SqliteHubStore::Session>> SqliteHubStore::open_session(bool writable) const {
  DUHUI_TRY(connection,
            Connection::open(path_, {.writable = writable,
                                     .create = false,
                                     .cache_bytes = writable ? options_.writer_cache_bytes
                                                             : options_.reader_cache_bytes,
                                     .busy_timeout_ms = options_.busy_timeout_ms}));
  return std::make_unique<Session>(std::move(connection));
}

Status SqliteHubStore::write(const std::function<Status(HubTransaction&)>& work) {
  const std::lock_guard lock(writing_);
  if (!writer_state_) return writer_state_;
  auto done = writer_->run("BEGIN IMMEDIATE", work);
  if (!done && writer_->connection().is_broken()) writer_state_ = done;
  return done;
}

Status SqliteHubStore::read(const std::function<Status(HubTransaction&)>& work) {
  DUHUI_TRY(taken, take_reader());
  ReaderLease reader(*this, std::move(taken));
  return reader->run("BEGIN", work);
}

Result<std::unique_ptr<SqliteHubStore::Session>> SqliteHubStore::take_reader() {
  {
    std::unique_lock lock(pooling_);
    reader_free_.wait(lock, [this] { return readers_out_ < options_.readers_max; });
    ++readers_out_;
    if (!idle_readers_.empty()) {
      auto reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return reader;
    }
  }
  auto opened = open_session(false);
  if (!opened) give_back(nullptr);
  return opened;
}

void SqliteHubStore::give_back(std::unique_ptr<Session> reader) {
  const std::lock_guard lock(pooling_);
  --readers_out_;
  if (reader != nullptr && !reader->connection().is_broken())
    idle_readers_.push_back(std::move(reader));
  reader_free_.notify_one();
}

Status SqliteHubStore::verify() {
  DUHUI_TRY(taken, take_reader());
  ReaderLease reader(*this, std::move(taken));
  return quick_check(reader->connection());
}

Status SqliteHubStore::backup_to(const std::string& path) {
  if (exists(path)) return Error{ErrorCode::refused, "target_exists: " + path};
  const std::string draft = path + ".part";
  std::remove(draft.c_str());
  {
    DUHUI_TRY(taken, take_reader());
    ReaderLease reader(*this, std::move(taken));
    DUHUI_TRY(copy, Connection::open(draft, {.writable = true,
                                             .create = true,
                                             .cache_bytes = options_.reader_cache_bytes}));
    DUHUI_CHECK_OK(copy_pages(reader->connection(), *copy));
    DUHUI_CHECK_OK(quick_check(*copy));
  }
  DUHUI_CHECK_OK(sync_file(draft));
  if (std::rename(draft.c_str(), path.c_str()) != 0)
    return Error{ErrorCode::storage_failed, "rename " + draft + ": " + std::strerror(errno)};
  return sync_folder_of(path);
}

Status SqliteHubStore::checkpoint() {
  const std::lock_guard lock(checkpointing_);
  if (checkpointer_ == nullptr) {
    DUHUI_TRY(opened, open_session(true));
    checkpointer_ = std::move(opened);
  }
  sqlite3* handle = checkpointer_->connection().handle();
  const int result =
      sqlite3_wal_checkpoint_v2(handle, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (result == SQLITE_OK || result == SQLITE_BUSY) return Done{};
  return checkpointer_->connection().error(result, "checkpoint");
}

}  // namespace duhui::hub
