#include "shared/media/bare_copy.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "shared/media/exif.h"
#include "shared/media/image_codecs.h"
#include "shared/media/jpeg_parts.h"
#include "shared/media/sniff_internal.h"

namespace duhui::media {
namespace {

using namespace std::string_view_literals;

Error no_fit() { return bad_image("image_broken", "its parts do not fit"); }

// --- JPEG ---

/// Colours need JFIF, Adobe's note and the profile; everything else that a program may put there
/// goes.
bool is_kept(const JpegPart& part) {
  const bool note = part.marker >= 0xe0 && part.marker <= 0xef;
  if (!note) return part.marker != 0xfe;
  if (part.marker == 0xe0) return part.body.starts_with("JFIF\0"sv);
  if (part.marker == 0xe2) return part.body.starts_with("ICC_PROFILE\0"sv);
  return part.marker == 0xee && part.body.starts_with("Adobe"sv);
}

/// An Exif that says nothing but how the camera was held.
std::string held(int orientation) {
  constexpr std::string_view kBefore =
      "\xff\xe1\x00\x22"                     // 34 bytes with these two
      "Exif\x00\x00"                         //
      "MM\x00\x2a\x00\x00\x00\x08"           // folders begin at 8
      "\x00\x01"                             // one entry
      "\x01\x12\x00\x03\x00\x00\x00\x01"sv;  // orientation, a short number
  std::string exif(kBefore);
  exif += '\0';
  exif += static_cast<char>(orientation);
  exif.append(6, '\0');  // padding of the value, and no further folder
  return exif;
}

/// Where the scan that begins at `at` ends: at the next marker that is no restart.
std::size_t behind_scan(std::string_view jpeg, std::size_t at) {
  for (;;) {
    at = jpeg.find('\xff', at);
    if (at == std::string_view::npos || at + 1 >= jpeg.size()) return std::string_view::npos;
    const std::uint32_t next = byte_at(jpeg, at + 1);
    if (next == 0xff) {
      ++at;
      continue;
    }
    if (next != 0 && (next < 0xd0 || next > 0xd7)) return at;
    at += 2;
  }
}

Result<std::string> bare_jpeg(std::string_view jpeg) {
  const std::vector<JpegPart> parts = head_parts(jpeg);
  if (parts.empty() || parts.back().marker != 0xda) return no_fit();
  std::string out = "\xff\xd8";
  const int orientation = camera_notes(jpeg).orientation;
  bool told = orientation == 1;
  for (const JpegPart& part : parts) {
    if (!told && part.marker != 0xe0) {  // JFIF wants to be first
      out += held(orientation);
      told = true;
    }
    if (is_kept(part)) out += part.whole;
  }
  auto at = static_cast<std::size_t>(parts.back().whole.end() - jpeg.begin());
  for (;;) {
    const std::size_t end = behind_scan(jpeg, at);
    if (end == std::string_view::npos) return no_fit();
    out += jpeg.substr(at, end - at);
    const std::uint32_t marker = byte_at(jpeg, end + 1);
    if (marker == 0xd9) return out + "\xff\xd9";
    if (marker == 0xd8 || jpeg.size() - end < 4) return no_fit();
    const std::size_t size = 2 + big_16(jpeg, end + 2);
    if (size < 4 || size > jpeg.size() - end) return no_fit();
    const JpegPart part{marker, jpeg.substr(end, size), jpeg.substr(end + 4, size - 4)};
    if (is_kept(part)) out += part.whole;
    at = end + size;
  }
}

// --- PNG ---

Result<std::string> bare_png(std::string_view png) {
  constexpr std::array kKept = {"tRNS"sv, "gAMA"sv, "cHRM"sv, "sRGB"sv, "iCCP"sv, "sBIT"sv};
  constexpr std::size_t kAround = 12;  // length, name, checksum
  std::string out(png.substr(0, 8));
  for (std::string_view rest = png.substr(8); rest.size() >= kAround;) {
    const std::size_t size = kAround + big_32(rest, 0);
    if (size > rest.size()) return no_fit();
    const std::string_view name = rest.substr(4, 4);
    const bool critical = name[0] >= 'A' && name[0] <= 'Z';
    if (critical || std::ranges::find(kKept, name) != kKept.end()) out += rest.substr(0, size);
    if (name == "IEND") return out;
    rest.remove_prefix(size);
  }
  return no_fit();
}

// --- WebP ---

void append_little_32(std::string& out, std::size_t value) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xff);
}

Result<std::string> bare_webp(std::string_view webp) {
  constexpr std::array kKept = {"VP8 "sv, "VP8L"sv, "VP8X"sv, "ALPH"sv, "ICCP"sv};
  if (webp.size() < 20) return no_fit();
  const std::size_t told = std::size_t{little_32(webp, 4)} + 8;
  if (told > webp.size() || told < 20) return no_fit();
  std::string body;
  for (std::string_view rest = webp.substr(12, told - 12); !rest.empty();) {
    if (rest.size() < 8) return no_fit();
    const std::size_t size = 8 + std::size_t{little_32(rest, 4)} + (little_32(rest, 4) & 1);
    if (size > rest.size()) return no_fit();
    const std::string_view name = rest.substr(0, 4);
    const std::size_t from = body.size();
    if (std::ranges::find(kKept, name) != kKept.end()) body += rest.substr(0, size);
    constexpr char kNotes = 0x08 | 0x04;  // Exif and XMP are there
    if (name == "VP8X" && size > 8) body[from + 8] = static_cast<char>(body[from + 8] & ~kNotes);
    rest.remove_prefix(size);
  }
  std::string out = "RIFF";
  append_little_32(out, body.size() + 4);
  return out + "WEBP" + body;
}

}  // namespace

Result<std::string> bare_copy(std::string_view image) {
  const auto format = image_format(image);
  if (!format) return no_fit();
  switch (*format) {
    case ImageFormat::jpeg:
      return bare_jpeg(image);
    case ImageFormat::png:
      return bare_png(image);
    case ImageFormat::webp:
      return bare_webp(image);
  }
  return no_fit();
}

}  // namespace duhui::media
