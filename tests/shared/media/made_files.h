#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace duhui::media {

std::string little(std::uint64_t value, int bytes);
std::string big(std::uint64_t value, int bytes);

/// One entry of an archive, stored as it is; `unpacked`: the length that the list tells (0: the
/// truth).
struct MadeEntry {
  std::string name;
  std::string content = "x";
  std::uint32_t unpacked = 0;
};
std::string made_zip(const std::vector<MadeEntry>& entries, const std::string& comment = {});
std::string made_docx(const std::string& more = "word/styles.xml");

/// A compound file with these streams, of which there is only the list.
std::string made_ole(const std::vector<std::string>& streams);

std::string made_box(const std::string& type, const std::string& content);
std::string made_mp4(const std::string& brand);
std::string made_mp3(int frames);
std::string made_wav();
std::string made_amr();
std::string made_gif();
std::string made_pdf();

// --- pictures ---

/// Each pixel its own colour, no two rows alike; grey where `noise` is 0.
std::string made_rgb(std::uint32_t width, std::uint32_t height, unsigned noise = 8);

struct MadeJpeg {
  std::uint32_t width = 64;
  std::uint32_t height = 48;
  bool progressive = false;
  bool inks = false;  // CMYK
  bool ycck = false;  // as Adobe stores them
  bool flat = false;  // all grey: next to nothing, whatever its size
  int quality = 85;
};
std::string made_jpeg(const MadeJpeg& wanted = {});

/// An APP1 with this orientation, a time, and a place in Zhuzhou.
std::string made_exif(int orientation, bool big_endian = false);
/// `jpeg` with a segment right behind its first two bytes.
std::string with_segment(std::string_view jpeg, std::string_view segment);
/// `jpeg`, whose head tells another size.
std::string with_size(std::string jpeg, std::uint32_t width, std::uint32_t height);
/// A progressive `jpeg` whose first scan comes `times` more.
std::string with_scans(std::string_view jpeg, std::size_t times);

struct MadePng {
  std::uint32_t width = 64;
  std::uint32_t height = 48;
  bool alpha = false;
  bool palette = false;  // with one see-through colour
  bool deep = false;     // 16 bits
  bool interlaced = false;
  bool flat = false;
};
std::string made_png(const MadePng& wanted = {});
/// `png` with a chunk right behind its head.
std::string with_chunk(std::string_view png, std::string_view name, std::string_view content);
std::string packed(std::string_view bytes);  // zlib

std::string made_webp(std::uint32_t width, std::uint32_t height, bool lossless, bool alpha);
std::string made_moving_webp();

}  // namespace duhui::media
