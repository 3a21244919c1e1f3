#include "shared/carry/bundle_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace duhui {
namespace {

constexpr std::size_t kReadBytes = 64 << 10;

Error failed(const std::string& what) {
  ErrorCode code = ErrorCode::storage_failed;
  if (errno == ENOENT) code = ErrorCode::not_found;
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) code = ErrorCode::limit_exceeded;
  if (errno == EACCES || errno == EPERM || errno == EROFS || errno == ELOOP) {
    code = ErrorCode::refused;
  }
  return {code, what + ": " + std::strerror(errno)};
}

int open_retrying(const std::string& path, int flags) {
  for (;;) {
    const int file = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (file >= 0 || errno != EINTR) return file;
  }
}

Result<std::size_t> read_some(int file, std::string& bytes, const std::string& path) {
  for (;;) {
    const ssize_t got = ::read(file, bytes.data(), bytes.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return failed("read " + path);
  }
}

Status sync_folder(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int opened = open_retrying(folder, O_RDONLY | O_DIRECTORY);
  if (opened < 0) return failed("open " + folder);
  // Some file systems of sticks know no syncing of folders; they write names through.
  const bool synced = ::fsync(opened) == 0 || errno == EINVAL || errno == ENOTSUP;
  const Status done = synced ? Status(Done{}) : failed("sync " + folder);
  ::close(opened);
  return done;
}

}  // namespace

Result<std::unique_ptr<OutBundle>> OutBundle::create(const std::string& path) {
  // Never through a link that somebody put there.
  const int file = open_retrying(path + ".tmp", O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW);
  if (file < 0) return failed("create " + path);
  return std::unique_ptr<OutBundle>(new OutBundle(path, file));
}

OutBundle::~OutBundle() {
  ::close(file_);
  if (!finished_) ::unlink(beside().c_str());
}

Status OutBundle::append(std::string_view bytes) {
  digest_.add(bytes);
  bytes_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t taken = ::write(file_, bytes.data(), bytes.size());
    if (taken < 0 && errno == EINTR) continue;
    if (taken <= 0) return failed("write " + path_);
    bytes.remove_prefix(static_cast<std::size_t>(taken));
  }
  return Done{};
}

Status OutBundle::read_back() const {
  // From the medium, not from what the kernel remembers, as far as it lets itself be told.
  static_cast<void>(::posix_fadvise(file_, 0, 0, POSIX_FADV_DONTNEED));
  if (::lseek(file_, 0, SEEK_SET) != 0) return failed("read back " + path_);
  RunningDigest read;
  std::string bytes(kReadBytes, '\0');
  for (;;) {
    DUHUI_TRY(got, read_some(file_, bytes, path_));
    if (got == 0) break;
    read.add(std::string_view(bytes).substr(0, got));
  }
  if (read.now() == digest_.now()) return Done{};
  return Error{ErrorCode::corrupt_data, "read back " + path_ + ": not what was written"};
}

Status OutBundle::finish() {
  if (::fsync(file_) != 0) return failed("sync " + path_);
  DUHUI_CHECK_OK(read_back());
  if (std::rename(beside().c_str(), path_.c_str()) != 0) return failed("rename " + path_);
  finished_ = true;
  return sync_folder(path_);
}

Result<std::unique_ptr<InBundle>> InBundle::open(const std::string& path) {
  // A pipe or a device with such a name must not hold us up.
  const int file = open_retrying(path, O_RDONLY | O_NONBLOCK);
  if (file < 0) return failed("open " + path);
  std::unique_ptr<InBundle> opened(new InBundle(path, file));
  struct stat found {};
  if (::fstat(file, &found) != 0) return failed("open " + path);
  if (!S_ISREG(found.st_mode)) return Error{ErrorCode::refused, path + ": not an ordinary file"};
  return opened;
}

InBundle::~InBundle() { ::close(file_); }

Result<std::string> InBundle::read() {
  std::string bytes(kReadBytes, '\0');
  DUHUI_TRY(got, read_some(file_, bytes, path_));
  bytes.resize(got);
  return bytes;
}

Status InBundle::rewind() {
  return ::lseek(file_, 0, SEEK_SET) == 0 ? Status(Done{}) : failed("read " + path_);
}

}  // namespace duhui
