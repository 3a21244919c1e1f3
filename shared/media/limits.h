#pragma once

#include <cstddef>
#include <cstdint>

namespace duhui::media {

/// Limits of files that people hand in, and of the work on them.

inline constexpr std::uint64_t kPhotoBytesMax = 40ull << 20;
/// PDF, office documents, text.
inline constexpr std::uint64_t kDocumentBytesMax = 100ull << 20;
/// Audio, video, archives; nothing is longer.
inline constexpr std::uint64_t kFileBytesMax = 2ull << 30;

inline constexpr std::uint32_t kImageSideMax = 20'000;
/// Cameras of telephones go to 108 million; such a picture is read row by row.
inline constexpr std::uint64_t kImagePixelsMax = 120'000'000;
/// What a decoder may hold at once, for pictures that cannot be read row by row (progressive JPEG,
/// interlaced PNG, lossless WebP).
inline constexpr std::size_t kDecoderBytesMax = 64u << 20;
inline constexpr int kJpegScansMax = 32;
inline constexpr std::size_t kGifFramesMax = 2000;

inline constexpr std::size_t kShrunkBytes = 300 * 1024;
inline constexpr std::uint32_t kShrunkSide = 1600;
inline constexpr std::size_t kThumbnailBytesMax = 8 * 1024;
inline constexpr std::uint32_t kThumbnailSideMax = 256;

inline constexpr std::size_t kExifBytesMax = 64 * 1024;
inline constexpr std::size_t kArchiveEntriesMax = 10'000;
inline constexpr std::size_t kArchiveListBytesMax = 4u << 20;
inline constexpr std::uint64_t kArchiveUnpackedBytesMax = 8ull << 30;
/// A larger ratio is a bomb where it unpacks to more than kArchiveTrustedBytes.
inline constexpr std::uint64_t kArchiveRatioMax = 200;
inline constexpr std::uint64_t kArchiveTrustedBytes = 100ull << 20;

/// Without a folder; Linux takes 255 bytes, some room is for what is added.
inline constexpr std::size_t kFileNameBytesMax = 180;

}  // namespace duhui::media
