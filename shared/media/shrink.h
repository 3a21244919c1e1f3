#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/media/exif.h"
#include "shared/media/limits.h"

namespace duhui::media {

struct ShrinkSettings {
  std::size_t bytes_max = kShrunkBytes;
  std::uint32_t side_max = kShrunkSide;
  bool keep_location = false;  // hand back where it was taken
};

/// A picture made anew: only its pixels came through.
struct Shrunk {
  std::string bytes{};
  std::string mime{};
  std::string extension{};
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::string thumbnail{};                // JPEG, at most kThumbnailBytesMax
  std::optional<std::string> taken_at{};  // as the camera said
  std::optional<Geo> geo{};               // only if asked for
};

/// A JPEG, PNG or WebP within the budget, upright. JPEG comes out, or the same format where it is
/// see-through and fits. `refused`: "image_broken", "image_pixels", "image_memory",
/// "image_animated"; `limit_exceeded` "file_size".
Result<Shrunk> shrink(std::string_view bytes, const ShrinkSettings& settings);

}  // namespace duhui::media
