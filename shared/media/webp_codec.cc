#include <memory>

#include <webp/decode.h>
#include <webp/encode.h>

#include "shared/media/image_codecs.h"
#include "shared/media/limits.h"

namespace duhui::media {
namespace {

const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

/// Coded without loss, and alpha in any case, it is held whole: four bytes for each pixel.
bool fits(const WebPBitstreamFeatures& head) {
  constexpr int kLossy = 1;
  if (head.format == kLossy && head.has_alpha == 0) return true;
  const Size size{static_cast<std::uint32_t>(head.width), static_cast<std::uint32_t>(head.height)};
  return size.pixels() * 4 <= kDecoderBytesMax;
}

struct Freed {
  void operator()(std::uint8_t* bytes) const { WebPFree(bytes); }
};

}  // namespace

Result<Picture> decode_webp(std::string_view bytes, std::uint32_t side_max) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) return bad_image("image_memory", "no room");
  if (WebPGetFeatures(bytes_of(bytes), bytes.size(), &config.input) != VP8_STATUS_OK) {
    return bad_image("image_broken", "not a picture");
  }
  if (config.input.has_animation != 0) return bad_image("image_animated", "a moving picture");
  const Size whole{static_cast<std::uint32_t>(config.input.width),
                   static_cast<std::uint32_t>(config.input.height)};
  DUHUI_CHECK_OK(check_image_size(whole));
  if (!fits(config.input)) return bad_image("image_memory", "a lossless picture of that size");
  Picture picture{.size = fitted(whole, side_max),
                  .channels = config.input.has_alpha != 0 ? 4u : 3u};
  picture.bytes.resize(picture.row_bytes() * picture.size.height);
  config.options.use_scaling = picture.size == whole ? 0 : 1;
  config.options.scaled_width = static_cast<int>(picture.size.width);
  config.options.scaled_height = static_cast<int>(picture.size.height);
  config.output.colorspace = picture.channels == 4 ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {.rgba = picture.bytes.data(),
                          .stride = static_cast<int>(picture.row_bytes()),
                          .size = picture.bytes.size()};
  const VP8StatusCode status = WebPDecode(bytes_of(bytes), bytes.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (status != VP8_STATUS_OK) return bad_image("image_broken", "a damaged picture");
  return picture;
}

Result<std::string> encode_webp(const Picture& picture, int quality) {
  std::uint8_t* out = nullptr;
  const std::size_t size =
      WebPEncodeRGBA(picture.bytes.data(), static_cast<int>(picture.size.width),
                     static_cast<int>(picture.size.height), static_cast<int>(picture.row_bytes()),
                     static_cast<float>(quality), &out);
  const std::unique_ptr<std::uint8_t, Freed> owned(out);
  if (size == 0) return Error{ErrorCode::limit_exceeded, "webp: could not be written"};
  return std::string(reinterpret_cast<const char*>(out), size);
}

}  // namespace duhui::media
