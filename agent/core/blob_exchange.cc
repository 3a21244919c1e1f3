#include "agent/core/blob_exchange.h"

#include <algorithm>
#include <utility>

#include "shared/sync/limits.h"

namespace duhui::agent {
namespace {

using sync::v1::BlobEnd;
using sync::v1::Frame;

/// Written chunks that a crash may cost: a megabyte comes again.
constexpr std::uint32_t kSaveEvery = 16;
constexpr std::uint32_t kDamagedMax = 8;
constexpr std::size_t kFetchesMax = 64;
constexpr Duration kTryAgainAfter = minutes(2);
/// Chunks that the hub has before that is written down.
constexpr std::uint32_t kNoteEvery = 16;

Error budget_error() { return {ErrorCode::limit_exceeded, "file: the month's bytes are used up"}; }

}  // namespace

Status BlobExchange::pump(bool records_first, MonotonicTime now, Out& out) {
  // What could not be taken then is offered again.
  if (now - began_ >= kTryAgainAfter) {
    began_ = now;
    passed_.reset();
    originals_ = false;
  }
  const bool may_go = traffic_.budget().files_may_go();
  if (!offered_ && !records_first && may_go) DUHUI_CHECK_OK(offer_next(out));
  return send_pieces(now, out);
}

Status BlobExchange::offer_next(Out& out) {
  for (;;) {
    DUHUI_TRY(name, named_.next(passed_, originals_));
    if (!name && !originals_ && traffic_.budget().is_free()) {
      originals_ = true;
      passed_.reset();
      continue;
    }
    if (!name) return Done{};
    passed_ = *name;
    DUHUI_TRY(size, shelf_.size(name->sha256));
    // Named by an import, or the file is damaged: another device may have it.
    if (!size || *size != name->size) continue;
    offered_ = *name;
    sync::v1::BlobOffer& offer = *out.frames.emplace_back().mutable_blob_offer();
    offer.set_sha256(name->sha256.str());
    offer.set_size(name->size);
    offer.set_record_id(name->record.str());
    return Done{};
  }
}

Status BlobExchange::send_pieces(MonotonicTime now, Out& out) {
  while (sending_ && traffic_.budget().files_may_go()) {
    if (const auto chunk = sending_->needs()) {
      auto loaded = shelf_.chunk(offered_->sha256, *chunk);
      if (!loaded || loaded->bytes.empty()) return give_up_sending(loaded);
      sending_->loaded(std::move(loaded->bytes), loaded->locked);
    }
    auto piece = sending_->next(now);
    if (!piece) return Done{};
    traffic_.piece_sent(*offered_, piece->chunk(), piece->at(),
                        static_cast<std::uint32_t>(piece->data().size()));
    Frame& frame = out.frames.emplace_back();
    *frame.mutable_blob_piece() = std::move(*piece);
    // At once, for the next one may be the first too many.
    traffic_.frame(ByteKind::file, frame.ByteSizeLong());
  }
  return Done{};
}

Status BlobExchange::give_up_sending(const Result<FileShelf::Chunk>& loaded) {
  // A damaged file holds up nothing else; a disk that fails does.
  const bool damaged = loaded || loaded.error().code == ErrorCode::corrupt_data ||
                       loaded.error().code == ErrorCode::not_found;
  sending_.reset();
  if (damaged) return Done{};
  return loaded.error();
}

Status BlobExchange::received(const Frame& frame, MonotonicTime now, Out& out) {
  switch (frame.body_case()) {
    case Frame::kBlobWant:
      return on_want(frame.blob_want());
    case Frame::kBlobSeen:
      if (sending_ && sending_->want() == frame.blob_seen().want()) {
        sending_->seen(frame.blob_seen(), now);
        named_.heard(*offered_, hub_had_ + frame.blob_seen().bytes());
        if (noted_missing_ - sending_->taken().missing() >= kNoteEvery) return note_at_hub();
      }
      return Done{};
    case Frame::kBlobPiece:
      return on_piece(frame.blob_piece(), out);
    case Frame::kBlobEnd:
      return on_end(frame.blob_end(), out);
    default:
      return Error{ErrorCode::invalid_input, "file: frame of another kind"};
  }
}

Status BlobExchange::on_want(const sync::v1::BlobWant& want) {
  // Of an offer that was answered otherwise in the meantime.
  if (!offered_ || want.sha256() != offered_->sha256.view() ||
      want.record_id() != offered_->record.view() ||
      (sending_ && sending_->want() == want.want())) {
    return Done{};
  }
  DUHUI_TRY(sending, BlobSending::answer(want, offered_->size));
  sending_ = std::move(sending);
  // Whole chunks: the beginning of the next is only a claim until the chunk's sum is right.
  hub_had_ = offered_->size - std::min(offered_->size, sending_->left());
  named_.heard(*offered_, hub_had_);
  return note_at_hub();
}

Status BlobExchange::note_at_hub() {
  noted_missing_ = sending_->taken().missing();
  return named_.hub_has(*offered_, sending_->taken());
}

Status BlobExchange::on_end(const BlobEnd& end, Out& out) {
  if (end.want() != 0) {
    if (!fetching_ || fetching_->want() != end.want()) return Done{};
    end_fetch(Error{end.outcome() == BlobEnd::OUTCOME_ABSENT ? ErrorCode::unavailable
                                                             : ErrorCode::not_found,
                    "file: " + end.detail()},
              out);
    return start_fetch(out);
  }
  if (!offered_ || end.sha256() != offered_->sha256.view() ||
      end.record_id() != offered_->record.view()) {
    return Done{};
  }
  const BlobName name = *std::exchange(offered_, std::nullopt);
  sending_.reset();
  switch (end.outcome()) {
    case BlobEnd::OUTCOME_KEPT:
      if (!is_receipt_for(end.receipt(), name, hub_id_, hub_key_)) {
        return Error{ErrorCode::refused, "file: a receipt that the hub did not sign"};
      }
      ++traffic_.counters().file_receipts;
      return named_.kept(name, end.receipt());
    case BlobEnd::OUTCOME_REFUSED:
      ++traffic_.counters().files_refused;
      return named_.refused(name, end.detail().empty() ? "refused" : end.detail());
    default:
      // Offered again at the next connection.
      ++traffic_.counters().files_postponed;
      return Done{};
  }
}

Status BlobExchange::fetch(const BlobName& name, Out& out) {
  if (!traffic_.budget().files_may_go()) {
    ++traffic_.counters().fetches_failed;
    out.fetched.emplace_back(name, budget_error());
    return Done{};
  }
  const bool known = (fetching_ && fetching_->name() == name) ||
                     std::ranges::find(to_fetch_, name) != to_fetch_.end();
  if (known) return Done{};
  if (to_fetch_.size() >= kFetchesMax) {
    return Error{ErrorCode::limit_exceeded, "too many files are asked for"};
  }
  to_fetch_.push_back(name);
  return start_fetch(out);
}

Status BlobExchange::start_fetch(Out& out) {
  if (fetching_ || to_fetch_.empty()) return Done{};
  const BlobName name = to_fetch_.front();
  to_fetch_.erase(to_fetch_.begin());
  DUHUI_TRY(here, files_.size(name.sha256));
  if (here == name.size) {
    out.fetched.emplace_back(name, Done{});
    return start_fetch(out);
  }
  DUHUI_TRY(part, files_.part(name));
  fetching_.emplace(++wants_, name, std::move(part.held), std::move(part.begun));
  unsaved_ = 0;
  damaged_ = 0;
  *out.frames.emplace_back().mutable_blob_want() = fetching_->request();
  return Done{};
}

Status BlobExchange::on_piece(const sync::v1::BlobPiece& piece, Out& out) {
  ++traffic_.counters().pieces_received;
  traffic_.counters().piece_bytes_received += piece.data().size();
  if (!fetching_ || piece.want() != fetching_->want()) return Done{};
  auto chunk = fetching_->received(piece);
  if (!chunk) {
    if (++damaged_ > kDamagedMax) return std::move(chunk).error();
  } else if (*chunk) {
    DUHUI_CHECK_OK(files_.write_chunk(fetching_->name(), (*chunk)->index, (*chunk)->bytes));
    fetching_->written((*chunk)->index);
    if (++unsaved_ >= kSaveEvery) DUHUI_CHECK_OK(save_part());
  }
  // Nothing is seen any more, so the hub sends no more than was on its way.
  if (!traffic_.budget().files_may_go() && !fetching_->held().complete()) {
    return stop_fetching(out);
  }
  if (auto seen = fetching_->take_seen()) {
    *out.frames.emplace_back().mutable_blob_seen() = std::move(*seen);
  }
  if (fetching_->held().complete()) {
    DUHUI_TRY(whole, files_.finish(fetching_->name()));
    end_fetch(whole ? Status(Done{}) : Error{ErrorCode::corrupt_data, "file: another hash"}, out);
    return start_fetch(out);
  }
  if (fetching_->at_end()) {
    // Some of it came damaged: asks for that again.
    DUHUI_CHECK_OK(save_part());
    to_fetch_.insert(to_fetch_.begin(), fetching_->name());
    const std::uint32_t damaged = damaged_;
    fetching_.reset();
    DUHUI_CHECK_OK(start_fetch(out));
    damaged_ = damaged;
  }
  return Done{};
}

Status BlobExchange::stop_fetching(Out& out) {
  Status saved = save_part();
  end_fetch(budget_error(), out);
  for (const BlobName& name : std::exchange(to_fetch_, {})) {
    ++traffic_.counters().fetches_failed;
    out.fetched.emplace_back(name, budget_error());
  }
  return saved;
}

void BlobExchange::end_fetch(Status how, Out& out) {
  ++(how ? traffic_.counters().files_fetched : traffic_.counters().fetches_failed);
  out.fetched.emplace_back(fetching_->name(), std::move(how));
  fetching_.reset();
}

Status BlobExchange::save_part() {
  unsaved_ = 0;
  return files_.save_part(fetching_->name(), {fetching_->held(), fetching_->begun()});
}

Status BlobExchange::closed(Out& out) {
  const Error gone{ErrorCode::unavailable, "file: the link to the hub is gone"};
  Status saved = Done{};
  if (fetching_) {
    saved = save_part();
    end_fetch(gone, out);
  }
  if (sending_ && sending_->taken().missing() < noted_missing_) {
    const Status noted = note_at_hub();
    if (saved) saved = noted;
  }
  for (const BlobName& name : std::exchange(to_fetch_, {})) out.fetched.emplace_back(name, gone);
  offered_.reset();
  sending_.reset();
  named_.forget_heard();
  return saved;
}

}  // namespace duhui::agent
