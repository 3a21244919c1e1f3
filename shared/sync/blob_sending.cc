#include "shared/sync/blob_sending.h"

#include <algorithm>
#include <utility>

#include "shared/base/bytes.h"

namespace duhui {
namespace {

/// A rate that is no longer reached is forgotten within some ten acknowledgements.
constexpr double kForget = 0.9;
/// What a piece may take on the road.
constexpr double kPieceMs = 50;
/// A break costs half a piece: no more than this part of what the road has carried since the last
/// one.
constexpr std::uint64_t kOfCarried = 64;

}  // namespace

void BlobPacing::sent(std::uint64_t bytes, MonotonicTime now) {
  sent_ += bytes;
  pieces_.push_back({sent_, seen_, now});
}

void BlobPacing::seen(std::uint64_t bytes, MonotonicTime now) {
  if (bytes <= seen_ || bytes > sent_) return;  // a peer that says anything gains nothing by it
  seen_ = bytes;
  std::optional<Sent> newest;
  while (!pieces_.empty() && pieces_.front().end <= seen_) {
    newest = pieces_.front();
    pieces_.pop_front();
  }
  if (!newest) return;
  const std::int64_t took = std::max<std::int64_t>((now - newest->at).ms, 1);
  shortest_ms_ = shortest_ms_ == 0 ? took : std::min(shortest_ms_, took);
  const double rate = static_cast<double>(seen_ - newest->seen_then) / static_cast<double>(took);
  bytes_per_ms_ = std::max(rate, bytes_per_ms_ * kForget + rate * (1 - kForget));
  const double aim =
      bytes_per_ms_ * static_cast<double>(shortest_ms_ + sync_limits::kBlobQueueAim.ms);
  window_ = std::clamp(static_cast<std::uint64_t>(aim), sync_limits::kBlobWindowMin,
                       sync_limits::kBlobWindowMax);
}

std::uint32_t BlobPacing::piece_bytes() const {
  const auto aim = static_cast<std::uint32_t>(
      std::min(bytes_per_ms_ * kPieceMs, static_cast<double>(sync_limits::kChunkBytes)));
  const auto carried = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(seen_ / kOfCarried, sync_limits::kChunkBytes));
  return std::max(std::min(aim, carried), sync_limits::kPieceBytesMin);
}

BlobSending::BlobSending(const sync::v1::BlobWant& want, ChunkMap held)
    : want_(want.want()),
      held_(held),
      taken_(std::move(held)),
      begun_(want.begun()),
      begun_crc_(want.begun_crc()),
      chunk_(held_.next_missing(0)) {}

Result<BlobSending> BlobSending::answer(const sync::v1::BlobWant& want, std::uint64_t size) {
  if (want.want() == 0 || want.size() != size) {
    return Error{ErrorCode::invalid_input, "file: asked for with another size"};
  }
  DUHUI_TRY(held, ChunkMap::from_runs(size, want.runs()));
  return BlobSending(want, std::move(held));
}

std::optional<std::uint32_t> BlobSending::needs() const {
  return bytes_.empty() ? chunk_ : std::nullopt;
}

void BlobSending::loaded(std::string bytes, bool locked) {
  bytes_ = std::move(bytes);
  locked_ = locked;
  at_ = 0;
  crc_ = crc32c(bytes_);
  // What the receiver has of the first one, if it is the same.
  const std::uint32_t begun = std::exchange(begun_, 0);
  if (begun > 0 && begun < bytes_.size() &&
      crc32c(std::string_view(bytes_).substr(0, begun)) == begun_crc_) {
    at_ = begun;
  }
}

std::optional<sync::v1::BlobPiece> BlobSending::next(MonotonicTime now) {
  if (!chunk_ || bytes_.empty()) return std::nullopt;
  const std::uint64_t out = pacing_.on_their_way();
  if (out >= pacing_.window()) return std::nullopt;
  const auto left = static_cast<std::uint32_t>(bytes_.size()) - at_;
  const std::uint32_t count = std::min(left, pacing_.piece_bytes());
  sync::v1::BlobPiece piece;
  piece.set_want(want_);
  piece.set_chunk(*chunk_);
  piece.set_at(at_);
  piece.set_data(bytes_.substr(at_, count));
  at_ += count;
  sent_ += count;
  pacing_.sent(count, now);
  if (at_ == bytes_.size()) {
    piece.set_chunk_crc(crc_);
    piece.set_locked(locked_);
    bytes_.clear();
    unseen_.push_back({sent_, *chunk_});
    held_.hold(*chunk_);
    chunk_ = held_.next_missing(*chunk_ + 1);
  }
  return piece;
}

void BlobSending::seen(const sync::v1::BlobSeen& seen, MonotonicTime now) {
  pacing_.seen(seen.bytes(), now);
  if (seen.bytes() > sent_) return;
  for (; !unseen_.empty() && unseen_.front().end <= seen.bytes(); unseen_.pop_front()) {
    taken_.hold(unseen_.front().chunk);
  }
}

std::uint64_t BlobSending::left() const {
  const std::uint64_t to_send = held_.missing_bytes();
  return std::min(held_.size(),
                  to_send - std::min<std::uint64_t>(at_, to_send) + pacing_.on_their_way());
}

}  // namespace duhui
