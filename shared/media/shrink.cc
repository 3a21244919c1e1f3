#include "shared/media/shrink.h"

#include <algorithm>
#include <array>
#include <utility>

#include "shared/media/image_codecs.h"
#include "shared/media/picture.h"

namespace duhui::media {
namespace {

using namespace std::string_view_literals;

/// Tried in this order; sharpness goes before size.
constexpr std::array kQualities = {85, 75, 65, 55};
constexpr std::array kThumbnailQualities = {70, 55, 40};
constexpr std::uint32_t kSideMin = 32;
constexpr int kWebpQuality = 80;

Result<Picture> decode(ImageFormat format, std::string_view bytes, std::uint32_t side_max) {
  switch (format) {
    case ImageFormat::jpeg:
      return decode_jpeg(bytes, side_max);
    case ImageFormat::png:
      return decode_png(bytes, side_max);
    case ImageFormat::webp:
      return decode_webp(bytes, side_max);
  }
  return bad_image("image_broken", "not a picture");
}

struct Fitted {
  std::string bytes{};
  Size size{};
};

/// The best JPEG that is not over `bytes_max`.
template <std::size_t Count>
Result<Fitted> fit_jpeg(const Picture& picture,
                        std::uint32_t side_max,
                        std::size_t bytes_max,
                        const std::array<int, Count>& qualities) {
  for (std::uint32_t side = side_max; side >= kSideMin; side = side * 3 / 4) {
    const Picture small = scaled(picture, fitted(picture.size, side));
    for (const int quality : qualities) {
      DUHUI_TRY(bytes, encode_jpeg(small, quality));
      if (bytes.size() <= bytes_max) return Fitted{std::move(bytes), small.size};
    }
  }
  return Error{ErrorCode::limit_exceeded, "file_size: no picture is that small"};
}

/// What is see-through stays so if that takes no more room. Empty bytes: it does.
Result<Fitted> fit_see_through(const Picture& picture, ImageFormat format, std::size_t bytes_max) {
  if (!is_see_through(picture)) return Fitted{};
  DUHUI_TRY(bytes,
            format == ImageFormat::png ? encode_png(picture) : encode_webp(picture, kWebpQuality));
  return bytes.size() <= bytes_max ? Fitted{std::move(bytes), picture.size} : Fitted{};
}

}  // namespace

std::optional<ImageFormat> image_format(std::string_view bytes) {
  if (bytes.starts_with("\xff\xd8\xff"sv)) return ImageFormat::jpeg;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return ImageFormat::png;
  const bool riff = bytes.starts_with("RIFF"sv) && bytes.size() >= 12;
  if (riff && bytes.substr(8, 4) == "WEBP"sv) return ImageFormat::webp;
  return {};
}

Status check_image_size(Size size) {
  if (size.width == 0 || size.height == 0) return bad_image("image_broken", "without pixels");
  if (size.width <= kImageSideMax && size.height <= kImageSideMax &&
      size.pixels() <= kImagePixelsMax) {
    return Done{};
  }
  return bad_image("image_pixels",
                   std::to_string(size.width) + " x " + std::to_string(size.height));
}

Result<Shrunk> shrink(std::string_view bytes, const ShrinkSettings& settings) {
  const auto format = image_format(bytes);
  if (!format) return bad_image("image_broken", "not a picture");
  if (bytes.size() > kPhotoBytesMax) {
    return Error{ErrorCode::limit_exceeded, "file_size: a picture over 40 MiB"};
  }
  const CameraNotes notes = *format == ImageFormat::jpeg ? camera_notes(bytes) : CameraNotes{};
  const std::uint32_t side_max = std::clamp(settings.side_max, kSideMin, kImageSideMax);
  DUHUI_TRY(decoded, decode(*format, bytes, side_max));
  // The decoder stops near the wished size where that is cheap.
  const Size size = fitted(decoded.size, side_max);
  if (size != decoded.size) decoded = scaled(decoded, size);
  const Picture picture = upright(std::move(decoded), notes.orientation);

  Shrunk shrunk;
  DUHUI_TRY(see_through, fit_see_through(picture, *format, settings.bytes_max));
  const Picture solid = flattened(picture);
  if (see_through.bytes.empty()) {
    DUHUI_TRY(jpeg, fit_jpeg(solid, side_max, settings.bytes_max, kQualities));
    shrunk.bytes = std::move(jpeg.bytes);
    shrunk.width = jpeg.size.width;
    shrunk.height = jpeg.size.height;
    shrunk.mime = "image/jpeg";
    shrunk.extension = ".jpg";
  } else {
    shrunk.bytes = std::move(see_through.bytes);
    shrunk.width = see_through.size.width;
    shrunk.height = see_through.size.height;
    shrunk.mime = *format == ImageFormat::png ? "image/png" : "image/webp";
    shrunk.extension = *format == ImageFormat::png ? ".png" : ".webp";
  }
  DUHUI_TRY(thumbnail, fit_jpeg(solid, kThumbnailSideMax, kThumbnailBytesMax, kThumbnailQualities));
  shrunk.thumbnail = std::move(thumbnail.bytes);
  shrunk.taken_at = notes.taken_at;
  if (settings.keep_location) shrunk.geo = notes.geo;
  return shrunk;
}

}  // namespace duhui::media
