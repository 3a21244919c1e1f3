#include "shared/media/known_type.h"

#include <array>
#include <string>

namespace duhui::media {
namespace {

struct Row {
  std::string_view mime;
  std::string_view extension;
  Kind kind;
  bool shrinks = false;
};

constexpr std::array kRows = {
    Row{"image/jpeg", ".jpg", Kind::photo, true},
    Row{"image/png", ".png", Kind::photo, true},
    Row{"image/webp", ".webp", Kind::photo, true},
    Row{"image/gif", ".gif", Kind::photo},
    Row{"image/heic", ".heic", Kind::photo},
    Row{"application/pdf", ".pdf", Kind::document},
    Row{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx",
        Kind::document},
    Row{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx",
        Kind::document},
    Row{"application/vnd.openxmlformats-officedocument.presentationml.presentation", ".pptx",
        Kind::document},
    Row{"application/msword", ".doc", Kind::document},
    Row{"application/vnd.ms-excel", ".xls", Kind::document},
    Row{"application/vnd.ms-powerpoint", ".ppt", Kind::document},
    Row{"text/plain", ".txt", Kind::document},
    Row{"text/csv", ".csv", Kind::document},
    Row{"video/mp4", ".mp4", Kind::video},
    Row{"video/quicktime", ".mov", Kind::video},
    Row{"audio/mp4", ".m4a", Kind::audio},
    Row{"audio/mpeg", ".mp3", Kind::audio},
    Row{"audio/amr", ".amr", Kind::audio},
    Row{"audio/amr-wb", ".amr", Kind::audio},
    Row{"audio/wav", ".wav", Kind::audio},
    Row{"application/zip", ".zip", Kind::archive},
};
constexpr std::array<std::string_view, 2> kCharsets = {"utf-8", "gb18030"};

}  // namespace

std::optional<FileType> known_type(std::string_view mime) {
  constexpr std::string_view kCharset = "; charset=";
  const std::size_t mark = mime.find(kCharset);
  std::string charset;
  if (mark != std::string_view::npos) {
    const std::string_view told = mime.substr(mark + kCharset.size());
    if (!mime.starts_with("text/")) return {};
    for (const std::string_view known : kCharsets) {
      if (told == known) charset = known;
    }
    if (charset.empty()) return {};
  }
  const std::string_view name = mime.substr(0, mark);
  for (const Row& row : kRows) {
    if (row.mime != name) continue;
    return FileType{.mime = std::string(row.mime),
                    .extension = std::string(row.extension),
                    .kind = row.kind,
                    .charset = std::move(charset),
                    .shrinks = row.shrinks};
  }
  return {};
}

bool shows(const FileType& type) {
  return type.kind == Kind::photo || type.kind == Kind::audio || type.kind == Kind::video;
}

std::string full_mime(const FileType& type) {
  return type.charset.empty() ? type.mime : type.mime + "; charset=" + type.charset;
}

}  // namespace duhui::media
