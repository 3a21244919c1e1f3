#pragma once

#include <cstddef>
#include <cstdint>

#include "shared/base/time.h"

/// Every limit of the sync protocol. A peer that exceeds one is answered and closed; nothing it
/// sends can make us allocate more than these allow.
namespace duhui::sync_limits {

/// One WebSocket message, checked before it is parsed.
inline constexpr std::size_t kFrameBytesMax = 1 << 20;
/// Raw (decompressed) ops of one batch; bounds what a zip bomb can unfold to.
inline constexpr std::size_t kBatchRawBytesMax = 1 << 20;
/// The same of a batch of more than one op from a device: locked for another device, op by op, it
/// must still fit into one message.
inline constexpr std::size_t kBatchRowsBytesMax = 256 << 10;
inline constexpr std::uint32_t kBatchOpsMax = 4096;
/// What a sender aims at: large enough to compress well, small enough that a live record behind it
/// does not wait.
inline constexpr std::size_t kBatchRawBytesAim = 192 << 10;
/// The first batch of a connection, and what they grow to, twofold each, before one was
/// acknowledged promptly: a batch counts only when it is whole, and on a bad mobile network the
/// link is gone after some ten seconds.
inline constexpr std::size_t kBatchRawBytesFirst = 12 << 10;
inline constexpr std::size_t kBatchRawBytesUnproven = 96 << 10;
inline constexpr Duration kPromptAck = seconds(3);
/// One op; a form of this size would be 300 pages of text.
inline constexpr std::size_t kOpBytesMax = 512 << 10;
/// Upstream bytes a device may have unacknowledged before it knows the hub's own figure.
inline constexpr std::uint64_t kInitialCredit = 512 << 10;
/// Batches that may come before the welcome.
inline constexpr std::size_t kEarlyBatchesMax = 64;
inline constexpr std::uint64_t kUpstreamCredit = 1 << 20;
inline constexpr std::uint64_t kDownstreamCredit = 2 << 20;
/// A feed page's raw size aim.
inline constexpr std::size_t kPageRawBytesAim = 256 << 10;
/// Payloads of one page or answer: with what stands around them it fits into one message.
inline constexpr std::size_t kPageBytesMax = 960 << 10;
/// An op that is larger goes locked without the part that could be read beside it.
inline constexpr std::size_t kOpenPartBytesMax = 256 << 10;
inline constexpr std::uint32_t kScopesMax = 4096;
inline constexpr std::uint32_t kTrailMax = 64;
/// Records answered at once when a checksum range is small enough.
inline constexpr std::uint32_t kRangeRecordsMax = 16;
/// Ops offered to the hub in one Refill; what is left follows after the next comparison.
inline constexpr std::uint32_t kRefillOpsMax = 256;

/// A file moves in chunks of this size: what is checked, and what a bitmap counts.
inline constexpr std::uint32_t kChunkBytes = 64 << 10;
inline constexpr std::uint64_t kBlobBytesMax = 2ULL << 30;
/// One piece: small on a slow road, so that a record behind it does not wait.
inline constexpr std::uint32_t kPieceBytesMin = 4 << 10;
/// Bytes of pieces on their way: what a sender begins with, and never exceeds.
inline constexpr std::uint64_t kBlobWindowMin = 12 << 10;
inline constexpr std::uint64_t kBlobWindowMax = 1 << 20;
/// What a sender's queue at the bottleneck may grow to.
inline constexpr Duration kBlobQueueAim = milliseconds(200);

inline constexpr Duration kReplyTimeout = seconds(30);
/// Silence after which a link is probed; half-open links are found by unacknowledged age.
inline constexpr Duration kPingInterval = minutes(2);
inline constexpr Duration kBackoffMin = milliseconds(500);
inline constexpr Duration kBackoffMax = minutes(10);

}  // namespace duhui::sync_limits
