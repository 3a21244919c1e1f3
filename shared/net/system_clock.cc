#include "shared/net/system_clock.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <system_error>

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

ClockReading SystemClock::read() const {
  const Drill drill = this->drill();
  return {{milliseconds_of(CLOCK_REALTIME) + drill.wall.ms},
          {milliseconds_of(CLOCK_BOOTTIME) + drill.monotonic.ms},
          boot_};
}

WallTime SystemClock::wall() const { return {milliseconds_of(CLOCK_REALTIME) + drill().wall.ms}; }

MonotonicTime SystemClock::monotonic() const {
  return {milliseconds_of(CLOCK_BOOTTIME) + drill().monotonic.ms};
}

SystemClock::Drill SystemClock::drill() const {
  Drill drill;
  if (offset_file_.empty()) return drill;
  const std::string text = read_start(offset_file_.c_str());
  const char* const end = text.data() + text.size();
  // Bad text: no offset.
  const auto wall = std::from_chars(text.data(), end, drill.wall.ms);
  if (wall.ec != std::errc{} || wall.ptr == end || *wall.ptr != ' ') return drill;
  std::from_chars(wall.ptr + 1, end, drill.monotonic.ms);
  return drill;
}

}  // namespace duhui::net
