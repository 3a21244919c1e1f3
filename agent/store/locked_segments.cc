#include "agent/store/locked_segments.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace duhui::agent {
namespace {

constexpr std::size_t kLengthBytes = 4;

std::string length_bytes(std::size_t length) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(length >> shift & 255);
  return bytes;
}

std::uint32_t length_of(std::string_view bytes) {
  std::uint32_t length = 0;
  for (const char c : bytes) length = length << 8 | static_cast<unsigned char>(c);
  return length;
}

std::string place_of(std::string_view name, std::uint64_t index) {
  return std::string(name) + "/" + std::to_string(index);
}

}  // namespace

Status append_locked(AppendFile& file,
                     std::string_view name,
                     std::uint64_t count,
                     const VaultKey& key,
                     Random& random,
                     std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view next = bytes.substr(0, kSegmentBytesMax);
    const std::string locked = key.lock(next, place_of(name, count++), random);
    DUHUI_CHECK_OK(file.append(length_bytes(locked.size()) + locked));
    bytes.remove_prefix(next.size());
  }
  return Done{};
}

Result<std::unique_ptr<LockedSegments>> LockedSegments::open(FileSystem& files,
                                                             const std::string& path,
                                                             const VaultKey& key) {
  DUHUI_TRY(found, files.info(path));
  if (!found || found->is_folder) return Error{ErrorCode::not_found, "files: not here"};
  std::unique_ptr<LockedSegments> opened(new LockedSegments(key));
  DUHUI_TRY(file, files.open_to_read(path));
  opened->file_ = std::move(file);
  DUHUI_TRY(name, opened->file_->read(0, kSegmentNameBytes));
  if (name.size() != kSegmentNameBytes) return Error{ErrorCode::corrupt_data, "files: no name"};
  opened->name_ = std::move(name);
  DUHUI_CHECK_OK(opened->find_segments(found->size));
  return opened;
}

Status LockedSegments::find_segments(std::uint64_t end) {
  for (std::uint64_t place = kSegmentNameBytes; place < end;) {
    torn_ = true;
    if (end - place < kLengthBytes) return Done{};
    DUHUI_TRY(length, file_->read(place, kLengthBytes));
    const Segment segment{
        .offset = size_, .place = place + kLengthBytes, .bytes = length_of(length)};
    if (segment.bytes <= VaultKey::kLockBytes ||
        segment.bytes > kSegmentBytesMax + VaultKey::kLockBytes ||
        segment.bytes > end - segment.place) {
      return Done{};
    }
    segments_.push_back(segment);
    size_ += segment.bytes - VaultKey::kLockBytes;
    place = segment.place + segment.bytes;
    torn_ = false;
  }
  return Done{};
}

Status LockedSegments::open_segment(std::size_t index) {
  if (opened_ == index + 1) return Done{};
  const Segment& segment = segments_[index];
  DUHUI_TRY(locked, file_->read(segment.place, segment.bytes));
  DUHUI_TRY(plain, key_.open(locked, place_of(name_, index)));
  plain_ = std::move(plain);
  opened_ = index + 1;
  return Done{};
}

Result<std::string> LockedSegments::read(std::uint64_t offset, std::size_t size) {
  std::string out;
  const auto after = std::ranges::upper_bound(segments_, offset, {}, &Segment::offset);
  auto index = static_cast<std::size_t>(after - segments_.begin());
  if (index == 0) return out;
  for (--index; index < segments_.size() && out.size() < size; ++index) {
    DUHUI_CHECK_OK(open_segment(index));
    const std::uint64_t from = offset + out.size() - segments_[index].offset;
    if (from >= plain_.size()) break;
    out += std::string_view(plain_).substr(static_cast<std::size_t>(from), size - out.size());
  }
  return out;
}

}  // namespace duhui::agent
