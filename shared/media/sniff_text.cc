#include <algorithm>
#include <array>
#include <utility>

#include "shared/media/limits.h"
#include "shared/media/sniff_internal.h"

namespace duhui::media {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kStep = 64 * 1024;
constexpr std::string_view kMark = "\xef\xbb\xbf"sv;

/// What browsers and shells run, wherever in the first 64 KiB it stands.
constexpr std::array kActive = {"<!doctype"sv, "<html"sv, "<head"sv, "<body"sv,   "<script"sv,
                                "<svg"sv,      "<?php"sv, "<?xml"sv, "<iframe"sv, "<object"sv,
                                "<embed"sv,    "<%"sv,    "<hta:"sv, "<img"sv,    "<style"sv,
                                "<meta"sv,     "<link"sv, "<base"sv, "<a href"sv, "javascript:"sv};
/// Only in front.
constexpr std::array kScripts = {"#!"sv, "@echo"sv, "<"sv, "{\\rtf"sv, "mime-version:"sv};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

bool is_control(unsigned char c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f') || c == 0x7f;
}

/// Follows UTF-8 byte by byte; without surrogates, overlong forms and what is beyond Unicode.
class Utf8 {
 public:
  bool take(unsigned char c) {
    if (left_ > 0) {
      const bool fits = c >= low_ && c <= high_;
      low_ = 0x80;
      high_ = 0xbf;
      --left_;
      return fits;
    }
    if (c < 0x80) return !is_control(c);
    if (c >= 0xc2 && c <= 0xdf) return begin(1, 0x80, 0xbf);
    if (c == 0xe0) return begin(2, 0xa0, 0xbf);
    if (c == 0xed) return begin(2, 0x80, 0x9f);
    if (c >= 0xe1 && c <= 0xef) return begin(2, 0x80, 0xbf);
    if (c == 0xf0) return begin(3, 0x90, 0xbf);
    if (c >= 0xf1 && c <= 0xf3) return begin(3, 0x80, 0xbf);
    if (c == 0xf4) return begin(3, 0x80, 0x8f);
    return false;
  }
  bool complete() const { return left_ == 0; }

 private:
  bool begin(int left, unsigned char low, unsigned char high) {
    left_ = left;
    low_ = low;
    high_ = high;
    return true;
  }

  int left_ = 0;
  unsigned char low_ = 0x80;
  unsigned char high_ = 0xbf;
};

/// Follows GB18030, of which GBK and GB 2312 are parts.
class Gb18030 {
 public:
  bool take(unsigned char c) {
    const bool digit = c >= 0x30 && c <= 0x39;
    const bool lead = c >= 0x81 && c <= 0xfe;
    switch (place_) {
      case 0:
        if (lead) place_ = 1;
        return lead || (c < 0x80 && !is_control(c));
      case 1:
        place_ = digit ? 2 : 0;
        return digit || (c >= 0x40 && c <= 0xfe && c != 0x7f);
      case 2:
        place_ = 3;
        return lead;
      default:
        place_ = 0;
        return digit;
    }
  }
  bool complete() const { return place_ == 0; }

 private:
  int place_ = 0;
};

/// Lines in columns, as programs for tables write them.
bool is_table(std::string_view text) {
  std::size_t lines = 0;
  std::size_t columns = 0;
  bool quoted = false;
  std::size_t here = 0;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == ',') ++here;
    if (c != '\n') continue;
    if (here == 0 || (lines > 0 && here != columns)) return false;
    columns = here;
    here = 0;
    if (++lines == 3) return true;
  }
  return columns > 0 && lines >= 2;
}

bool is_active(std::string_view text) {
  std::string all = lower(text);
  std::string_view front = all;
  if (front.starts_with(kMark)) front.remove_prefix(kMark.size());
  while (!front.empty() && (front.front() <= ' ' && front.front() >= 0)) front.remove_prefix(1);
  const auto leads = [&](std::string_view word) { return front.starts_with(word); };
  const auto holds = [&](std::string_view word) { return all.find(word) != std::string::npos; };
  return std::ranges::any_of(kScripts, leads) || std::ranges::any_of(kActive, holds);
}

}  // namespace

Sniffed sniff_text(const Source& source, std::string_view head) {
  // A byte that no text has: there is no need to read on.
  if (std::ranges::any_of(head, [](char c) { return is_control(static_cast<unsigned char>(c)); })) {
    return std::optional<FileType>{};
  }
  if (source.size() > kDocumentBytesMax) {
    return Error{ErrorCode::limit_exceeded, "file_size: text over 100 MiB"};
  }
  Utf8 utf8;
  Gb18030 gb18030;
  bool is_utf8 = true;
  bool is_gb18030 = true;
  FileType type{.mime = "text/plain", .extension = ".txt", .kind = Kind::document};
  for (std::uint64_t at = 0; at < source.size(); at += kStep) {
    DUHUI_TRY(piece, source.read(at, kStep));
    for (const char c : piece) {
      const auto byte = static_cast<unsigned char>(c);
      is_utf8 = is_utf8 && utf8.take(byte);
      is_gb18030 = is_gb18030 && gb18030.take(byte);
    }
    if (!is_utf8 && !is_gb18030) return std::optional<FileType>{};
    if (at > 0) continue;
    if (is_active(piece)) return refused("file_active", "a page or a script");
    if (is_table(piece)) {
      type.mime = "text/csv";
      type.extension = ".csv";
    }
  }
  is_utf8 = is_utf8 && utf8.complete();
  if (!is_utf8 && !(is_gb18030 && gb18030.complete())) return std::optional<FileType>{};
  type.charset = is_utf8 ? "utf-8" : "gb18030";
  return std::optional{std::move(type)};
}

}  // namespace duhui::media
