#include "agent/store/file_journal.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "agent/store/journal_frame.h"
#include "agent/store/paths.h"

namespace duhui::agent {
namespace {

constexpr std::string_view kSuffix = ".journal";
constexpr std::size_t kNumberDigits = 16;
constexpr std::uint64_t kSegmentFileMax = 1ull << 30;
// Ids, chain and a little: what an op may not use of a frame.
constexpr std::size_t kFrameOverhead = 128;
// Stands for the entries of a segment that could not be read when the journal was opened.
constexpr Origin kNobody{};

std::string to_name(std::uint64_t segment) {
  std::string digits = std::to_string(segment);
  return std::string(kNumberDigits - std::min(kNumberDigits, digits.size()), '0') + digits +
         std::string(kSuffix);
}

std::optional<std::uint64_t> to_number(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) return std::nullopt;
  return number;
}

}  // namespace

FileJournal::FileJournal(FileSystem& files,
                         std::string folder,
                         DiskReserve& reserve,
                         JournalLimits limits)
    : files_(files), folder_(std::move(folder)), reserve_(reserve), limits_(limits) {}

Result<std::unique_ptr<FileJournal>> FileJournal::open(FileSystem& files,
                                                       std::string folder,
                                                       DiskReserve& reserve,
                                                       JournalLimits limits) {
  std::unique_ptr<FileJournal> journal(new FileJournal(files, std::move(folder), reserve, limits));
  DUHUI_CHECK_OK(journal->load());
  return journal;
}

Status FileJournal::load() {
  DUHUI_CHECK_OK(files_.make_folder(folder_));
  DUHUI_CHECK_OK(files_.sync_folder(folder_of(folder_)));
  DUHUI_TRY(names, files_.list(folder_));
  for (const std::string& name : names) {
    const auto number = to_number(name);
    if (!number) continue;
    Newest& newest = segments_[*number];
    next_segment_ = std::max(next_segment_, *number + 1);
    auto damage = read_segment(*number, [&](const Entry& entry) {
      std::uint64_t& seq = newest[entry.dot.origin];
      seq = std::max(seq, entry.dot.seq);
    });
    // Unreadable now, perhaps not tomorrow: an origin that is never acknowledged keeps it.
    damaged_ranges_ += damage ? *damage : 1;
    if (!damage) newest[Origin{}] = ~std::uint64_t{0};
  }
  // What the last run wrote but did not live to sync is read above, so it must stay.
  if (!segments_.empty()) {
    auto newest =
        files_.open_to_append(path_of(segments_.rbegin()->first), FileSystem::Existing::kept);
    if (newest) static_cast<void>((*newest)->sync().has_value());
  }
  return Done{};
}

std::string FileJournal::path_of(std::uint64_t segment) const {
  return folder_ + "/" + to_name(segment);
}

Result<std::uint64_t> FileJournal::read_segment(std::uint64_t segment,
                                                const std::function<void(const Entry&)>& visit) {
  auto bytes = read_file(files_, path_of(segment), kSegmentFileMax);
  // An op that is overlooked is saved again under the same seq: one hiccup must not hide one.
  if (!bytes) bytes = read_file(files_, path_of(segment), kSegmentFileMax);
  if (!bytes) return std::move(bytes).error();
  return read_frames(*bytes, visit);
}

Status FileJournal::begin_segment() {
  // A number is used once, even if creating the file failed half-way.
  const std::uint64_t number = next_segment_++;
  DUHUI_TRY(file, files_.open_to_append(path_of(number), FileSystem::Existing::replaced));
  segments_[number] = {};
  DUHUI_CHECK_OK(files_.sync_folder(folder_));
  open_ = std::move(file);
  open_size_ = 0;
  return Done{};
}

Status FileJournal::write(std::string_view frames, const Newest& newest) {
  if (open_ == nullptr || open_size_ >= limits_.segment_bytes) {
    open_.reset();
    DUHUI_CHECK_OK(begin_segment());
  }
  // Noted before the write: a failed append may still be on disk.
  Newest& in_segment = segments_.rbegin()->second;
  for (const auto& [origin, seq] : newest) in_segment[origin] = std::max(in_segment[origin], seq);
  open_size_ += frames.size();
  DUHUI_CHECK_OK(open_->append(frames));
  return open_->sync();
}

Status FileJournal::append(const std::vector<Entry>& entries) {
  if (entries.empty()) return Done{};
  std::string frames;
  Newest newest;
  for (const Entry& entry : entries) {
    if (entry.op.size() > kJournalFrameMax - kFrameOverhead) {
      return Error{ErrorCode::limit_exceeded,
                   "journal: an op of " + std::to_string(entry.op.size()) + " bytes"};
    }
    append_frame(frames, entry);
    std::uint64_t& seq = newest[entry.dot.origin];
    seq = std::max(seq, entry.dot.seq);
  }
  auto written = write(frames, newest);
  if (written) return written;
  open_.reset();
  if (written.error().code == ErrorCode::limit_exceeded) {
    static_cast<void>(reserve_.release());
  }
  written = write(frames, newest);
  if (written) return written;
  open_.reset();
  return Error{ErrorCode::storage_failed, "journal: " + written.error().detail};
}

Result<std::uint64_t> FileJournal::replay(const std::function<void(const Entry&)>& visit) {
  std::uint64_t damaged_ranges = 0;
  for (const auto& [number, newest] : segments_) {
    const auto damage = read_segment(number, visit);
    // Readable before, so perhaps after: "not there" would let a seq be given away twice.
    if (!damage && !newest.contains(kNobody)) {
      return Error{ErrorCode::storage_failed, "journal: " + damage.error().detail};
    }
    damaged_ranges += damage ? *damage : 1;
  }
  return damaged_ranges;
}

bool FileJournal::all_dropped(const Newest& newest) const {
  return std::all_of(newest.begin(), newest.end(), [&](const auto& entry) {
    const auto dropped = dropped_.find(entry.first);
    return dropped != dropped_.end() && entry.second <= dropped->second;
  });
}

Status FileJournal::drop_through(const Dot& through) {
  std::uint64_t& dropped = dropped_[through.origin];
  dropped = std::max(dropped, through.seq);
  bool removed = false;
  for (auto segment = segments_.begin(); segment != segments_.end();) {
    const bool is_open = open_ != nullptr && segment->first == segments_.rbegin()->first;
    if (is_open || !all_dropped(segment->second)) {
      ++segment;
      continue;
    }
    if (auto done = files_.remove(path_of(segment->first));
        !done && done.error().code != ErrorCode::not_found) {
      return Error{ErrorCode::storage_failed, "journal: " + done.error().detail};
    }
    segment = segments_.erase(segment);
    removed = true;
  }
  if (!removed) return Done{};
  if (auto done = files_.sync_folder(folder_); !done) {
    return Error{ErrorCode::storage_failed, "journal: " + done.error().detail};
  }
  return Done{};
}

}  // namespace duhui::agent
