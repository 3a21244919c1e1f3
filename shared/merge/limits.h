#pragma once

#include <cstddef>
#include <cstdint>

namespace duhui {

/// Limits of one op. Far above what a form can produce, low enough that a hostile op costs little.

/// The largest checklist has some 200 items; an imported template some 1,000.
inline constexpr int kWritesPerOpMax = 2'000;
/// A register has one live write per replica that wrote concurrently; a district has ~400 devices.
inline constexpr int kReplacesPerWriteMax = 1'000;
/// A paragraph or a thumbnail; photos travel as blobs.
inline constexpr std::size_t kValueBytesMax = 256 * 1024;
/// Item codes, user ids and SHA-256 in hexadecimal, two of them joined.
inline constexpr std::size_t kKeyBytesMax = 256;
/// Every live write of a record: one per register, more while in conflict.
inline constexpr int kSeesPerOpMax = 20'000;
/// A user id.
inline constexpr std::size_t kPersonBytesMax = 128;
/// A sentence or two: about 1,300 Chinese characters.
inline constexpr std::size_t kReasonBytesMax = 4'000;
/// Greatest field number protobuf can encode.
inline constexpr std::uint32_t kFieldNumberMax = (1u << 29) - 1;
/// Messages inside messages in one value; protobuf's own parser stops at 100.
inline constexpr int kValueDepthMax = 32;

}  // namespace duhui
