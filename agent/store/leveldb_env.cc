#include "agent/store/leveldb_env.h"

#include <atomic>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <leveldb/env.h>
#include <leveldb/slice.h>
#include <leveldb/status.h>

#include "agent/store/paths.h"

namespace duhui::agent {
namespace {

// LevelDB appends in small pieces and flushes after each record.
constexpr std::size_t kWriteBufferMax = 64 * 1024;

leveldb::Status to_leveldb(const Error& error) {
  if (error.code == ErrorCode::not_found) return leveldb::Status::NotFound(error.detail);
  return leveldb::Status::IOError(error.detail);
}

class SequentialReader final : public leveldb::SequentialFile {
 public:
  explicit SequentialReader(std::unique_ptr<ReadFile> file) : file_(std::move(file)) {}

  leveldb::Status Read(std::size_t n, leveldb::Slice* result, char* scratch) override {
    auto bytes = file_->read(offset_, n);
    if (!bytes) return to_leveldb(bytes.error());
    bytes->copy(scratch, bytes->size());
    *result = leveldb::Slice(scratch, bytes->size());
    offset_ += bytes->size();
    return leveldb::Status::OK();
  }

  leveldb::Status Skip(std::uint64_t n) override {
    offset_ += n;
    return leveldb::Status::OK();
  }

 private:
  const std::unique_ptr<ReadFile> file_;
  std::uint64_t offset_ = 0;
};

class RandomReader final : public leveldb::RandomAccessFile {
 public:
  explicit RandomReader(std::unique_ptr<ReadFile> file) : file_(std::move(file)) {}

  leveldb::Status Read(std::uint64_t offset,
                       std::size_t n,
                       leveldb::Slice* result,
                       char* scratch) const override {
    auto bytes = file_->read(offset, n);
    if (!bytes) return to_leveldb(bytes.error());
    bytes->copy(scratch, bytes->size());
    *result = leveldb::Slice(scratch, bytes->size());
    return leveldb::Status::OK();
  }

 private:
  const std::unique_ptr<ReadFile> file_;
};

class BufferedWriter final : public leveldb::WritableFile {
 public:
  /// `log`: where to find this writer while it lives, if it writes the log; else null.
  BufferedWriter(std::unique_ptr<AppendFile> file,
                 std::atomic<bool>& disk_was_full,
                 BufferedWriter** log)
      : file_(std::move(file)), disk_was_full_(disk_was_full), log_(log) {
    if (log_ != nullptr) *log_ = this;
  }
  ~BufferedWriter() override {
    if (log_ != nullptr && *log_ == this) *log_ = nullptr;
  }

  leveldb::Status Append(const leveldb::Slice& data) override {
    buffer_.append(data.data(), data.size());
    return buffer_.size() < kWriteBufferMax ? failure_ : Flush();
  }

  leveldb::Status Flush() override {
    if (!failure_.ok() || buffer_.empty()) return failure_;
    unsynced_ = true;
    const auto done = file_->append(buffer_);
    buffer_.clear();
    return keep(done);
  }

  leveldb::Status Sync() override {
    if (auto flushed = Flush(); !flushed.ok()) return flushed;
    unsynced_ = false;
    return keep(file_->sync());
  }

  bool is_unsynced() const { return unsynced_ || !buffer_.empty(); }

  leveldb::Status Close() override { return Flush(); }

 private:
  // A failed file stays failed: LevelDB itself would go on writing behind the gap.
  leveldb::Status keep(const Status& done) {
    if (!done) {
      if (done.error().code == ErrorCode::limit_exceeded) disk_was_full_ = true;
      failure_ = to_leveldb(done.error());
    }
    return failure_;
  }

  const std::unique_ptr<AppendFile> file_;
  std::atomic<bool>& disk_was_full_;
  BufferedWriter** const log_;
  std::string buffer_;
  bool unsynced_ = false;
  leveldb::Status failure_;
};

class HeldLock final : public leveldb::FileLock {
 public:
  explicit HeldLock(std::unique_ptr<agent::FileLock> lock) : lock_(std::move(lock)) {}

 private:
  const std::unique_ptr<agent::FileLock> lock_;
};

// What went wrong is in the Status of the call; LevelDB's own diary would only cost writes.
class SilentLogger final : public leveldb::Logger {
 public:
  void Logv(const char* /*format*/, std::va_list /*arguments*/) override {}
};

}  // namespace

class LevelDbEnv::Bridge final : public leveldb::EnvWrapper {
 public:
  Bridge(FileSystem& files, Compaction compaction)
      : EnvWrapper(leveldb::Env::Default()), files_(files), compaction_(compaction) {}

  leveldb::Status NewSequentialFile(const std::string& path,
                                    leveldb::SequentialFile** result) override {
    auto file = files_.open_to_read(path);
    if (!file) return failed(file.error());
    *result = new SequentialReader(std::move(*file));
    return leveldb::Status::OK();
  }

  leveldb::Status NewRandomAccessFile(const std::string& path,
                                      leveldb::RandomAccessFile** result) override {
    auto file = files_.open_to_read(path);
    if (!file) return failed(file.error());
    *result = new RandomReader(std::move(*file));
    return leveldb::Status::OK();
  }

  leveldb::Status NewWritableFile(const std::string& path,
                                  leveldb::WritableFile** result) override {
    return open_to_append(path, FileSystem::Existing::replaced, result);
  }

  leveldb::Status NewAppendableFile(const std::string& path,
                                    leveldb::WritableFile** result) override {
    return open_to_append(path, FileSystem::Existing::kept, result);
  }

  bool FileExists(const std::string& path) override {
    auto found = files_.info(path);
    // "Unknown" must not read as "absent": LevelDB would begin a new database over the old one.
    return !found || found->has_value();
  }

  leveldb::Status GetChildren(const std::string& folder,
                              std::vector<std::string>* result) override {
    result->clear();
    auto names = files_.list(folder);
    if (!names) return failed(names.error());
    *result = std::move(*names);
    return leveldb::Status::OK();
  }

  leveldb::Status RemoveFile(const std::string& path) override {
    if (auto done = files_.remove(path); !done) return failed(done.error());
    return sync_folder_of(path);
  }
  leveldb::Status DeleteFile(const std::string& path) override { return RemoveFile(path); }

  leveldb::Status CreateDir(const std::string& path) override {
    if (auto done = files_.make_folder(path); !done) return failed(done.error());
    return sync_folder_of(path);
  }

  leveldb::Status RemoveDir(const std::string& path) override { return RemoveFile(path); }
  leveldb::Status DeleteDir(const std::string& path) override { return RemoveFile(path); }

  leveldb::Status GetFileSize(const std::string& path, std::uint64_t* size) override {
    auto found = files_.info(path);
    if (!found) return failed(found.error());
    if (!found->has_value()) return leveldb::Status::NotFound(path);
    *size = (*found)->size;
    return leveldb::Status::OK();
  }

  leveldb::Status RenameFile(const std::string& from, const std::string& to) override {
    if (auto done = files_.rename(from, to); !done) return failed(done.error());
    return sync_folder_of(to);
  }

  leveldb::Status LockFile(const std::string& path, leveldb::FileLock** result) override {
    auto lock = files_.lock(path);
    if (!lock) {
      if (lock.error().code == ErrorCode::unavailable) lock_was_held_ = true;
      return failed(lock.error());
    }
    *result = new HeldLock(std::move(*lock));
    return leveldb::Status::OK();
  }

  leveldb::Status UnlockFile(leveldb::FileLock* lock) override {
    delete lock;
    return leveldb::Status::OK();
  }

  leveldb::Status NewLogger(const std::string& /*path*/, leveldb::Logger** result) override {
    *result = new SilentLogger;
    return leveldb::Status::OK();
  }

  void Schedule(void (*function)(void*), void* argument) override {
    if (compaction_ == Compaction::on_a_thread) {
      EnvWrapper::Schedule(function, argument);
    } else {
      scheduled_.emplace_back(function, argument);
    }
  }

  void SleepForMicroseconds(int micros) override {
    if (compaction_ == Compaction::on_a_thread) EnvWrapper::SleepForMicroseconds(micros);
  }

  void run_scheduled() {
    while (!scheduled_.empty()) {
      const auto [function, argument] = scheduled_.front();
      scheduled_.pop_front();
      function(argument);
    }
  }

  bool take_disk_was_full() { return disk_was_full_.exchange(false); }
  bool take_lock_was_held() { return lock_was_held_.exchange(false); }

 private:
  leveldb::Status failed(const Error& error) {
    if (error.code == ErrorCode::limit_exceeded) disk_was_full_ = true;
    return to_leveldb(error);
  }

  leveldb::Status sync_folder_of(const std::string& path) {
    if (auto done = files_.sync_folder(folder_of(path)); !done) return failed(done.error());
    return leveldb::Status::OK();
  }

  leveldb::Status open_to_append(const std::string& path,
                                 FileSystem::Existing existing,
                                 leveldb::WritableFile** result) {
    const bool is_log = path.ends_with(".log");
    // LevelDB leaves the old log as it is when it begins a new one: a synced write in the new one
    // could survive a power cut that takes an unsynced one before it.
    if (is_log && log_ != nullptr && log_->is_unsynced()) {
      if (auto synced = log_->Sync(); !synced.ok()) return synced;
    }
    auto file = files_.open_to_append(path, existing);
    if (!file) return failed(file.error());
    if (auto done = sync_folder_of(path); !done.ok()) return done;
    *result = new BufferedWriter(std::move(*file), disk_was_full_, is_log ? &log_ : nullptr);
    return leveldb::Status::OK();
  }

  FileSystem& files_;
  const Compaction compaction_;
  std::atomic<bool> disk_was_full_{false};
  std::atomic<bool> lock_was_held_{false};
  std::deque<std::pair<void (*)(void*), void*>> scheduled_;
  BufferedWriter* log_ = nullptr;  // the newest; used by the thread that writes alone
};

LevelDbEnv::LevelDbEnv(FileSystem& files, Compaction compaction)
    : bridge_(std::make_unique<Bridge>(files, compaction)) {}

LevelDbEnv::~LevelDbEnv() = default;

leveldb::Env* LevelDbEnv::env() { return bridge_.get(); }

void LevelDbEnv::run_scheduled() { bridge_->run_scheduled(); }

bool LevelDbEnv::take_disk_was_full() { return bridge_->take_disk_was_full(); }

bool LevelDbEnv::take_lock_was_held() { return bridge_->take_lock_was_held(); }

}  // namespace duhui::agent
