#include "hub/app/frame_spool.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "shared/base/bytes.h"
#include "shared/sync/limits.h"

namespace duhui::hub {
namespace {

constexpr std::size_t kHeadSize = 20;  // length of the frame, number of ops, of files

Error failed(const char* what) {
  return {ErrorCode::storage_failed, std::string(what) + " spool: " + std::strerror(errno)};
}

Status read_whole(int file, std::string& bytes, std::uint64_t at) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got =
        ::pread(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return failed("read");
    done += static_cast<std::size_t>(got);
  }
  return Done{};
}

}  // namespace

Result<std::unique_ptr<FrameSpool>> FrameSpool::create(const std::string& folder,
                                                       sync::v1::BundleOpening opening) {
  std::string path = folder + "/bundle.XXXXXX";
  const int file = ::mkostemp(path.data(), O_CLOEXEC);
  if (file < 0) return failed("make");
  ::unlink(path.c_str());
  return std::unique_ptr<FrameSpool>(new FrameSpool(file, std::move(opening)));
}

FrameSpool::~FrameSpool() { ::close(file_); }

Status FrameSpool::put(std::string_view frame, std::uint64_t ops, std::uint64_t files) {
  ++frames_;
  if (greeting_.empty()) {
    greeting_.emplace_back(frame);
    return Done{};
  }
  std::string bytes;
  append_big_endian_32(bytes, static_cast<std::uint32_t>(frame.size()));
  append_big_endian_64(bytes, ops);
  append_big_endian_64(bytes, files);
  bytes.append(frame);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t taken =
        ::pwrite(file_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(end_ + done));
    if (taken < 0 && errno == EINTR) continue;
    if (taken <= 0) return failed("write");
    done += static_cast<std::size_t>(taken);
  }
  end_ += bytes.size();
  return Done{};
}

Result<std::optional<CarriedFrame>> FrameSpool::next() {
  if (at_ == end_) return std::optional<CarriedFrame>{};
  std::string head(kHeadSize, '\0');
  DUHUI_CHECK_OK(read_whole(file_, head, at_));
  CarriedFrame frame;
  frame.bytes.resize(read_big_endian_32(head));
  frame.ops = read_big_endian_64(std::string_view(head).substr(4));
  frame.files = read_big_endian_64(std::string_view(head).substr(12));
  DUHUI_CHECK_OK(read_whole(file_, frame.bytes, at_ + kHeadSize));
  at_ += kHeadSize + frame.bytes.size();
  return std::optional<CarriedFrame>(std::move(frame));
}

}  // namespace duhui::hub
