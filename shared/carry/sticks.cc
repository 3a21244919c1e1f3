#include "shared/carry/sticks.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

#include <sys/statvfs.h>
#include <unistd.h>

namespace duhui {
namespace {

namespace fs = std::filesystem;

/// "\040" and the like.
std::string unescaped(std::string_view word) {
  std::string text;
  for (std::size_t at = 0; at < word.size(); ++at) {
    const auto octal = [&](std::size_t n) {
      return at + n < word.size() && word[at + n] >= '0' && word[at + n] <= '7';
    };
    if (word[at] == '\\' && octal(1) && octal(2) && octal(3)) {
      const int value = (word[at + 1] - '0') * 64 + (word[at + 2] - '0') * 8 + (word[at + 3] - '0');
      text += static_cast<char>(value);
      at += 3;
    } else {
      text += word[at];
    }
  }
  return text;
}

std::string read_small(const fs::path& path) {
  std::ifstream in(path);
  std::string text;
  std::getline(in, text);
  return text;
}

/// /sys/dev/block/8:17 leads to the partition, its parent is the disk.
bool is_removable(const std::string& numbers) {
  std::error_code error;
  const fs::path node = fs::canonical("/sys/dev/block/" + numbers, error);
  if (error) return false;
  const fs::path disk = fs::exists(node / "partition", error) ? node.parent_path() : node;
  return read_small(disk / "removable") == "1" || node.string().find("/usb") != std::string::npos;
}

Stick look_at(const std::string& path, const std::string& device) {
  Stick stick{.path = path, .device = device};
  struct statvfs found {};
  if (::statvfs(path.c_str(), &found) == 0) {
    stick.free_bytes = std::uint64_t{found.f_bavail} * found.f_frsize;
    stick.writable = (found.f_flag & ST_RDONLY) == 0 && ::access(path.c_str(), W_OK) == 0;
  }
  return stick;
}

}  // namespace

std::vector<Mount> parse_mounts(std::string_view mountinfo) {
  std::vector<Mount> mounts;
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream in(line);
    const std::vector<std::string> words{std::istream_iterator<std::string>(in), {}};
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 7 || words.end() - dash < 3) continue;
    Mount mount{.numbers = words[2], .path = unescaped(words[4]), .device = unescaped(dash[2])};
    if (mount.device.starts_with("/dev/")) mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::vector<Stick> find_sticks(const std::vector<std::string>& folders) {
  std::vector<Stick> sticks;
  std::ifstream in("/proc/self/mountinfo");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  for (const Mount& mount : parse_mounts(text)) {
    if (is_removable(mount.numbers)) sticks.push_back(look_at(mount.path, mount.device));
  }
  for (const std::string& folder : folders) {
    std::error_code error;
    if (fs::is_directory(folder, error)) sticks.push_back(look_at(folder, {}));
  }
  return sticks;
}

}  // namespace duhui
