#include "shared/media/jpeg_parts.h"

#include <cstddef>

#include "shared/media/sniff_internal.h"

namespace duhui::media {

std::vector<JpegPart> head_parts(std::string_view jpeg) {
  std::vector<JpegPart> parts;
  constexpr std::size_t kPartsMax = 10'000;
  std::size_t at = 2;
  while (jpeg.size() >= at + 4 && byte_at(jpeg, at) == 0xff && parts.size() < kPartsMax) {
    const std::uint32_t marker = byte_at(jpeg, at + 1);
    if (marker == 0xff) {  // filler
      ++at;
      continue;
    }
    const std::size_t size = 2 + big_16(jpeg, at + 2);
    if (size < 4 || size > jpeg.size() - at || marker == 0xd9) break;
    parts.push_back({marker, jpeg.substr(at, size), jpeg.substr(at + 4, size - 4)});
    at += size;
    if (marker == 0xda) break;
  }
  return parts;
}

}  // namespace duhui::media
