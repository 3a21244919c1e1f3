#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace duhui {

/// A place a bundle can be carried away from.
struct Stick {
  std::string path{};    // where it is mounted
  std::string device{};  // "/dev/sdb1"; empty: a folder the settings name
  bool writable = false;
  std::uint64_t free_bytes = 0;
};

/// One line of /proc/self/mountinfo that is a block device.
struct Mount {
  std::string numbers{};  // "8:17"
  std::string path{};
  std::string device{};
};
/// Those of a mountinfo text (proc(5)), with what it writes in octal as it is. Lines that cannot be
/// read are passed over.
std::vector<Mount> parse_mounts(std::string_view mountinfo);

/// The mounted sticks: block devices that the kernel calls removable, or that hang on USB (disks
/// that call themselves fixed), and the folders of the settings.
std::vector<Stick> find_sticks(const std::vector<std::string>& folders);

}  // namespace duhui
