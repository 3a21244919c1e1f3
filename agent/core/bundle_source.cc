#include "agent/core/bundle_source.h"

#include <algorithm>

#include "agent/core/hello.h"
#include "shared/base/bytes.h"
#include "shared/crypto/vault_key.h"
#include "shared/sync/bundle_format.h"
#include "shared/sync/bundle_limits.h"
#include "shared/sync/frame_codec.h"
#include "shared/sync/limits.h"
#include "shared/sync/stream_chain.h"

namespace duhui::agent {

using sync::v1::Frame;

Result<std::unique_ptr<BundleSource>> BundleSource::begin(Replica& replica,
                                                          const DeviceIdentity& identity,
                                                          const std::string& name,
                                                          std::string_view bundle_id,
                                                          const ClockReading& clock,
                                                          const std::string& software) {
  DUHUI_CHECK_OK(replica.settle());
  std::unique_ptr<BundleSource> source(new BundleSource(replica, identity));
  const store::v1::AgentState& state = replica.state();
  source->origin_ = replica.origin();
  source->vault_ = replica.vault_state();
  source->packing_ = PayloadCodec::known_to(state.hub_dictionaries(), state.hub_encodings());
  source->first_seq_ = state.acknowledged() + 1;
  const bool waits = state.has_holes() || replica.stream_in_doubt();
  source->last_seq_ = waits ? state.acknowledged() : state.head();
  source->next_seq_ = source->first_seq_;
  if (!waits) DUHUI_CHECK_OK(source->list_files());
  source->opening_.set_public_key(identity.key.public_key().str());
  source->opening_.set_name(name);
  source->opening_.set_hub_seen_ms(state.hub_seen_ms());

  Frame hello;
  *hello.mutable_hello() =
      make_hello(replica, identity, bundle_binding(bundle_id), clock, software);
  source->greeting_.push_back(encode_frame(hello));
  for (const sync::v1::Gap& lost : state.gaps()) {
    Frame frame;
    *frame.mutable_gap() = lost;
    source->greeting_.push_back(encode_frame(frame));
  }
  // Records that the school may read and that came locked: the answers come with the next bundle.
  DUHUI_TRY(half_open, replica.half_open());
  for (const Replica::HalfOpen& record : half_open) {
    if (source->greeting_.size() > bundle_limits::kQuestionsMax) break;
    Frame frame;
    frame.mutable_range_request()->set_scope(record.scope);
    frame.mutable_range_request()->set_low(record.id.str());
    frame.mutable_range_request()->set_high(record.id.str());
    source->greeting_.push_back(encode_frame(frame));
  }
  return source;
}

void BundleSource::rewind() {
  next_seq_ = first_seq_;
  file_ = 0;
  next_chunk_ = 0;
  offer_.clear();
  planned_ = true;
}

Result<std::optional<CarriedFrame>> BundleSource::next() {
  if (next_seq_ > last_seq_) return next_of_files();
  if (replica_.origin() != origin_ || replica_.vault_state() != vault_) {
    return Error{ErrorCode::unavailable,
                 "bundle: somebody signed in or out, or the stream goes on under a new origin: "
                 "begin again"};
  }
  const auto left = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(last_seq_ - next_seq_ + 1, sync_limits::kBatchOpsMax));
  DUHUI_TRY(ops, replica_.own_ops(next_seq_, sync_limits::kBatchRawBytesAim, left));
  if (ops.empty()) return Error{ErrorCode::corrupt_data, "own log ends before its head"};
  // While the vault is locked they go as they are: the hub opens them.
  for (Replica::OwnOp& own : ops) own.op = replica_.as_readable(own.op);
  std::vector<std::string_view> views;
  views.reserve(ops.size());
  for (const Replica::OwnOp& own : ops) views.push_back(own.op);
  Frame frame;
  sync::v1::Batch& batch = *frame.mutable_batch();
  batch.set_origin(origin_.str());
  batch.set_first_seq(next_seq_);
  codec_.pack(views, packing_, &batch);
  batch.set_chain(ops.back().chain);
  const Dot last{origin_, ops.back().seq};
  batch.set_signature(identity_.key.sign(batch_statement(last, batch.chain())));
  next_seq_ = last.seq + 1;
  return std::optional<CarriedFrame>(
      CarriedFrame{.bytes = encode_frame(frame), .ops = ops.size(), .files = 0});
}

// --- files ---

Status BundleSource::list_files() {
  FileShelf* shelf = replica_.files();
  if (shelf == nullptr) return Done{};
  for (std::optional<BlobName> after;;) {
    DUHUI_TRY(name, replica_.blobs().next(after));
    if (!name) return Done{};
    after = *name;
    DUHUI_TRY(size, shelf->size(name->sha256));
    // Named by an import, or the file is damaged: another device may have it.
    if (!size || *size != name->size) continue;
    DUHUI_TRY(at_hub, replica_.blobs().at_hub(*name));
    const std::uint32_t chunks = at_hub.chunks();
    files_.push_back({*name, std::move(at_hub), chunks});
  }
}

Result<std::optional<CarriedFrame>> BundleSource::next_of_files() {
  for (; file_ < files_.size(); ++file_, next_chunk_ = 0, offer_.clear()) {
    File& file = files_[file_];
    if (offer_.empty()) {
      Frame frame;
      sync::v1::BlobOffer& offer = *frame.mutable_blob_offer();
      offer.set_sha256(file.name.sha256.str());
      offer.set_size(file.name.size);
      offer.set_record_id(file.name.record.str());
      offer_ = encode_frame(frame);
      // Even if the hub has all of it: it says so with its receipt.
      return std::optional<CarriedFrame>(CarriedFrame{.bytes = offer_, .files = 1});
    }
    const auto chunk = file.at_hub.next_missing(next_chunk_);
    if (!chunk || *chunk >= file.end) continue;
    DUHUI_TRY(frame, piece(file, *chunk));
    if (!frame) continue;
    next_chunk_ = *chunk + 1;
    return frame;
  }
  return std::optional<CarriedFrame>{};
}

Result<std::optional<CarriedFrame>> BundleSource::piece(File& file, std::uint32_t chunk) {
  auto loaded = replica_.files()->chunk(file.name.sha256, chunk);
  const bool damaged = !loaded && (loaded.error().code == ErrorCode::corrupt_data ||
                                   loaded.error().code == ErrorCode::not_found);
  if (!loaded && !damaged) return std::move(loaded).error();
  const std::size_t whole =
      loaded ? file.at_hub.chunk_bytes(chunk) + (loaded->locked ? VaultKey::kChunkLockBytes : 0)
             : 0;
  if (damaged || loaded->bytes.size() != whole) {
    if (planned_) {
      return Error{ErrorCode::unavailable, "bundle: a file has changed meanwhile: begin again"};
    }
    file.end = chunk;  // it holds up nothing else
    return std::optional<CarriedFrame>{};
  }
  Frame frame;
  sync::v1::BlobPiece& piece = *frame.mutable_blob_piece();
  piece.set_chunk(chunk);
  piece.set_chunk_crc(crc32c(loaded->bytes));
  piece.set_data(std::move(loaded->bytes));
  piece.set_locked(loaded->locked);
  return std::optional<CarriedFrame>(CarriedFrame{.bytes = encode_frame(frame), .behind = offer_});
}

}  // namespace duhui::agent
