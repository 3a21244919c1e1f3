#include "hub/core/blob_exchange.h"

#include <utility>

#include "shared/sync/limits.h"

namespace duhui::hub {
namespace {

using sync::v1::BlobEnd;
using sync::v1::Frame;
using Found = BlobLookUpJob::Found;
using Purpose = BlobLookUpJob::Purpose;

/// Written chunks that a crash may cost: a megabyte comes again.
/// Chunks between two syncs of what came: what a crash costs. Fewer where that costs the disk
/// little.
constexpr std::uint32_t kSaveEvery = 16;
constexpr std::uint32_t kSaveEveryOnSlowRoads = 4;
constexpr Duration kSavesApart = milliseconds(100);
constexpr std::uint32_t kDamagedMax = 8;
/// The sender's window allows no more on their way.
constexpr std::uint32_t kWritingMax =
    static_cast<std::uint32_t>(2 * sync_limits::kBlobWindowMax / sync_limits::kChunkBytes);

}  // namespace

Status BlobExchange::received(const Frame& frame, bool has_vault, MonotonicTime now, Out& out) {
  switch (frame.body_case()) {
    case Frame::kBlobOffer:
      return on_offer(frame.blob_offer(), out);
    case Frame::kBlobPiece:
      return on_piece(frame.blob_piece(), now, out);
    case Frame::kBlobWant:
      return on_want(frame.blob_want(), has_vault, out);
    case Frame::kBlobSeen:
      if (sending_ && frame.blob_seen().want() == sending_->want()) {
        sending_->seen(frame.blob_seen(), now);
        send_pieces(now, out);
      }
      return Done{};
    default:
      return Error{ErrorCode::invalid_input, "file: frame of another kind"};
  }
}

void BlobExchange::end(const BlobName& name,
                       BlobEnd::Outcome outcome,
                       std::string detail,
                       Out& out) {
  BlobEnd& end = *out.frames.emplace_back().mutable_blob_end();
  end.set_sha256(name.sha256.str());
  end.set_record_id(name.record.str());
  end.set_outcome(outcome);
  end.set_detail(std::move(detail));
  if (outcome != BlobEnd::OUTCOME_KEPT) ++counters_->refused;
}

// --- the device brings one ---

Status BlobExchange::on_offer(const sync::v1::BlobOffer& offer, Out& out) {
  const auto name = blob_name(offer.sha256(), offer.size(), offer.record_id());
  if (!name) return Error{ErrorCode::invalid_input, "file: an offer out of its limits"};
  if (offered_ == *name) {
    // The device has given this request up: it is asked anew.
    if (bringing_ && !finishing_) {
      const BlobReceiving before = *std::exchange(bringing_, std::nullopt);
      ask({before.pending(), before.begun()}, out);
    }
    return Done{};
  }
  // One that was asked for and is left for another: what came of it is kept.
  const bool may_leave = bringing_ && !finishing_ && writing_ == 0;
  if (offered_ && !may_leave) {
    return Error{ErrorCode::invalid_input, "file: offered before the last was answered"};
  }
  if (offered_) closed(out);
  bringing_.reset();
  offered_ = *name;
  damaged_ = 0;
  touched_ = false;
  look_up(*name, out);
  return Done{};
}

void BlobExchange::look_up(const BlobName& name, Out& out) {
  out.jobs.push_back(std::make_unique<BlobLookUpJob>(session_, name, Purpose::bring, device_));
}

void BlobExchange::ask(BlobStore::Part part, Out& out) {
  bringing_.emplace(++wants_, *offered_, std::move(part.held), std::move(part.begun));
  unsaved_ = 0;
  if (!bringing_->held().complete()) {
    *out.frames.emplace_back().mutable_blob_want() = bringing_->request();
    return;
  }
  // Everything came, and the hub was stopped before it made a file of it.
  auto job = std::make_unique<BlobWriteJob>(session_, *offered_, device_.id);
  job->held = bringing_->held();
  job->was_whole = was_whole_;
  ++writing_;
  out.jobs.push_back(std::move(job));
}

Status BlobExchange::on_piece(const sync::v1::BlobPiece& piece, MonotonicTime now, Out& out) {
  ++counters_->pieces_received;
  counters_->bytes_received += piece.data().size();
  // Of a request that was answered otherwise in the meantime.
  if (!bringing_ || finishing_ || piece.want() != bringing_->want()) return Done{};
  if (piece.has_chunk_crc() && writing_ >= kWritingMax) {
    return Error{ErrorCode::limit_exceeded, "file: more than the window"};
  }
  auto chunk = bringing_->received(piece);
  touched_ = true;
  if (!chunk) {
    if (++damaged_ > kDamagedMax) return std::move(chunk).error();
  } else if (*chunk) {
    auto job = std::make_unique<BlobWriteJob>(session_, *offered_, device_.id);
    job->chunk = (*chunk)->index;
    job->bytes = std::move((*chunk)->bytes);
    if ((*chunk)->locked) job->locked_by = device_.id;
    job->held = bringing_->pending();  // those before it are written before it
    job->save = is_time_to_save(now);
    job->was_whole = was_whole_;
    ++writing_;
    out.jobs.push_back(std::move(job));
    return Done{};  // seen when it is written
  }
  if (auto seen = bringing_->take_seen()) {
    *out.frames.emplace_back().mutable_blob_seen() = std::move(*seen);
  }
  ask_for_damaged(out);
  return Done{};
}

bool BlobExchange::is_time_to_save(MonotonicTime now) {
  ++unsaved_;
  const bool slow = unsaved_ >= kSaveEveryOnSlowRoads && now - saved_at_ >= kSavesApart;
  if (!slow && unsaved_ < kSaveEvery) return false;
  unsaved_ = 0;
  saved_at_ = now;
  return true;
}

void BlobExchange::ask_for_damaged(Out& out) {
  // The sender is at the end, and what it sent is written: some of it came damaged.
  if (bringing_->at_end() && writing_ == 0) ask({bringing_->held(), {}}, out);
}

void BlobExchange::written(BlobWriteJob& job, Out& out) {
  --writing_;
  if (!bringing_ || !offered_ || job.name != *offered_) return;
  if (job.overtaken) {
    bringing_.reset();
    return look_up(*offered_, out);
  }
  if (job.failed || job.spoilt) {
    const bool full = job.failed && job.failed->code == ErrorCode::limit_exceeded;
    end(*offered_, BlobEnd::OUTCOME_LATER,
        job.spoilt ? "its pieces make another hash"
                   : (full ? "the hub's disk is full" : "the hub could not store it"),
        out);
    bringing_.reset();
    offered_.reset();
    return;
  }
  if (job.chunk) bringing_->written(*job.chunk);
  if (auto seen = bringing_->take_seen()) {
    *out.frames.emplace_back().mutable_blob_seen() = std::move(*seen);
  }
  if (job.whole) {
    finishing_ = true;
    out.jobs.push_back(std::make_unique<BlobBroughtJob>(session_, *offered_, device_.id));
    return;
  }
  ask_for_damaged(out);
}

void BlobExchange::kept(const BlobName& name, WallTime wall, Out& out) {
  end(name, BlobEnd::OUTCOME_KEPT, {}, out);
  sync::v1::BlobReceipt& receipt = *out.frames.back().mutable_blob_end()->mutable_receipt();
  receipt.set_hub_id(identity_->id.str());
  receipt.set_sha256(name.sha256.str());
  receipt.set_size(name.size);
  receipt.set_hub_time_ms(wall.ms);
  receipt.set_signature(identity_->key.sign(blob_statement(receipt)));
  ++counters_->receipts;
  bringing_.reset();
  offered_.reset();
  finishing_ = false;
}

// --- the device fetches one ---

Status BlobExchange::on_want(const sync::v1::BlobWant& want, bool has_vault, Out& out) {
  const auto name = blob_name(want.sha256(), want.size(), want.record_id());
  if (!name || want.want() == 0) {
    return Error{ErrorCode::invalid_input, "file: a request out of its limits"};
  }
  const bool twice =
      (asked_ && asked_->want() == want.want()) || (sending_ && sending_->want() == want.want());
  if (twice) return Done{};
  if (asked_) return Error{ErrorCode::invalid_input, "file: asked before the last was answered"};
  sending_.reset();
  asked_ = want;
  auto job = std::make_unique<BlobLookUpJob>(session_, *name, Purpose::read, device_);
  job->has_vault = has_vault;
  job->want = want.want();
  out.jobs.push_back(std::move(job));
  return Done{};
}

void BlobExchange::looked_up(BlobLookUpJob& job, WallTime wall, MonotonicTime now, Out& out) {
  if (job.purpose == Purpose::bring) {
    if (job.failed || job.found == Found::unknown) {
      end(job.name, job.failed ? BlobEnd::OUTCOME_LATER : BlobEnd::OUTCOME_UNKNOWN,
          job.failed ? "the hub is busy" : "no record of yours names it", out);
      offered_.reset();
    } else if (job.found == Found::here) {
      kept(job.name, wall, out);
    } else {
      was_whole_ = job.is_whole;
      ask(std::move(*job.part), out);
    }
    return;
  }
  const sync::v1::BlobWant want = *std::exchange(asked_, std::nullopt);
  if (job.failed || job.found != Found::here) {
    const bool absent = job.failed || job.found == Found::absent;
    end(job.name, absent ? BlobEnd::OUTCOME_ABSENT : BlobEnd::OUTCOME_UNKNOWN,
        absent ? "not at the hub (yet)" : "no record of yours names it", out);
    out.frames.back().mutable_blob_end()->set_want(want.want());
    return;
  }
  auto sending = BlobSending::answer(want, job.name.size);
  if (!sending) {
    end(job.name, BlobEnd::OUTCOME_REFUSED, sending.error().detail, out);
    out.frames.back().mutable_blob_end()->set_want(want.want());
    return;
  }
  sending_ = std::move(*sending);
  fetched_ = job.name;
  send_pieces(now, out);
}

void BlobExchange::send_pieces(MonotonicTime now, Out& out) {
  while (sending_ && !reading_) {
    if (const auto chunk = sending_->needs()) {
      auto job = std::make_unique<BlobReadJob>(session_, *fetched_);
      job->chunk = *chunk;
      reading_ = true;
      out.jobs.push_back(std::move(job));
      return;
    }
    auto piece = sending_->next(now);
    if (!piece) return;
    ++counters_->pieces_sent;
    counters_->bytes_sent += piece->data().size();
    *out.frames.emplace_back().mutable_blob_piece() = std::move(*piece);
  }
}

void BlobExchange::read(BlobReadJob& job, MonotonicTime now, Out& out) {
  reading_ = false;
  // Another request came while the old one's chunk was being read.
  const bool wanted = sending_ && fetched_ == job.name && sending_->needs() == job.chunk;
  if (wanted && (job.failed || job.bytes.empty())) {
    end(job.name, BlobEnd::OUTCOME_ABSENT, "the hub cannot read it", out);
    out.frames.back().mutable_blob_end()->set_want(sending_->want());
    sending_.reset();
    return;
  }
  if (wanted) sending_->loaded(std::move(job.bytes), false);
  send_pieces(now, out);
}

// --- both ---

void BlobExchange::done(BlobJob& job, WallTime wall, MonotonicTime now, Out& out) {
  if (auto* look_up = dynamic_cast<BlobLookUpJob*>(&job)) {
    looked_up(*look_up, wall, now, out);
  } else if (auto* write = dynamic_cast<BlobWriteJob*>(&job)) {
    written(*write, out);
  } else if (auto* chunk = dynamic_cast<BlobReadJob*>(&job)) {
    read(*chunk, now, out);
  } else if (dynamic_cast<BlobBroughtJob*>(&job) != nullptr && offered_) {
    if (!job.failed) return kept(job.name, wall, out);
    end(job.name, BlobEnd::OUTCOME_LATER, "the hub could not store it", out);
    bringing_.reset();
    offered_.reset();
    finishing_ = false;
  }
}

void BlobExchange::add_brought(const BlobName& name, ChunkMap* held) const {
  if (!bringing_ || bringing_->name() != name) return;
  for (std::uint32_t chunk = 0; chunk < held->chunks(); ++chunk) {
    if (bringing_->pending().held(chunk)) held->hold(chunk);
  }
}

void BlobExchange::closed(Out& out) {
  if (!bringing_ || finishing_ || !touched_) return;
  // Behind the writes that are under way: what they hold is in the map as well.
  out.jobs.push_back(std::make_unique<BlobPauseJob>(
      session_, bringing_->name(), BlobStore::Part{bringing_->pending(), bringing_->begun()},
      was_whole_));
}

}  // namespace duhui::hub
