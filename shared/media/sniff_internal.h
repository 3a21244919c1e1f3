#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/media/sniff.h"
#include "shared/media/source.h"

namespace duhui::media {

/// One family of types each: nothing: not of this family; an error: of it, and not taken.
using Sniffed = Result<std::optional<FileType>>;

/// `head`: the first bytes, up to kHeadBytes.
inline constexpr std::size_t kHeadBytes = 4096;
Sniffed sniff_image(const Source& source, std::string_view head);
Sniffed sniff_zip(const Source& source, std::string_view head);
Sniffed sniff_ole(const Source& source, std::string_view head);
Sniffed sniff_boxes(const Source& source, std::string_view head);  // MP4 and its relatives
Sniffed sniff_audio(const Source& source, std::string_view head);
Sniffed sniff_text(const Source& source, std::string_view head);

inline Error refused(std::string_view rule, std::string_view what) {
  return {ErrorCode::refused, std::string(rule) + ": " + std::string(what)};
}
inline Error broken(std::string_view what) { return refused("file_broken", what); }

// Precondition of each: the bytes are there.

inline std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}
inline std::uint32_t little_16(std::string_view bytes, std::size_t at) {
  return byte_at(bytes, at) | byte_at(bytes, at + 1) << 8;
}
inline std::uint32_t little_32(std::string_view bytes, std::size_t at) {
  return little_16(bytes, at) | little_16(bytes, at + 2) << 16;
}
inline std::uint32_t big_16(std::string_view bytes, std::size_t at) {
  return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}
inline std::uint32_t big_32(std::string_view bytes, std::size_t at) {
  return big_16(bytes, at) << 16 | big_16(bytes, at + 2);
}

}  // namespace duhui::media
