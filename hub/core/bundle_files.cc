#include "hub/core/bundle_files.h"

#include <utility>

#include "shared/crypto/vault_key.h"
#include "shared/sync/bundle_limits.h"
#include "shared/sync/limits.h"

namespace duhui::hub {
namespace {

Error foreign(const char* what) { return {ErrorCode::refused, std::string("bundle: ") + what}; }

}  // namespace

Result<BundleFiles::Next> BundleFiles::next(sync::v1::Frame* frame) {
  return frame->has_blob_offer() ? offer(frame->blob_offer()) : piece(frame->mutable_blob_piece());
}

Result<BundleFiles::Next> BundleFiles::offer(const sync::v1::BlobOffer& offer) {
  const auto name = blob_name(offer.sha256(), offer.size(), offer.record_id());
  if (!name) return foreign("offers a file that is none");
  if (!settled()) return Next::wait;
  file_ = File{.name = *name};
  offers_.push_back(offer);
  if (offers_.size() > 2 * bundle_limits::kOffersMax) {
    offers_.erase(offers_.begin(),
                  offers_.begin() + static_cast<std::ptrdiff_t>(bundle_limits::kOffersMax));
  }
  return Next::say;
}

Result<BundleFiles::Next> BundleFiles::piece(sync::v1::BlobPiece* piece) {
  if (!file_) return foreign("a piece of no file");
  const ChunkMap whole(file_->name.size);
  const std::size_t lock = piece->locked() ? VaultKey::kChunkLockBytes : 0;
  const bool sound = piece->chunk() < whole.chunks() && piece->at() == 0 &&
                     piece->has_chunk_crc() &&
                     piece->data().size() == whole.chunk_bytes(piece->chunk()) + lock;
  if (!sound) return foreign("a piece that is no chunk of its file");
  if (file_->ended) return Next::drop;
  if (!file_->given) return Next::wait;
  if (file_->given->held(piece->chunk())) return Next::drop;
  const std::uint64_t out = file_->sent - file_->seen;
  if (out > 0 && out + piece->data().size() > sync_limits::kBlobWindowMax) return Next::wait;
  file_->given->hold(piece->chunk());
  file_->sent += piece->data().size();
  piece->set_want(file_->want);
  return Next::say;
}

Status BundleFiles::heard(const sync::v1::Frame& frame) {
  if (!file_ || file_->ended) return Done{};
  if (frame.has_blob_want()) {
    const sync::v1::BlobWant& want = frame.blob_want();
    if (want.sha256() != file_->name.sha256.view() ||
        want.record_id() != file_->name.record.view()) {
      return Done{};
    }
    DUHUI_TRY(held, ChunkMap::from_runs(file_->name.size, want.runs()));
    file_->given = std::move(held);
    file_->want = want.want();
    file_->sent = file_->seen = 0;
  } else if (frame.has_blob_seen()) {
    const sync::v1::BlobSeen& seen = frame.blob_seen();
    const bool sound =
        seen.want() == file_->want && seen.bytes() > file_->seen && seen.bytes() <= file_->sent;
    if (!sound) return Done{};
    count_.bytes += seen.bytes() - std::exchange(file_->seen, seen.bytes());
    file_->brought = true;
  } else if (frame.has_blob_end()) {
    ended(frame.blob_end());
  }
  return Done{};
}

void BundleFiles::ended(const sync::v1::BlobEnd& end) {
  if (end.want() != 0 || end.sha256() != file_->name.sha256.view() ||
      end.record_id() != file_->name.record.view()) {
    return;
  }
  file_->ended = true;
  if (end.outcome() == sync::v1::BlobEnd::OUTCOME_KEPT) {
    ++(file_->brought ? count_.kept : count_.known);
    return;
  }
  ++count_.waiting;
  count_.why = end.detail();
}

bool BundleFiles::settled() const {
  if (!file_ || file_->ended) return true;
  // Of a whole file the hub will say so.
  return file_->given && file_->sent == file_->seen && !file_->given->complete();
}

}  // namespace duhui::hub
