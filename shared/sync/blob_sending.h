#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "duhui/sync/v1/frame.pb.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/sync/chunk_map.h"
#include "shared/sync/limits.h"

namespace duhui {

/// How many bytes of a file may be on their way: enough to fill the road, little enough that what
/// is saved meanwhile does not wait behind them. After BBR (Cardwell et al., ACM Queue 2016): the
/// rate at which bytes arrive times the shortest round trip, and a short queue.
class BlobPacing {
 public:
  void sent(std::uint64_t bytes, MonotonicTime now);
  /// The receiver has taken `bytes` since the beginning.
  void seen(std::uint64_t bytes, MonotonicTime now);

  std::uint64_t on_their_way() const { return sent_ - seen_; }
  std::uint64_t window() const { return window_; }
  std::uint32_t piece_bytes() const;

 private:
  struct Sent {
    std::uint64_t end = 0;  // bytes sent with it
    std::uint64_t seen_then = 0;
    MonotonicTime at;
  };
  std::deque<Sent> pieces_;  // on their way
  std::uint64_t sent_ = 0;
  std::uint64_t seen_ = 0;
  std::uint64_t window_ = sync_limits::kBlobWindowMin;
  std::int64_t shortest_ms_ = 0;  // 0: not known
  double bytes_per_ms_ = 0;
};

/// The sender's side of one request. Sans-io: it says which chunk it needs, is given it, and makes
/// pieces of it as long as the window has room.
class BlobSending {
 public:
  /// `invalid_input`: the request does not fit the file.
  static Result<BlobSending> answer(const sync::v1::BlobWant& want, std::uint64_t size);

  std::uint32_t want() const { return want_; }
  /// The chunk to be loaded before next() has a piece.
  std::optional<std::uint32_t> needs() const;
  /// `bytes`: as it is to be sent, not empty.
  void loaded(std::string bytes, bool locked);
  /// Empty optional: the window is full, a chunk is needed, or everything was sent.
  std::optional<sync::v1::BlobPiece> next(MonotonicTime now);
  void seen(const sync::v1::BlobSeen& seen, MonotonicTime now);
  /// What the receiver has: what its request said, and what it has seen since.
  const ChunkMap& taken() const { return taken_; }
  /// Everything was sent; whether it arrived the receiver says.
  bool done() const { return !chunk_; }
  /// Bytes still to be sent and on their way, without what locking adds.
  std::uint64_t left() const;

 private:
  BlobSending(const sync::v1::BlobWant& want, ChunkMap held);

  std::uint32_t want_;
  ChunkMap held_;   // and what was sent
  ChunkMap taken_;  // and what was seen
  std::uint32_t begun_;
  std::uint32_t begun_crc_;
  std::optional<std::uint32_t> chunk_;  // the one under way
  std::string bytes_;                   // its bytes; empty: to be loaded
  bool locked_ = false;
  std::uint32_t at_ = 0;
  std::uint32_t crc_ = 0;
  struct Sent {
    std::uint64_t end = 0;  // bytes sent with its last piece
    std::uint32_t chunk = 0;
  };
  std::deque<Sent> unseen_;
  std::uint64_t sent_ = 0;
  BlobPacing pacing_;
};

}  // namespace duhui
