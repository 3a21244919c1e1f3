#include "shared/media/file_name.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "shared/media/limits.h"

namespace duhui::media {
namespace {

constexpr std::string_view kNameless = "file";
constexpr std::size_t kEndingBytesMax = 16;
constexpr char32_t kInvalid = 0xffffffff;

/// Endings that name the same type.
constexpr std::array<std::array<std::string_view, 2>, 7> kSame = {{{".jpg", ".jpeg"},
                                                                   {".heic", ".heif"},
                                                                   {".doc", ".wps"},
                                                                   {".xls", ".et"},
                                                                   {".ppt", ".dps"},
                                                                   {".mp4", ".m4v"},
                                                                   {".mp4", ".3gp"}}};
constexpr std::array<std::string_view, 6> kImages = {".jpg",  ".jpeg", ".png",
                                                     ".webp", ".jfif", ".jpe"};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

/// Takes one character off the front; kInvalid: a byte that begins none.
char32_t take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  text.remove_prefix(1);
  if (first < 0x80) return first;
  const std::size_t more = first >= 0xf0 && first <= 0xf4  ? 3
                           : first >= 0xe0 && first < 0xf0 ? 2
                           : first >= 0xc2 && first < 0xe0 ? 1
                                                           : 0;
  if (more == 0 || text.size() < more) return kInvalid;
  char32_t code = first & (0x3f >> more);
  for (std::size_t n = 0; n < more; ++n) {
    const auto next = static_cast<unsigned char>(text[n]);
    if ((next & 0xc0) != 0x80) return kInvalid;
    code = code << 6 | (next & 0x3f);
  }
  constexpr std::array<char32_t, 4> kLeast = {0, 0x80, 0x800, 0x10000};
  if (code < kLeast[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return kInvalid;
  text.remove_prefix(more);
  return code;
}

bool is_invisible(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
         (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
         (c >= 0xe0000 && c <= 0xe0fff);
}

std::string cleaned(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view before = text;
    const char32_t c = take_character(text);
    if (c == kInvalid) {
      out += '_';
    } else if (c < 0x80 &&
               std::string_view("<>:\"|?*").find(static_cast<char>(c)) != std::string_view::npos) {
      out += '_';
    } else if (!is_invisible(c)) {
      out += before.substr(0, before.size() - text.size());
    }
  }
  return out;
}

/// Behind the last separator of any system.
std::string_view last_part_of(std::string_view path) {
  const std::size_t slash = path.find_last_of("/\\");
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view ending_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  const std::string_view ending = name.substr(dot);
  return ending.size() <= kEndingBytesMax ? ending : std::string_view{};
}

/// Windows keeps them for devices, with any ending.
bool is_reserved(std::string_view name) {
  const std::string stem = lower(name.substr(0, name.find('.')));
  constexpr std::array<std::string_view, 6> kDevices = {"con", "prn",    "aux",
                                                        "nul", "conin$", "conout$"};
  if (std::ranges::find(kDevices, stem) != kDevices.end()) return true;
  const bool port = stem.starts_with("com") || stem.starts_with("lpt");
  return port && stem.size() == 4 && stem[3] >= '0' && stem[3] <= '9';
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  const std::size_t from = text.find_first_not_of(". ");
  return from == std::string::npos ? std::string() : text.substr(from);
}

/// At most `bytes_max`, cut between two characters.
std::string cut(std::string_view text, std::size_t bytes_max) {
  std::size_t end = std::min(text.size(), bytes_max);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
    --end;
  }
  return std::string(text.substr(0, end));
}

bool same_ending(std::string_view ending, std::string_view wanted) {
  return ending == wanted || std::ranges::any_of(kSame, [&](const auto& pair) {
           return wanted == pair[0] && ending == pair[1];
         });
}

}  // namespace

std::string safe_file_name(std::string_view untrusted) {
  std::string name = trimmed(cleaned(last_part_of(untrusted)));
  if (name.empty()) name = kNameless;
  if (is_reserved(name)) name = "_" + name;
  if (name.size() <= kFileNameBytesMax) return name;
  const std::string ending(ending_of(name));
  const std::string_view stem = std::string_view(name).substr(0, name.size() - ending.size());
  return trimmed(cut(stem, kFileNameBytesMax - ending.size())) + ending;
}

std::string safe_file_name(std::string_view untrusted, const FileType& type) {
  std::string name = safe_file_name(untrusted);
  const std::string ending = lower(ending_of(name));
  if (same_ending(ending, type.extension)) return name;
  const bool was_image = std::ranges::find(kImages, ending) != kImages.end();
  if (was_image && type.shrinks) name.resize(name.size() - ending.size());
  return cut(name, kFileNameBytesMax - type.extension.size()) + type.extension;
}

std::string content_disposition(std::string_view name, bool show) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const std::string safe = safe_file_name(name);
  std::string ascii;
  std::string encoded;
  for (const char c : safe) {
    const auto byte = static_cast<unsigned char>(c);
    const bool quoted = byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\' || c == '%';
    ascii += quoted ? '_' : c;
    if (kPlain.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 0xf];
    }
  }
  return std::string(show ? "inline" : "attachment") + "; filename=\"" + ascii +
         "\"; filename*=UTF-8''" + encoded;
}

}  // namespace duhui::media
