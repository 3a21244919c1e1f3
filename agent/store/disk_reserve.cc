#include "agent/store/disk_reserve.h"

#include <algorithm>
#include <utility>

#include "agent/store/paths.h"
#include "shared/base/random.h"

namespace duhui::agent {
namespace {

constexpr std::uint64_t kChunk = 256 * 1024;
constexpr std::uint32_t kCallsBetweenLooks = 64;

}  // namespace

DiskReserve::DiskReserve(FileSystem& files, std::string path, std::uint64_t size)
    : files_(files), path_(std::move(path)), size_(size) {}

void DiskReserve::restore() {
  calls_until_look_ = kCallsBetweenLooks;
  if (held_) return;
  const auto found = files_.info(path_);
  if (!found) return;
  if (found->has_value() && (*found)->size == size_) {
    held_ = true;
    return;
  }
  const auto room = files_.free_bytes(folder_of(path_));
  if (!room || *room < 2 * size_) return;
  held_ = write_file();
  if (!held_) static_cast<void>(files_.remove(path_).has_value());
}

void DiskReserve::restore_in_time() {
  if (held_) return;
  if (calls_until_look_ > 0) {
    --calls_until_look_;
    return;
  }
  restore();
}

bool DiskReserve::release() {
  calls_until_look_ = kCallsBetweenLooks;
  const auto found = files_.info(path_);
  if (found && !found->has_value()) {
    held_ = false;
    return false;
  }
  if (!files_.remove(path_)) return false;
  held_ = false;
  static_cast<void>(files_.sync_folder(folder_of(path_)).has_value());
  return true;
}

bool DiskReserve::write_file() {
  auto file = files_.open_to_append(path_, FileSystem::Existing::replaced);
  if (!file) return false;
  // Random bytes: a file system that compresses or leaves holes must really give the space.
  SeededRandom random(size_);
  std::string chunk(static_cast<std::size_t>(std::min(kChunk, size_)), '\0');
  random.fill(chunk.data(), chunk.size());
  for (std::uint64_t left = size_; left > 0;) {
    const std::uint64_t n = std::min<std::uint64_t>(left, chunk.size());
    if (!(*file)->append(std::string_view(chunk).substr(0, static_cast<std::size_t>(n))))
      return false;
    left -= n;
  }
  return (*file)->sync().has_value() && files_.sync_folder(folder_of(path_)).has_value();
}

}  // namespace duhui::agent
