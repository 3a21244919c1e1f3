#pragma once

#include <cstddef>
#include <cstdint>

/// Every limit of bundle files. What does not keep to them is not read.
namespace duhui::bundle_limits {

/// What is sealed at a time; a reader holds one piece and one frame.
inline constexpr std::size_t kPieceBytes = 64 << 10;
inline constexpr std::size_t kHeaderBytesMax = 1 << 10;
inline constexpr std::size_t kOpeningBytesMax = 4 << 10;
inline constexpr std::size_t kTrailerBytesMax = 256;
inline constexpr std::uint32_t kPartsMax = 9'999;
/// Of one part on the stick. FAT32 takes no file of 4 GiB.
inline constexpr std::uint64_t kPartBytesMin = 64 << 10;
inline constexpr std::uint64_t kPartBytesMax = std::uint64_t{4000} << 20;
inline constexpr std::uint64_t kPartBytesDefault = std::uint64_t{512} << 20;
/// Questions about records that a device asks in a bundle.
inline constexpr std::size_t kQuestionsMax = 32;
/// Files whose receipts go into one answer; the device offers the others again.
inline constexpr std::size_t kOffersMax = 4'096;

}  // namespace duhui::bundle_limits
