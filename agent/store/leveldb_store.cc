#include "agent/store/leveldb_store.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <utility>

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/env.h>
#include <leveldb/iterator.h>
#include <leveldb/options.h>
#include <leveldb/write_batch.h>

#include "agent/store/database_folder.h"
#include "agent/store/paths.h"
#include "agent/store/stored_value.h"

namespace duhui::agent {
namespace {

// Our own key sorts before every key of the core, which all begin with kCorePrefix.
constexpr std::string_view kCommitKey = "!commit";
constexpr char kCorePrefix = 'k';

constexpr std::size_t kBlockCacheBytes = 4 << 20;

leveldb::Slice to_slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view to_view(const leveldb::Slice& slice) { return {slice.data(), slice.size()}; }

std::string to_stored_key(std::string_view key) {
  std::string stored(1, kCorePrefix);
  stored += key;
  return stored;
}

leveldb::ReadOptions checked_reads() {
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  return options;
}

/// Context first, LevelDB's own words after: "commit 3 changes: IO error: ...".
Error to_error(const leveldb::Status& status, const std::string& context) {
  const bool damaged = status.IsCorruption() || status.IsInvalidArgument() || status.IsNotFound();
  return {damaged ? ErrorCode::corrupt_data : ErrorCode::storage_failed,
          context + ": " + status.ToString()};
}

/// Keeps the lines in which RepairDB says what it gave up.
class RepairDiary final : public leveldb::Logger {
 public:
  explicit RepairDiary(std::vector<std::string>& lines) : lines_(lines) {}

  void Logv(const char* format, std::va_list arguments) override {
    char line[512];
    std::vsnprintf(line, sizeof line, format, arguments);
    const std::string_view text(line);
    const bool is_loss = text.find("ignor") != text.npos || text.find("dropp") != text.npos ||
                         text.find("rror") != text.npos || text.find("orruption") != text.npos;
    if (is_loss && lines_.size() < kLinesMax) lines_.emplace_back(text);
  }

 private:
  static constexpr std::size_t kLinesMax = 1000;

  std::vector<std::string>& lines_;
};

}  // namespace

struct LevelDbStore::Database {
  std::unique_ptr<leveldb::Cache> cache{leveldb::NewLRUCache(kBlockCacheBytes)};
  std::unique_ptr<leveldb::Logger> logger;
  std::unique_ptr<leveldb::DB> db;  // last: closed before what it uses goes
};

LevelDbStore::LevelDbStore(FileSystem& files,
                           std::string folder,
                           DiskReserve& reserve,
                           LevelDbLimits limits)
    : files_(files),
      folder_(std::move(folder)),
      reserve_(reserve),
      limits_(limits),
      env_(files, limits.compaction) {}

LevelDbStore::~LevelDbStore() { close(); }

Result<std::unique_ptr<LevelDbStore>> LevelDbStore::open(FileSystem& files,
                                                         std::string folder,
                                                         DiskReserve& reserve,
                                                         LevelDbLimits limits) {
  std::unique_ptr<LevelDbStore> store(new LevelDbStore(files, std::move(folder), reserve, limits));
  DUHUI_CHECK_OK(store->open_database());
  return store;
}

std::unique_ptr<LevelDbStore> LevelDbStore::open_later(FileSystem& files,
                                                       std::string folder,
                                                       DiskReserve& reserve,
                                                       LevelDbLimits limits,
                                                       std::string why) {
  std::unique_ptr<LevelDbStore> store(new LevelDbStore(files, std::move(folder), reserve, limits));
  store->health_.last_error = std::move(why);
  return store;
}

Result<std::unique_ptr<LevelDbStore>> LevelDbStore::repair(FileSystem& files,
                                                           std::string folder,
                                                           DiskReserve& reserve,
                                                           LevelDbLimits limits,
                                                           std::vector<std::string>& unreadable) {
  std::unique_ptr<LevelDbStore> store(new LevelDbStore(files, std::move(folder), reserve, limits));
  RepairDiary diary(unreadable);
  leveldb::Options options;
  options.env = store->env_.env();
  options.info_log = &diary;
  const leveldb::Status status = leveldb::RepairDB(store->folder_, options);
  if (!status.ok()) return to_error(status, "repair " + store->folder_);
  DUHUI_CHECK_OK(store->open_handle(store->folder_, false));
  // Its commit number may be damaged or gone: the entries carry their own.
  if (auto number = store->read_commit_number()) store->committed_ = store->synced_ = *number;
  return store;
}

Status LevelDbStore::open_handle(const std::string& folder, bool create) {
  auto database = std::make_unique<Database>();
  leveldb::Logger* logger = nullptr;
  static_cast<void>(env_.env()->NewLogger("", &logger).ok());
  database->logger.reset(logger);

  leveldb::Options options;
  options.create_if_missing = create;
  options.paranoid_checks = true;
  options.env = env_.env();
  options.info_log = logger;
  options.block_cache = database->cache.get();
  options.write_buffer_size = limits_.write_buffer_bytes;
  options.max_file_size = limits_.table_bytes;
  leveldb::DB* db = nullptr;
  const leveldb::Status status = leveldb::DB::Open(options, folder, &db);
  database->db.reset(db);
  if (!status.ok()) {
    if (env_.take_lock_was_held()) {
      return Error{ErrorCode::unavailable, "open " + folder + ": another process has it open"};
    }
    // "disk full" is no damage, and no reason to set anything aside.
    if (env_.take_disk_was_full()) {
      return Error{ErrorCode::limit_exceeded, "open " + folder + ": " + status.ToString()};
    }
    return to_error(status, "open " + folder);
  }
  database_ = std::move(database);
  env_.run_scheduled();
  return Done{};
}

Status LevelDbStore::create_database() {
  const std::string building = folder_ + ".building";
  DUHUI_CHECK_OK(remove_folder(files_, building));
  DUHUI_CHECK_OK(open_handle(building, true));
  close();
  return rename_durably(files_, building, folder_);
}

Status LevelDbStore::open_database() {
  DUHUI_TRY(found_folder, files_.info(folder_));
  if (!found_folder) DUHUI_CHECK_OK(create_database());
  // A reopening may find a manifest that this process itself could not finish: that is no damage.
  const auto unfinished =
      opened_before_ ? UnfinishedManifest::allowed : UnfinishedManifest::is_damage;
  DUHUI_CHECK_OK(check_database_folder(files_, folder_, unfinished));
  DUHUI_CHECK_OK(open_handle(folder_, false));
  opened_before_ = true;

  auto found = read_commit_number();
  if (!found) {
    close();
    return std::move(found).error();
  }
  if (*found < synced_) health_.commits_lost += synced_ - *found;
  gone_ = *found < committed_ ? committed_ - *found : 0;
  committed_ = synced_ = *found;
  return Done{};
}

void LevelDbStore::close() {
  if (database_ == nullptr) return;
  env_.run_scheduled();
  database_.reset();
}

Status LevelDbStore::ensure_open() {
  if (database_ != nullptr) return Done{};
  auto opened = open_database();
  if (!opened && opened.error().code == ErrorCode::limit_exceeded && reserve_.release()) {
    opened = open_database();
  }
  if (!opened) {
    health_.last_error = to_string(opened.error());
    const bool damaged = opened.error().code == ErrorCode::corrupt_data;
    return Error{damaged ? ErrorCode::corrupt_data : ErrorCode::storage_failed,
                 opened.error().detail};
  }
  ++health_.reopened;
  if (gone_ == 0) return Done{};
  return Error{ErrorCode::storage_failed,
               std::to_string(gone_) + " commits are gone after reopening"};
}

Error LevelDbStore::give_up_handle(Error error) {
  close();
  if (env_.take_disk_was_full()) static_cast<void>(reserve_.release());
  health_.last_error = to_string(error);
  return error;
}

Status LevelDbStore::write(const KvBatch& batch, std::uint64_t number, Sync sync) {
  leveldb::WriteBatch writes;
  for (const KvBatch::Change& change : batch.changes) {
    const std::string key = to_stored_key(change.key);
    if (change.value) {
      writes.Put(to_slice(key), to_slice(wrap_value(key, *change.value, number)));
    } else {
      writes.Delete(to_slice(key));
    }
  }
  writes.Put(to_slice(kCommitKey), to_slice(wrap_value(kCommitKey, {}, number)));
  leveldb::WriteOptions options;
  options.sync = sync == Sync::now;
  const leveldb::Status status = database_->db->Write(options, &writes);
  if (!status.ok()) {
    return to_error(status, "commit " + std::to_string(batch.changes.size()) + " changes");
  }
  env_.run_scheduled();
  committed_ = number;
  if (sync == Sync::now) synced_ = number;
  return Done{};
}

Status LevelDbStore::commit(const KvBatch& batch) { return commit(batch, Sync::now); }

Status LevelDbStore::commit_unsynced(const KvBatch& batch) { return commit(batch, Sync::later); }

Status LevelDbStore::commit(const KvBatch& batch, Sync sync) {
  DUHUI_CHECK_OK(ensure_open());
  const std::uint64_t number = committed_ + 1;
  auto written = write(batch, number, sync);
  if (!written) {
    const Error first = give_up_handle(written.error());
    if (auto reopened = ensure_open(); !reopened) {
      return Error{ErrorCode::storage_failed,
                   first.detail + "; reopen: " + reopened.error().detail};
    }
    written = committed_ == number ? Status(Done{}) : write(batch, number, sync);
    if (!written) {
      const Error second = give_up_handle(written.error());
      return Error{ErrorCode::storage_failed, second.detail};
    }
  }
  reserve_.restore_in_time();
  return Done{};
}

Result<std::optional<std::string>> LevelDbStore::read(std::string_view key) {
  std::string stored;
  const leveldb::Status status = database_->db->Get(checked_reads(), to_slice(key), &stored);
  env_.run_scheduled();
  if (status.IsNotFound()) return std::optional<std::string>{};
  if (!status.ok()) return to_error(status, "get");
  const auto value = unwrap_value(key, stored);
  if (!value) return Error{ErrorCode::corrupt_data, "get: the value's own checksum is wrong"};
  return std::optional<std::string>{std::string(value->value)};
}

Result<std::uint64_t> LevelDbStore::read_commit_number() {
  std::string stored;
  const leveldb::Status status = database_->db->Get(checked_reads(), to_slice(kCommitKey), &stored);
  env_.run_scheduled();
  if (status.IsNotFound()) return std::uint64_t{0};
  if (!status.ok()) return to_error(status, "get commit number");
  const auto value = unwrap_value(kCommitKey, stored);
  if (!value) return Error{ErrorCode::corrupt_data, "get commit number: checksum is wrong"};
  return value->commit;
}

Result<std::optional<std::string>> LevelDbStore::get(std::string_view key) {
  DUHUI_CHECK_OK(ensure_open());
  const std::string stored_key = to_stored_key(key);
  auto value = read(stored_key);
  if (value) return value;
  const Error first = give_up_handle(value.error());
  if (auto reopened = ensure_open(); !reopened) return first;
  value = read(stored_key);
  if (!value) return give_up_handle(value.error());
  return value;
}

Status LevelDbStore::scan(
    std::string_view prefix,
    std::string_view from,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) {
  DUHUI_CHECK_OK(ensure_open());
  const std::string stored_prefix = to_stored_key(prefix);
  const std::string start = from > prefix ? to_stored_key(from) : stored_prefix;
  leveldb::Status status;
  bool judged_good = true;
  {
    const std::unique_ptr<leveldb::Iterator> it(database_->db->NewIterator(checked_reads()));
    for (it->Seek(to_slice(start)); it->Valid() && it->key().starts_with(to_slice(stored_prefix));
         it->Next()) {
      const auto value = unwrap_value(to_view(it->key()), to_view(it->value()));
      judged_good = value.has_value();
      if (!judged_good || !visit(to_view(it->key()).substr(1), value->value)) break;
    }
    // An iterator that hit a bad block just stops being valid, or skips the block: ask why.
    status = it->status();
  }
  env_.run_scheduled();
  if (!status.ok()) return give_up_handle(to_error(status, "scan"));
  if (!judged_good) {
    return give_up_handle({ErrorCode::corrupt_data, "scan: a value's own checksum is wrong"});
  }
  return Done{};
}

Result<std::uint64_t> LevelDbStore::verify() {
  DUHUI_CHECK_OK(ensure_open());
  std::uint64_t count = 0;
  std::uint64_t damaged = 0;
  const auto judge = [&](std::string_view, std::optional<std::string_view> value, std::uint64_t) {
    ++(value ? count : damaged);
    return Status(Done{});
  };
  DUHUI_TRY(unreadable, visit_readable(judge));
  if (unreadable.empty() && damaged == 0) return count;
  return give_up_handle(
      {ErrorCode::corrupt_data,
       "verify " + folder_ + ": " + std::to_string(damaged) + " damaged values; " + unreadable});
}

Result<std::string> LevelDbStore::visit_readable(const Judge& visit) {
  DUHUI_CHECK_OK(ensure_open());
  Status visited = Done{};
  leveldb::Status status;
  {
    leveldb::ReadOptions options = checked_reads();
    options.fill_cache = false;
    const std::unique_ptr<leveldb::Iterator> it(database_->db->NewIterator(options));
    for (it->SeekToFirst(); it->Valid() && visited.has_value(); it->Next()) {
      const std::string_view key = to_view(it->key());
      const auto value = unwrap_value(key, to_view(it->value()));
      const std::string_view shown = key.empty() ? key : key.substr(1);
      if (!value) {
        visited = visit(shown, std::nullopt, 0);
      } else if (key.starts_with(kCorePrefix)) {
        visited = visit(shown, value->value, value->commit);
      }
    }
    status = it->status();
  }
  env_.run_scheduled();
  if (!visited) return std::move(visited).error();
  return status.ok() ? std::string() : status.ToString();
}

void LevelDbStore::continue_after(std::uint64_t commit) {
  committed_ = std::max(committed_, commit);
  synced_ = std::max(synced_, commit);
}

}  // namespace duhui::agent
