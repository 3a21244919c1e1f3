#include "hub/app/out_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace duhui::hub {
namespace {

Error failed(const std::string& what) {
  return {ErrorCode::storage_failed, what + ": " + std::strerror(errno)};
}

}  // namespace

Result<std::unique_ptr<OutFile>> OutFile::open(const std::string& path) {
  const std::string beside = path + ".new";
  const int file =
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return failed("open " + beside);
  return std::unique_ptr<OutFile>(new OutFile(path, file));
}

OutFile::~OutFile() {
  ::close(file_);
  if (!finished_) ::unlink((path_ + ".new").c_str());
}

Status OutFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t taken = ::write(file_, bytes.data(), bytes.size());
    if (taken < 0 && errno == EINTR) continue;
    if (taken <= 0) return failed("write " + path_);
    bytes.remove_prefix(static_cast<std::size_t>(taken));
  }
  return Done{};
}

Status OutFile::finish() {
  if (::fsync(file_) != 0) return failed("sync " + path_);
  if (std::rename((path_ + ".new").c_str(), path_.c_str()) != 0) return failed("rename " + path_);
  finished_ = true;
  return Done{};
}

}  // namespace duhui::hub
