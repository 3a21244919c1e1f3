#include <algorithm>
#include <array>

#include "shared/media/limits.h"
#include "shared/media/sniff_internal.h"

namespace duhui::media {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kLocal = "PK\x03\x04"sv;
constexpr std::string_view kCentral = "PK\x01\x02"sv;
constexpr std::string_view kEnd = "PK\x05\x06"sv;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kCentralBytes = 46;
constexpr std::size_t kCommentBytesMax = 65'535;

/// What the list of a whole archive tells of it.
struct Contents {
  bool types = false;  // the list of types that every office document has
  bool word = false;
  bool sheet = false;
  bool slides = false;
  bool macros = false;
  bool program = false;
};

struct List {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::size_t entries = 0;
};

/// The record at the very end, and nothing behind it.
Result<List> find_list(const Source& source) {
  const std::uint64_t reach = std::min<std::uint64_t>(source.size(), kEndBytes + kCommentBytesMax);
  const std::uint64_t from = source.size() - reach;
  DUHUI_TRY(tail, source.read(from, static_cast<std::size_t>(reach)));
  for (std::size_t at = tail.rfind(kEnd); at != std::string::npos;
       at = at == 0 ? std::string::npos : tail.rfind(kEnd, at - 1)) {
    if (at + kEndBytes > tail.size()) continue;
    if (at + kEndBytes + little_16(tail, at + 20) != tail.size()) continue;
    List list{.offset = little_32(tail, at + 16),
              .size = little_32(tail, at + 12),
              .entries = little_16(tail, at + 10)};
    const bool one_disk = little_32(tail, at + 4) == 0 && little_16(tail, at + 8) == list.entries;
    // Where the list does not end right here, something else is in front or between.
    if (!one_disk || list.offset + list.size != from + at) break;
    if (list.entries > kArchiveEntriesMax || list.size > kArchiveListBytesMax) {
      return refused("file_archive", "too many entries");
    }
    return list;
  }
  return broken("an archive whose list does not fit");
}

/// Unpacked anywhere, it stays in the folder it is unpacked to.
bool is_plain_name(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.size() > 1024) return false;
  if (name.find('\0') != std::string_view::npos || name.find('\\') != std::string_view::npos) {
    return false;
  }
  if (name.size() > 1 && name[1] == ':') return false;
  while (!name.empty()) {
    const std::string_view part = name.substr(0, name.find('/'));
    if (part == ".." || part == ".") return false;
    name.remove_prefix(std::min(part.size() + 1, name.size()));
  }
  return true;
}

void note(Contents& contents, std::string_view name) {
  contents.types = contents.types || name == "[Content_Types].xml";
  contents.word = contents.word || name == "word/document.xml";
  contents.sheet = contents.sheet || name == "xl/workbook.xml";
  contents.slides = contents.slides || name == "ppt/presentation.xml";
  contents.macros = contents.macros || name.ends_with("vbaProject.bin");
  contents.program = contents.program || name == "META-INF/MANIFEST.MF" ||
                     name == "AndroidManifest.xml" || name == "classes.dex";
}

Result<Contents> read_list(std::string_view bytes, const List& list, std::uint64_t file_size) {
  Contents contents;
  std::uint64_t packed = 0;
  std::uint64_t unpacked = 0;
  for (std::size_t entry = 0; entry < list.entries; ++entry) {
    if (bytes.size() < kCentralBytes || !bytes.starts_with(kCentral)) {
      return broken("an archive whose list is damaged");
    }
    const std::size_t name_bytes = little_16(bytes, 28);
    const std::size_t all =
        kCentralBytes + name_bytes + little_16(bytes, 30) + little_16(bytes, 32);
    if (all > bytes.size()) return broken("an archive whose list is damaged");
    const std::string_view name = bytes.substr(kCentralBytes, name_bytes);
    if (!is_plain_name(name)) return refused("file_archive", "an entry leaves its folder");
    note(contents, name);
    packed += little_32(bytes, 20);
    unpacked += little_32(bytes, 24);
    bytes.remove_prefix(all);
  }
  if (!bytes.empty()) return broken("an archive whose list is damaged");
  const bool bomb = unpacked > kArchiveUnpackedBytesMax || packed > file_size ||
                    (unpacked > kArchiveTrustedBytes && unpacked / kArchiveRatioMax > file_size);
  if (bomb) return refused("file_archive", "it unpacks to far more than it is");
  return contents;
}

FileType office(std::string_view name, std::string extension) {
  return {.mime = "application/vnd.openxmlformats-officedocument." + std::string(name),
          .extension = std::move(extension),
          .kind = Kind::document};
}

}  // namespace

Sniffed sniff_zip(const Source& source, std::string_view head) {
  const bool empty_one = head.starts_with(kEnd);
  if (!head.starts_with(kLocal) && !empty_one) return std::optional<FileType>{};
  DUHUI_TRY(list, find_list(source));
  DUHUI_TRY(bytes, source.read(list.offset, static_cast<std::size_t>(list.size)));
  DUHUI_TRY(contents, read_list(bytes, list, source.size()));
  if (contents.program) return refused("file_active", "a Java or Android program");
  if (contents.types) {
    if (contents.macros) return refused("file_macros", "an office document with macros");
    if (contents.word) return std::optional{office("wordprocessingml.document", ".docx")};
    if (contents.sheet) return std::optional{office("spreadsheetml.sheet", ".xlsx")};
    if (contents.slides) return std::optional{office("presentationml.presentation", ".pptx")};
  }
  return std::optional<FileType>{
      {.mime = "application/zip", .extension = ".zip", .kind = Kind::archive}};
}

}  // namespace duhui::media
