#pragma once

#include <cstddef>

namespace duhui {

/// Limits of the JSON that people and programs hand in.

/// A visit with thumbnails of 40 photos is below 1 MiB.
inline constexpr std::size_t kJsonBytesMax = 4 * 1024 * 1024;
/// The deepest record (a template's thresholds) needs 6.
inline constexpr std::size_t kJsonDepthMax = 16;
/// As `kValueBytesMax` of the merge: one paragraph or one thumbnail.
inline constexpr std::size_t kJsonStringBytesMax = 256 * 1024;

}  // namespace duhui
