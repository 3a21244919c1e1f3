#include "shared/media/exif.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "shared/media/jpeg_parts.h"
#include "shared/media/limits.h"

namespace duhui::media {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kEntriesMax = 512;
constexpr std::size_t kEntryBytes = 12;
/// Cameras without a zone of their own are used here.
constexpr std::string_view kHomeZone = "+08:00";

constexpr std::uint32_t kOrientation = 0x0112;
constexpr std::uint32_t kCameraFolder = 0x8769;
constexpr std::uint32_t kPlaceFolder = 0x8825;
constexpr std::uint32_t kTakenAt = 0x9003;
constexpr std::uint32_t kTakenZone = 0x9011;

struct Entry {
  std::uint32_t tag = 0;
  std::uint32_t type = 0;
  std::uint32_t count = 0;
  std::size_t value = 0;  // where it stands, or where it says the value stands
};

/// The TIFF inside: numbers in one of two byte orders, places counted from its front.
class Tiff {
 public:
  explicit Tiff(std::string_view bytes) : bytes_(bytes) {}

  /// Empty optional: not a TIFF.
  std::optional<std::size_t> first_folder() {
    if (bytes_.starts_with("II*\0"sv)) {
      big_ = false;
    } else if (!bytes_.starts_with("MM\0*"sv)) {
      return {};
    }
    return number(4, 4);
  }

  std::optional<std::uint32_t> number(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || bytes_.size() - at < size) return {};
    std::uint32_t value = 0;
    for (std::size_t n = 0; n < size; ++n) {
      const auto byte = static_cast<unsigned char>(bytes_[at + (big_ ? n : size - 1 - n)]);
      value = value << 8 | byte;
    }
    return value;
  }

  /// Looks for `tag` in the folder at `folder`.
  std::optional<Entry> find(std::size_t folder, std::uint32_t tag) const {
    const auto count = number(folder, 2);
    if (!count) return {};
    for (std::size_t n = 0; n < std::min<std::size_t>(*count, kEntriesMax); ++n) {
      const std::size_t at = folder + 2 + n * kEntryBytes;
      if (number(at, 2) != tag) continue;
      const auto type = number(at + 2, 2);
      const auto values = number(at + 4, 4);
      if (!type || !values || !number(at + 8, 4)) return {};
      return Entry{tag, *type, *values, at + 8};
    }
    return {};
  }

  std::optional<std::uint32_t> short_or_long(std::size_t folder, std::uint32_t tag) const {
    const auto entry = find(folder, tag);
    if (!entry || entry->count != 1) return {};
    if (entry->type == 3) return number(entry->value, 2);
    if (entry->type == 4) return number(entry->value, 4);
    return {};
  }

  /// Text up to its first NUL; empty: none.
  std::string_view text(std::size_t folder, std::uint32_t tag) const {
    const auto entry = find(folder, tag);
    if (!entry || entry->type != 2 || entry->count > 64) return {};
    const auto far = number(entry->value, 4);
    const std::size_t at = entry->count <= 4 ? entry->value : far.value_or(0);
    if (at > bytes_.size()) return {};
    const std::string_view all = bytes_.substr(at, entry->count);
    return all.substr(0, all.find('\0'));
  }

  /// Degrees, minutes and seconds as one number.
  std::optional<double> degrees(std::size_t folder, std::uint32_t tag) const {
    const auto entry = find(folder, tag);
    if (!entry || entry->type != 5 || entry->count != 3) return {};
    const auto at = number(entry->value, 4);
    double sum = 0;
    double unit = 1;
    for (std::size_t n = 0; at && n < 3; ++n, unit *= 60) {
      const auto above = number(*at + 8 * n, 4);
      const auto below = number(*at + 8 * n + 4, 4);
      if (!above || !below || *below == 0) return {};
      sum += static_cast<double>(*above) / *below / unit;
    }
    return at ? std::optional(sum) : std::nullopt;
  }

 private:
  const std::string_view bytes_;
  bool big_ = true;
};

std::optional<Geo> place_of(const Tiff& tiff, std::size_t folder) {
  const auto latitude = tiff.degrees(folder, 2);
  const auto longitude = tiff.degrees(folder, 4);
  const std::string_view side = tiff.text(folder, 1);
  const std::string_view hand = tiff.text(folder, 3);
  if (!latitude || !longitude || *latitude > 90 || *longitude > 180) return {};
  if ((side != "N" && side != "S") || (hand != "E" && hand != "W")) return {};
  return Geo{side == "S" ? -*latitude : *latitude, hand == "W" ? -*longitude : *longitude};
}

/// Digits where `shape` has "0", the same characters elsewhere.
bool has_shape(std::string_view text, std::string_view shape) {
  return std::ranges::equal(text, shape, [](char c, char wanted) {
    return wanted == '0' ? c >= '0' && c <= '9' : c == wanted;
  });
}

int number_at(std::string_view text, std::size_t at) {
  int value = 0;
  std::from_chars(text.data() + at, text.data() + at + 2, value);
  return value;
}

/// "2025:10:09 11:40:00" and a zone as in RFC 3339.
std::optional<std::string> time_of(std::string_view text, std::string_view zone) {
  if (!has_shape(text, "0000:00:00 00:00:00")) return {};
  const int month = number_at(text, 5);
  const int day = number_at(text, 8);
  if (month < 1 || month > 12 || day < 1 || day > 31) return {};
  if (number_at(text, 11) > 23 || number_at(text, 14) > 59 || number_at(text, 17) > 59) return {};
  const bool told = has_shape(zone, "+00:00") || has_shape(zone, "-00:00");
  std::string time(text);
  time[4] = time[7] = '-';
  time[10] = 'T';
  return time + std::string(told ? zone : kHomeZone);
}

}  // namespace

CameraNotes camera_notes(std::string_view jpeg) {
  CameraNotes notes;
  constexpr std::string_view kName = "Exif\0\0"sv;
  for (const JpegPart& part : head_parts(jpeg)) {
    if (part.marker != 0xe1 || !part.body.starts_with(kName)) continue;
    Tiff tiff(part.body.substr(kName.size(), kExifBytesMax));
    const auto folder = tiff.first_folder();
    if (!folder) return notes;
    const auto turned = tiff.short_or_long(*folder, kOrientation);
    if (turned && *turned >= 1 && *turned <= 8) notes.orientation = static_cast<int>(*turned);
    if (const auto camera = tiff.short_or_long(*folder, kCameraFolder)) {
      notes.taken_at = time_of(tiff.text(*camera, kTakenAt), tiff.text(*camera, kTakenZone));
    }
    if (const auto place = tiff.short_or_long(*folder, kPlaceFolder)) {
      notes.geo = place_of(tiff, *place);
    }
    return notes;
  }
  return notes;
}

}  // namespace duhui::media
