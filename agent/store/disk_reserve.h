#pragma once

#include <cstdint>
#include <string>

#include "agent/ports/file_system.h"

namespace duhui::agent {

/// A file of no meaning that is given up when the disk is full, so that what a person typed still
/// fits and the database can be reopened; made again when space returns. Losing it loses nothing,
/// so no failure here is an error of anybody's.
class DiskReserve {
 public:
  /// `files` must outlive this. `path` lies in an existing folder.
  DiskReserve(FileSystem& files, std::string path, std::uint64_t size);

  /// Makes the file unless it is there, or the disk has no room for it and as much again.
  void restore();
  /// Like restore(), but looks at the disk only now and then; call it after every success.
  void restore_in_time();
  /// True if space was given back.
  bool release();
  bool held() const { return held_; }

 private:
  bool write_file();

  FileSystem& files_;
  const std::string path_;
  const std::uint64_t size_;
  bool held_ = false;
  std::uint32_t calls_until_look_ = 0;
};

/// What a person may still do when the disk fills up: photos stop first, text last.
struct StorageBudget {
  // A phone photo is 2 to 5 MB: stop while some hundred records of text still fit.
  static constexpr std::uint64_t kPhotosNeed = 256ull << 20;
  // One LevelDB write buffer, its table and log, and a journal segment.
  static constexpr std::uint64_t kTextNeeds = 16ull << 20;

  enum class Room : std::uint8_t { everything, no_photos, nothing };

  static constexpr Room room(std::uint64_t free_bytes) {
    if (free_bytes < kTextNeeds) return Room::nothing;
    return free_bytes < kPhotosNeed ? Room::no_photos : Room::everything;
  }
};

}  // namespace duhui::agent
