#include "agent/store/posix_file_system.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace duhui::agent {
namespace {

Error system_error(const char* action, const std::string& path, int number) {
  ErrorCode code = ErrorCode::storage_failed;
  if (number == ENOENT) code = ErrorCode::not_found;
  if (number == ENOSPC || number == EDQUOT) code = ErrorCode::limit_exceeded;
  return {code, std::string(action) + " " + path + ": " + std::strerror(number)};
}

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

int open_retrying(const std::string& path, int flags) {
  for (;;) {
    const int number = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (number >= 0 || errno != EINTR) return number;
  }
}

class PosixAppendFile final : public AppendFile {
 public:
  PosixAppendFile(Descriptor file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  Status append(std::string_view bytes) override {
    if (dead_) return Error{ErrorCode::storage_failed, "append " + path_ + ": failed earlier"};
    while (!bytes.empty()) {
      const ssize_t n = ::write(file_.number(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        dead_ = true;
        return system_error("append", path_, errno);
      }
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return Done{};
  }

  Status sync() override {
    if (dead_) return Error{ErrorCode::storage_failed, "sync " + path_ + ": failed earlier"};
    if (::fdatasync(file_.number()) == 0) return Done{};
    // The kernel may have dropped the unwritten pages: a second fsync would answer OK for nothing.
    dead_ = true;
    return system_error("sync", path_, errno);
  }

 private:
  const Descriptor file_;
  const std::string path_;
  bool dead_ = false;
};

class PosixReadFile final : public ReadFile {
 public:
  PosixReadFile(Descriptor file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  Result<std::string> read(std::uint64_t offset, std::size_t size) override {
    std::string bytes(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      const ssize_t n = ::pread(file_.number(), bytes.data() + have, size - have,
                                static_cast<off_t>(offset + have));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_error("read", path_, errno);
      if (n == 0) break;
      have += static_cast<std::size_t>(n);
    }
    bytes.resize(have);
    return bytes;
  }

 private:
  const Descriptor file_;
  const std::string path_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(Descriptor file) : file_(std::move(file)) {}

 private:
  const Descriptor file_;
};

}  // namespace

Result<std::unique_ptr<AppendFile>> PosixFileSystem::open_to_append(const std::string& path,
                                                                    Existing existing) {
  const int mode = existing == Existing::replaced ? O_TRUNC : 0;
  Descriptor file(open_retrying(path, O_WRONLY | O_CREAT | O_APPEND | mode));
  if (file.number() < 0) return system_error("create", path, errno);
  return std::unique_ptr<AppendFile>(std::make_unique<PosixAppendFile>(std::move(file), path));
}

Result<std::unique_ptr<ReadFile>> PosixFileSystem::open_to_read(const std::string& path) {
  Descriptor file(open_retrying(path, O_RDONLY));
  if (file.number() < 0) return system_error("open", path, errno);
  return std::unique_ptr<ReadFile>(std::make_unique<PosixReadFile>(std::move(file), path));
}

Result<std::optional<FileInfo>> PosixFileSystem::info(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return std::optional<FileInfo>{};
    return system_error("look at", path, errno);
  }
  return std::optional<FileInfo>{
      {.size = static_cast<std::uint64_t>(found.st_size), .is_folder = S_ISDIR(found.st_mode)}};
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& folder) {
  DIR* const open_folder = ::opendir(folder.c_str());
  if (open_folder == nullptr) return system_error("list", folder, errno);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(open_folder);
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  const int number = errno;
  ::closedir(open_folder);
  if (number != 0) return system_error("list", folder, number);
  std::sort(names.begin(), names.end());
  return names;
}

Status PosixFileSystem::make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return Done{};
  const int number = errno;
  struct stat found {};
  if (number == EEXIST && ::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode))
    return Done{};
  return system_error("make folder", path, number);
}

Status PosixFileSystem::remove(const std::string& path) {
  if (std::remove(path.c_str()) != 0) return system_error("remove", path, errno);
  return Done{};
}

Status PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) return system_error("rename", from, errno);
  return Done{};
}

Status PosixFileSystem::sync_folder(const std::string& folder) {
  const Descriptor file(open_retrying(folder, O_RDONLY | O_DIRECTORY));
  if (file.number() < 0) return system_error("open folder", folder, errno);
  if (::fsync(file.number()) != 0) return system_error("sync folder", folder, errno);
  return Done{};
}

Result<std::unique_ptr<FileLock>> PosixFileSystem::lock(const std::string& path) {
  Descriptor file(open_retrying(path, O_RDWR | O_CREAT));
  if (file.number() < 0) return system_error("open lock", path, errno);
  // flock belongs to the open file, so it also keeps out a second opener in this process.
  if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Error{ErrorCode::unavailable, "lock " + path + ": another process holds it"};
    }
    return system_error("lock", path, errno);
  }
  return std::unique_ptr<FileLock>(std::make_unique<PosixFileLock>(std::move(file)));
}

Result<std::uint64_t> PosixFileSystem::free_bytes(const std::string& folder) {
  struct statvfs found {};
  if (::statvfs(folder.c_str(), &found) != 0) return system_error("measure", folder, errno);
  return static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
}

}  // namespace duhui::agent
