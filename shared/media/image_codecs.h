#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/media/picture.h"

namespace duhui::media {

/// Each format in its own file, with the library it takes. Decoders read the picture at most as
/// large as `side_max` and hold at most kDecoderBytesMax beside it, whatever the input says of
/// itself. `refused`: "image_broken", "image_pixels", "image_memory", "image_animated".
Result<Picture> decode_jpeg(std::string_view bytes, std::uint32_t side_max);
Result<Picture> decode_png(std::string_view bytes, std::uint32_t side_max);
Result<Picture> decode_webp(std::string_view bytes, std::uint32_t side_max);

/// Precondition: three channels.
Result<std::string> encode_jpeg(const Picture& picture, int quality);
/// Precondition: four channels.
Result<std::string> encode_png(const Picture& picture);
Result<std::string> encode_webp(const Picture& picture, int quality);

enum class ImageFormat : std::uint8_t { jpeg, png, webp };
/// By the first bytes; nothing: none of them.
std::optional<ImageFormat> image_format(std::string_view bytes);

/// "image_pixels" if the picture is larger than is taken.
Status check_image_size(Size size);

inline Error bad_image(std::string_view rule, std::string_view what) {
  return {ErrorCode::refused, std::string(rule) + ": " + std::string(what)};
}

}  // namespace duhui::media
