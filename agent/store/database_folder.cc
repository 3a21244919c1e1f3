#include "agent/store/database_folder.h"

#include <algorithm>
#include <string_view>

#include "agent/store/paths.h"

namespace duhui::agent {
namespace {

// LevelDB's log format: blocks of 32 KiB; in each, records of checksum (4), length (2, little
// endian), type (1) and bytes; less than 7 bytes at the end of a block are padding.
constexpr std::size_t kBlockSize = 32 * 1024;
constexpr std::size_t kRecordHeadSize = 7;
constexpr std::uint64_t kManifestMax = 256 << 20;

bool ends_after_a_record(std::string_view log) {
  std::size_t at = 0;
  while (at < log.size()) {
    const std::size_t left_in_block = kBlockSize - at % kBlockSize;
    if (left_in_block < kRecordHeadSize) {
      at += left_in_block;
      continue;
    }
    if (at + kRecordHeadSize > log.size()) return false;
    const std::size_t length = static_cast<unsigned char>(log[at + 4]) |
                               static_cast<std::size_t>(static_cast<unsigned char>(log[at + 5]))
                                   << 8;
    at += kRecordHeadSize + length;
  }
  return at == log.size();
}

}  // namespace

Status check_database_folder(FileSystem& files,
                             const std::string& folder,
                             UnfinishedManifest unfinished) {
  DUHUI_TRY(names, files.list(folder));
  const auto has = [&](std::string_view suffix) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return std::string_view(name).ends_with(suffix);
    });
  };
  if (!has("CURRENT")) return Error{ErrorCode::corrupt_data, folder + ": CURRENT is missing"};
  if (!has(".log")) return Error{ErrorCode::corrupt_data, folder + ": the log is missing"};

  DUHUI_TRY(current, read_file(files, folder + "/CURRENT", 1024));
  if (!current.empty() && current.back() == '\n') current.pop_back();
  if (!current.starts_with("MANIFEST-") ||
      std::find(names.begin(), names.end(), current) == names.end()) {
    return Error{ErrorCode::corrupt_data, folder + ": CURRENT names no manifest"};
  }
  if (unfinished == UnfinishedManifest::allowed) return Done{};
  DUHUI_TRY(manifest, read_file(files, folder + "/" + current, kManifestMax));
  if (!ends_after_a_record(manifest)) {
    return Error{ErrorCode::corrupt_data, folder + ": " + current + " is cut"};
  }
  return Done{};
}

}  // namespace duhui::agent
