#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/ports/file_system.h"
#include "agent/ports/journal.h"
#include "agent/store/disk_reserve.h"

namespace duhui::agent {

struct JournalLimits {
  std::uint64_t segment_bytes = 1 << 20;  // past this the next append begins a new segment
};

/// Journal in a folder of append-only segments.
///
/// A segment is written by one run of the program only, and never behind a failed append: torn
/// bytes are always at the end of a segment. After a failure the entries go once more into a new
/// segment, with the disk reserve given up if the disk was full; an entry that is there twice costs
/// nothing. Damage in one frame costs that frame. Format: docs/storage.md.
class FileJournal final : public Journal {
 public:
  /// Reads what is there. A segment that cannot be read stays and counts as one damaged range.
  /// `files` and `reserve` must outlive the journal.
  static Result<std::unique_ptr<FileJournal>> open(FileSystem& files,
                                                   std::string folder,
                                                   DiskReserve& reserve,
                                                   JournalLimits limits);

  /// An entry whose frame would pass kJournalFrameMax: limit_exceeded, nothing written.
  Status append(const std::vector<Entry>& entries) override;
  /// storage_failed: a segment that was readable is not now; what is in it is unknown, ask again.
  Result<std::uint64_t> replay(const std::function<void(const Entry&)>& visit) override;
  Status drop_through(const Dot& through) override;

  /// What open() could not read; damage is at the end of a segment after a power cut.
  std::uint64_t damaged_ranges() const { return damaged_ranges_; }
  std::size_t segment_count() const { return segments_.size(); }

 private:
  using Newest = std::map<Origin, std::uint64_t>;  // the greatest seq of each origin

  FileJournal(FileSystem& files, std::string folder, DiskReserve& reserve, JournalLimits limits);

  Status load();
  std::string path_of(std::uint64_t segment) const;
  Result<std::uint64_t> read_segment(std::uint64_t segment,
                                     const std::function<void(const Entry&)>& visit);
  Status write(std::string_view frames, const Newest& newest);
  Status begin_segment();
  bool all_dropped(const Newest& newest) const;

  FileSystem& files_;
  const std::string folder_;
  DiskReserve& reserve_;
  const JournalLimits limits_;
  std::map<std::uint64_t, Newest> segments_;  // by number, the open one too
  Newest dropped_;
  std::uint64_t damaged_ranges_ = 0;
  std::uint64_t next_segment_ = 1;
  std::unique_ptr<AppendFile> open_;  // the newest segment, if it may still grow
  std::uint64_t open_size_ = 0;
};

}  // namespace duhui::agent
