#include "shared/media/image_codecs.h"
#include "shared/media/limits.h"
#include "shared/media/sniff_internal.h"

namespace duhui::media {
namespace {

FileType photo(std::string mime, std::string extension, bool shrinks) {
  return {.mime = std::move(mime),
          .extension = std::move(extension),
          .kind = Kind::photo,
          .shrinks = shrinks};
}

Status check_pixels(std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0) return broken("a picture without pixels");
  if (width > kImageSideMax || height > kImageSideMax || width * height > kImagePixelsMax) {
    return refused("image_pixels", std::to_string(width) + " x " + std::to_string(height));
  }
  return Done{};
}

/// Walks over sub-blocks to behind their end; npos: they do not end.
std::size_t behind_blocks(std::string_view gif, std::size_t at) {
  while (at < gif.size()) {
    const std::size_t length = byte_at(gif, at);
    at += 1 + length;
    if (length == 0) return at;
  }
  return std::string_view::npos;
}

constexpr std::size_t color_bytes(std::uint32_t flags) {
  return (flags & 0x80) != 0 ? std::size_t{3} << ((flags & 7) + 1) : 0;
}

/// Kept as it is, so that it is looked through from end to end.
Status check_gif(std::string_view gif) {
  if (gif.size() < 14) return broken("a GIF without its end");
  DUHUI_CHECK_OK(check_pixels(little_16(gif, 6), little_16(gif, 8)));
  std::size_t at = 13 + color_bytes(byte_at(gif, 10));
  std::size_t frames = 0;
  while (at < gif.size()) {
    const std::uint32_t block = byte_at(gif, at);
    if (block == 0x3b) {
      if (at + 1 != gif.size()) return broken("a GIF with something behind its end");
      return frames > 0 ? Status(Done{}) : broken("a GIF without a picture");
    }
    if (block == 0x21 && at + 2 < gif.size()) {
      at = behind_blocks(gif, at + 2);
    } else if (block == 0x2c && at + 11 < gif.size()) {
      if (++frames > kGifFramesMax) return refused("image_pixels", "a GIF of too many pictures");
      DUHUI_CHECK_OK(check_pixels(little_16(gif, at + 5), little_16(gif, at + 7)));
      at = behind_blocks(gif, at + 11 + color_bytes(byte_at(gif, at + 9)));
    } else {
      return broken("a GIF of unknown blocks");
    }
  }
  return broken("a GIF without its end");
}

Sniffed sniff_gif(const Source& source) {
  if (source.size() > kPhotoBytesMax) {
    return Error{ErrorCode::limit_exceeded, "file_size: a picture over 40 MiB"};
  }
  DUHUI_TRY(whole, source.read(0, static_cast<std::size_t>(source.size())));
  DUHUI_CHECK_OK(check_gif(whole));
  return std::optional<FileType>{photo("image/gif", ".gif", false)};
}

}  // namespace

Sniffed sniff_image(const Source& source, std::string_view head) {
  using namespace std::string_view_literals;
  if (const auto format = image_format(head)) {
    switch (*format) {
      case ImageFormat::jpeg:
        return std::optional{photo("image/jpeg", ".jpg", true)};
      case ImageFormat::png:
        return std::optional{photo("image/png", ".png", true)};
      case ImageFormat::webp:
        return std::optional{photo("image/webp", ".webp", true)};
    }
  }
  if (head.starts_with("GIF87a"sv) || head.starts_with("GIF89a"sv)) return sniff_gif(source);
  return std::optional<FileType>{};
}

}  // namespace duhui::media
