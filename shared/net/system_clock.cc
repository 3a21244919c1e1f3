#include "shared/net/system_clock.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>

#include <fcntl.h>
#include <unistd.h>

#include "shared/base/bytes.h"
#include "shared/crypto/digest.h"

namespace duhui::net {
namespace {

/// The first bytes of a small file; empty: no such file.
std::string read_start(const char* path) {
  std::array<char, 128> bytes{};
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  const ssize_t size = ::read(file, bytes.data(), bytes.size());
  ::close(file);
  return size > 0 ? std::string(bytes.data(), static_cast<std::size_t>(size)) : std::string();
}

std::int64_t milliseconds_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

SystemClock::SystemClock() {
  if (const char* path = std::getenv("DUHUI_CLOCK_OFFSET_FILE")) offset_file_ = path;
  boot_ = read_big_endian_32(sha256(read_start("/proc/sys/kernel/random/boot_id")).view());
}

ClockReading SystemClock::read() const { return {wall(), monotonic(), boot_}; }

WallTime SystemClock::wall() const {
  std::int64_t offset = 0;
  if (!offset_file_.empty()) {
    const std::string text = read_start(offset_file_.c_str());
    std::from_chars(text.data(), text.data() + text.size(), offset);  // bad text: no offset
  }
  return {milliseconds_of(CLOCK_REALTIME) + offset};
}

MonotonicTime SystemClock::monotonic() const { return {milliseconds_of(CLOCK_BOOTTIME)}; }

}  // namespace duhui::net
