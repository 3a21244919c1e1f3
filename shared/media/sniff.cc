#include "shared/media/sniff.h"

#include <array>
#include <optional>
#include <utility>

#include "shared/media/limits.h"
#include "shared/media/sniff_internal.h"

namespace duhui::media {
namespace {

struct Magic {
  std::string_view bytes;
  std::string_view what;
};

/// Programs and what starts them, of all systems.
constexpr std::array kPrograms = {
    Magic{{"\x7f"
           "ELF",
           4},
          "a program for Linux"},
    Magic{{"MZ", 2}, "a program for Windows"},
    Magic{{"\xca\xfe\xba\xbe", 4}, "a Java class or a program for macOS"},
    Magic{{"\xcf\xfa\xed\xfe", 4}, "a program for macOS"},
    Magic{{"\xce\xfa\xed\xfe", 4}, "a program for macOS"},
    Magic{{"dex\n", 4}, "a program for Android"},
    Magic{{"\0asm", 4}, "a WebAssembly module"},
    Magic{{"\x4c\0\0\0\x01\x14\x02\0", 8}, "a shortcut"},
    Magic{{"ITSF", 4}, "a compiled help file"},
    Magic{{"MSCF", 4}, "a cabinet of programs"},
    Magic{{"FWS", 3}, "a Flash film"},
    Magic{{"CWS", 3}, "a Flash film"},
    Magic{{"ZWS", 3}, "a Flash film"},
    Magic{{"!<arch>\n", 8}, "an archive of programs"},
};

constexpr std::size_t kPdfTailBytes = 4096;

Sniffed sniff_program(std::string_view head) {
  for (const Magic& magic : kPrograms) {
    if (head.starts_with(magic.bytes)) return refused("file_active", magic.what);
  }
  return std::optional<FileType>{};
}

bool is_blank(char c) { return c == '\r' || c == '\n' || c == ' ' || c == '\t' || c == '\0'; }

/// Whole: nothing is behind its end, where other programs would look for something else.
Sniffed sniff_pdf(const Source& source, std::string_view head) {
  if (!head.starts_with("%PDF-")) return std::optional<FileType>{};
  const std::uint64_t from = source.size() > kPdfTailBytes ? source.size() - kPdfTailBytes : 0;
  DUHUI_TRY(tail, source.read(from, kPdfTailBytes));
  constexpr std::string_view kEnd = "%%EOF";
  const std::size_t end = tail.rfind(kEnd);
  if (end == std::string::npos) return broken("a PDF without its end");
  for (std::size_t at = end + kEnd.size(); at < tail.size(); ++at) {
    if (!is_blank(tail[at])) return broken("a PDF with something behind its end");
  }
  return std::optional<FileType>{
      {.mime = "application/pdf", .extension = ".pdf", .kind = Kind::document}};
}

}  // namespace

std::uint64_t bytes_max(Kind kind) {
  switch (kind) {
    case Kind::photo:
      return kPhotoBytesMax;
    case Kind::document:
      return kDocumentBytesMax;
    case Kind::audio:
    case Kind::video:
    case Kind::archive:
      return kFileBytesMax;
  }
  return 0;
}

Result<FileType> sniff(const Source& source) {
  if (source.size() == 0) return broken("an empty file");
  if (source.size() > kFileBytesMax) {
    return Error{ErrorCode::limit_exceeded, "file_size: over 2 GiB"};
  }
  DUHUI_TRY(head, source.read(0, kHeadBytes));
  auto found = sniff_program(head);
  if (found && !*found) found = sniff_image(source, head);
  if (found && !*found) found = sniff_pdf(source, head);
  if (found && !*found) found = sniff_zip(source, head);
  if (found && !*found) found = sniff_ole(source, head);
  if (found && !*found) found = sniff_boxes(source, head);
  if (found && !*found) found = sniff_audio(source, head);
  if (found && !*found) found = sniff_text(source, head);
  if (!found) return std::move(found).error();
  if (!*found) return refused("file_type", "not a type that is taken");
  FileType type = std::move(**found);
  if (source.size() > bytes_max(type.kind)) {
    return Error{ErrorCode::limit_exceeded, "file_size: " + type.mime + " over " +
                                                std::to_string(bytes_max(type.kind)) + " bytes"};
  }
  return type;
}

}  // namespace duhui::media
