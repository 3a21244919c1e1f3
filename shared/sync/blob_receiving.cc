#include "shared/sync/blob_receiving.h"

#include <utility>

#include "shared/base/bytes.h"
#include "shared/crypto/vault_key.h"
#include "shared/sync/limits.h"

namespace duhui {
namespace {

using sync::v1::BlobPiece;

/// What locking adds to a chunk.
constexpr auto kLockBytes = static_cast<std::uint32_t>(VaultKey::kChunkLockBytes);
/// Taken before the sender is told, so that small pieces cost no answer each.
constexpr std::uint64_t kTellAfter = 8 << 10;

void append_field(std::string& out, std::string_view field) {
  append_big_endian_32(out, static_cast<std::uint32_t>(field.size()));
  out += field;
}

}  // namespace

std::optional<BlobName> blob_name(std::string_view sha256,
                                  std::uint64_t size,
                                  std::string_view record_id) {
  const auto digest = Digest::from_bytes(sha256);
  const auto record = RecordId::from_bytes(record_id);
  if (!digest || !record || size == 0 || size > sync_limits::kBlobBytesMax) return std::nullopt;
  return BlobName{*digest, size, *record};
}

std::string blob_statement(const sync::v1::BlobReceipt& receipt) {
  std::string out = "duhui blob v1\n";
  append_field(out, receipt.hub_id());
  append_field(out, receipt.sha256());
  std::string number;
  append_big_endian_64(number, receipt.size());
  append_field(out, number);
  number.clear();
  append_big_endian_64(number, static_cast<std::uint64_t>(receipt.hub_time_ms()));
  append_field(out, number);
  return out;
}

BlobReceiving::BlobReceiving(std::uint32_t want,
                             const BlobName& name,
                             ChunkMap held,
                             std::string begun)
    : want_(want),
      name_(name),
      held_(held),
      complete_(std::move(held)),
      begun_(std::move(begun)),
      chunk_(held_.next_missing(0)) {
  if (!chunk_) begun_.clear();
}

sync::v1::BlobWant BlobReceiving::request() const {
  sync::v1::BlobWant want;
  want.set_want(want_);
  want.set_sha256(name_.sha256.str());
  want.set_size(name_.size);
  want.set_record_id(name_.record.str());
  *want.mutable_runs() = held_.runs();
  if (!begun_.empty()) {
    want.set_begun(static_cast<std::uint32_t>(begun_.size()));
    want.set_begun_crc(crc32c(begun_));
  }
  return want;
}

Result<std::optional<BlobReceiving::Chunk>> BlobReceiving::received(const BlobPiece& piece) {
  const std::uint32_t index = piece.chunk();
  if (index >= complete_.chunks() || piece.data().empty()) {
    return Error{ErrorCode::invalid_input, "file: a piece that was not asked for"};
  }
  // Twice is no harm.
  // The first piece of a chunk that is there already may be that of another copy: locked meanwhile.
  const bool again = chunk_ == index && piece.at() + piece.data().size() <= begun_.size() &&
                     (piece.at() > 0 || begun_.starts_with(piece.data()));
  if (again || complete_.held(index)) return std::optional<Chunk>{};
  if (piece.at() == 0 && piece.has_chunk_crc() && chunk_ != index) {
    taken_ += piece.data().size();
    return checked(piece, piece.data());
  }
  if (piece.at() == 0) {
    begun_.clear();
  } else if (chunk_ != index || piece.at() != begun_.size()) {
    taken_ += piece.data().size();  // it is off the road, or the sender would wait for it
    return Error{ErrorCode::invalid_input, "file: a piece out of its order"};
  }
  chunk_ = index;
  if (begun_.size() + piece.data().size() > complete_.chunk_bytes(index) + kLockBytes) {
    begun_.clear();
    return Error{ErrorCode::invalid_input, "file: a chunk that is too long"};
  }
  begun_ += piece.data();
  taken_ += piece.data().size();
  if (!piece.has_chunk_crc()) return std::optional<Chunk>{};
  return checked(piece, std::exchange(begun_, {}));
}

Result<std::optional<BlobReceiving::Chunk>> BlobReceiving::checked(const BlobPiece& last,
                                                                   std::string bytes) {
  const std::uint32_t index = last.chunk();
  chunk_ended_ = true;
  at_end_ = !complete_.next_missing(index + 1);
  if (crc32c(bytes) != last.chunk_crc() ||
      bytes.size() != complete_.chunk_bytes(index) + (last.locked() ? kLockBytes : 0)) {
    return Error{ErrorCode::invalid_input, "file: a chunk that is damaged"};
  }
  complete_.hold(index);
  unwritten_.push_back({index, taken_});
  return std::optional<Chunk>(Chunk{index, std::move(bytes), last.locked()});
}

void BlobReceiving::written(std::uint32_t chunk) {
  held_.hold(chunk);
  // In the order they came.
  while (!unwritten_.empty() && held_.held(unwritten_.front().chunk)) {
    written_ = unwritten_.front().end;
    unwritten_.pop_front();
  }
}

std::optional<sync::v1::BlobSeen> BlobReceiving::take_seen() {
  const std::uint64_t safe = unwritten_.empty() ? taken_ : written_;
  if (safe <= told_ || (!chunk_ended_ && safe - told_ < kTellAfter)) return std::nullopt;
  told_ = safe;
  chunk_ended_ = !unwritten_.empty();
  sync::v1::BlobSeen seen;
  seen.set_want(want_);
  seen.set_bytes(safe);
  return seen;
}

}  // namespace duhui
