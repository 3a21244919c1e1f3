#include <array>
#include <string>
#include <vector>

#include "shared/media/sniff_internal.h"

namespace duhui::media {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"sv;
constexpr std::size_t kHeaderBytes = 512;
constexpr std::size_t kTableSectorsInHeader = 109;
constexpr std::size_t kEntryBytes = 128;
/// A document has some dozens of streams.
constexpr std::size_t kFolderSectorsMax = 256;
constexpr std::uint32_t kLastRegular = 0xfffffff9;

/// The compound file of older office programs: enough of it to read the names of its streams.
class Compound {
 public:
  explicit Compound(const Source& source) : source_(source) {}

  Status open(std::string_view head) {
    if (head.size() < kHeaderBytes) return broken("a document without its head");
    const std::uint32_t shift = little_16(head, 30);
    if (shift != 9 && shift != 12) return broken("a document of unknown sectors");
    sector_bytes_ = std::size_t{1} << shift;
    for (std::size_t at = 0; at < kTableSectorsInHeader; ++at) {
      const std::uint32_t sector = little_32(head, 76 + 4 * at);
      if (sector <= kLastRegular) table_.push_back(sector);
    }
    first_folder_ = little_32(head, 48);
    return Done{};
  }

  /// The names of streams and storages, without those outside ASCII.
  Result<std::vector<std::string>> names() {
    std::vector<std::string> names;
    std::uint32_t sector = first_folder_;
    for (std::size_t count = 0; sector <= kLastRegular; ++count) {
      if (count == kFolderSectorsMax) return broken("a document with an endless folder");
      DUHUI_TRY(bytes, read_sector(sector));
      for (std::size_t at = 0; at + kEntryBytes <= bytes.size(); at += kEntryBytes) {
        names.push_back(name_of(std::string_view(bytes).substr(at, kEntryBytes)));
      }
      DUHUI_TRY(next, next_of(sector));
      sector = next;
    }
    return names;
  }

 private:
  Result<std::string> read_sector(std::uint32_t sector) {
    DUHUI_TRY(bytes, source_.read((std::uint64_t{sector} + 1) * sector_bytes_, sector_bytes_));
    if (bytes.size() != sector_bytes_) return broken("a document that ends too early");
    return bytes;
  }

  Result<std::uint32_t> next_of(std::uint32_t sector) {
    const std::size_t in_one = sector_bytes_ / 4;
    const std::size_t which = sector / in_one;
    if (which >= table_.size()) return broken("a document whose table is too short");
    DUHUI_TRY(bytes, read_sector(table_[which]));
    return little_32(bytes, 4 * (sector % in_one));
  }

  static std::string name_of(std::string_view entry) {
    std::string name;
    const std::size_t bytes = little_16(entry, 64);
    if (byte_at(entry, 66) == 0 || bytes < 2 || bytes > 64) return name;
    for (std::size_t at = 0; at + 2 < bytes; at += 2) {
      const std::uint32_t unit = little_16(entry, at);
      if (unit >= 0x20 && unit < 0x7f) name += static_cast<char>(unit);
    }
    return name;
  }

  const Source& source_;
  std::size_t sector_bytes_ = 512;
  std::vector<std::uint32_t> table_;
  std::uint32_t first_folder_ = 0;
};

FileType document(std::string mime, std::string extension) {
  return {.mime = std::move(mime), .extension = std::move(extension), .kind = Kind::document};
}

}  // namespace

/// Also what WPS writes under its own extensions: the streams inside are the same.
Sniffed sniff_ole(const Source& source, std::string_view head) {
  if (!head.starts_with(kMagic)) return std::optional<FileType>{};
  Compound compound(source);
  DUHUI_CHECK_OK(compound.open(head));
  DUHUI_TRY(names, compound.names());
  std::optional<FileType> found;
  for (const std::string& name : names) {
    if (name == "Macros" || name == "VBA" || name == "_VBA_PROJECT" || name == "_VBA_PROJECT_CUR") {
      return refused("file_macros", "an office document with macros");
    }
    if (found) continue;
    if (name == "WordDocument") found = document("application/msword", ".doc");
    if (name == "Workbook" || name == "Book") found = document("application/vnd.ms-excel", ".xls");
    if (name == "PowerPoint Document") {
      found = document("application/vnd.ms-powerpoint", ".ppt");
    }
  }
  if (!found) return refused("file_type", "a compound file that is no document");
  return found;
}

}  // namespace duhui::media
