#include <algorithm>
#include <array>

#include "shared/media/limits.h"
#include "shared/media/sniff_internal.h"

namespace duhui::media {
namespace {

using namespace std::string_view_literals;

/// Recordings in fragments have two for each second or so.
constexpr std::size_t kBoxesMax = 100'000;

constexpr std::array kStills = {"heic"sv, "heix"sv, "heim"sv, "heis"sv, "mif1"sv, "hevc"sv};
constexpr std::array kFilms = {"isom"sv, "iso2"sv, "iso3"sv, "iso4"sv, "iso5"sv, "iso6"sv,
                               "mp41"sv, "mp42"sv, "avc1"sv, "M4V "sv, "MSNV"sv, "3gp4"sv,
                               "3gp5"sv, "3gp6"sv, "3g2a"sv, "mmp4"sv, "dash"sv, "hvc1"sv};

template <std::size_t Count>
bool is_one_of(const std::array<std::string_view, Count>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_type(std::string_view type) {
  return std::ranges::all_of(type, [](char c) { return (c >= ' ' && c <= '~') || c == '\xa9'; });
}

/// Boxes from the front to the very end of the file.
Status check_boxes(const Source& source, std::string_view wanted) {
  std::uint64_t at = 0;
  bool found = false;
  for (std::size_t count = 0; at < source.size(); ++count) {
    if (count == kBoxesMax) return broken("a recording of too many parts");
    DUHUI_TRY(head, source.read(at, 16));
    if (head.size() < 8) return broken("a recording with something behind its end");
    std::uint64_t size = big_32(head, 0);
    const std::string_view type = std::string_view(head).substr(4, 4);
    if (!is_type(type)) return broken("a recording of unknown parts");
    found = found || type == wanted;
    std::uint64_t least = 8;
    if (size == 1) {
      if (head.size() < 16) return broken("a recording that ends too early");
      size = std::uint64_t{big_32(head, 8)} << 32 | big_32(head, 12);
      least = 16;
    } else if (size == 0) {
      size = source.size() - at;
    }
    if (size < least || size > source.size() - at) {
      return broken("a recording that ends too early");
    }
    at += size;
  }
  return found ? Status(Done{}) : broken("a recording without its index");
}

FileType film(std::string mime, std::string extension) {
  return {.mime = std::move(mime), .extension = std::move(extension), .kind = Kind::video};
}

}  // namespace

Sniffed sniff_boxes(const Source& source, std::string_view head) {
  if (head.size() < 16) return std::optional<FileType>{};
  // Text may have such letters in that place, but no such number in front.
  const std::uint32_t size = big_32(head, 0);
  if ((size > 1 && size < 8) || size > source.size()) return std::optional<FileType>{};
  const std::string_view first = head.substr(4, 4);
  if (first == "moov" || first == "wide" || first == "mdat") {  // before there were brands
    DUHUI_CHECK_OK(check_boxes(source, "moov"));
    return std::optional{film("video/quicktime", ".mov")};
  }
  if (first != "ftyp") return std::optional<FileType>{};
  const std::string_view brand = head.substr(8, 4);
  if (is_one_of(kStills, brand)) {
    DUHUI_CHECK_OK(check_boxes(source, "meta"));
    return std::optional<FileType>{
        {.mime = "image/heic", .extension = ".heic", .kind = Kind::photo}};
  }
  const bool sound = brand == "M4A " || brand == "M4B ";
  const bool apple = brand == "qt  ";
  if (!sound && !apple && !is_one_of(kFilms, brand)) {
    return refused("file_type", "a recording of an unknown kind");
  }
  DUHUI_CHECK_OK(check_boxes(source, "moov"));
  if (sound) {
    return std::optional<FileType>{{.mime = "audio/mp4", .extension = ".m4a", .kind = Kind::audio}};
  }
  return std::optional{apple ? film("video/quicktime", ".mov") : film("video/mp4", ".mp4")};
}

}  // namespace duhui::media
