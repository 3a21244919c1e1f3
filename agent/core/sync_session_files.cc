// Files beside the records on the same link.

#include <utility>

#include "agent/core/sync_session.h"
#include "shared/merge/file_references.h"
#include "shared/merge/schema.h"
#include "shared/sync/frame_codec.h"
#include "shared/sync/locked_op.h"

namespace duhui::agent {
namespace {

/// Bytes of a file that the hub has seen since they were last told.
constexpr std::uint64_t kWorthTelling = 16 << 10;

}  // namespace

void SyncSession::perform(Status done, BlobExchange::Out out, std::vector<Effect>& effects) {
  for (const sync::v1::Frame& frame : out.frames) {
    Send send{encode_frame(frame), true};
    // Pieces were counted when they were made.
    if (!frame.has_blob_piece()) replica_.traffic().frame(ByteKind::file, send.frame.size());
    effects.push_back(std::move(send));
  }
  for (auto& [name, how] : out.fetched) {
    if (how) how = replica_.put_away_fetched(name);
    effects.push_back(FileFetched{name, std::move(how)});
  }
  if (!done) close(to_string(done.error()), effects);
}

void SyncSession::on_file_frame(const sync::v1::Frame& frame,
                                MonotonicTime now,
                                std::vector<Effect>& effects) {
  if (state_ != State::live || !exchange_) return;
  BlobExchange::Out out;
  Status done = exchange_->received(frame, now, out);
  perform(std::move(done), std::move(out), effects);
  if (!frame.has_blob_seen()) return;
  // Counted from each request of the hub.
  const std::uint64_t bytes = frame.blob_seen().bytes();
  if (bytes < file_told_) file_told_ = 0;
  if (bytes - file_told_ < kWorthTelling) return;
  file_told_ = bytes;
  effects.push_back(FileCarried{});
}

void SyncSession::pump_files(MonotonicTime now, std::vector<Effect>& effects) {
  if (state_ != State::live || !exchange_) return;
  BlobExchange::Out out;
  Status done = exchange_->pump(replica_.unacknowledged() != 0, now, out);
  perform(std::move(done), std::move(out), effects);
}

bool SyncSession::fetch(const BlobName& name, std::vector<Effect>& effects) {
  if (state_ != State::live || !exchange_) return false;
  BlobExchange::Out out;
  Status done = exchange_->fetch(name, out);
  perform(std::move(done), std::move(out), effects);
  return true;
}

void SyncSession::count_received(const sync::v1::Frame& frame, std::size_t bytes) {
  const bool of_file = frame.has_blob_want() || frame.has_blob_piece() || frame.has_blob_seen() ||
                       frame.has_blob_end();
  replica_.traffic().frame(of_file ? ByteKind::file : ByteKind::text, bytes);
}

void SyncSession::count_batch(const std::vector<Replica::OwnOp>& ops, std::size_t bytes) {
  // A thumbnail is larger; what is locked cannot be told apart.
  constexpr std::size_t kThumbnailMin = 512;
  std::uint64_t thumbnails = 0;
  for (const Replica::OwnOp& own : ops) {
    sync::v1::Op op;
    if (own.op.size() < kThumbnailMin || is_locked(own.op) || !op.ParseFromString(own.op)) continue;
    const RecordSchema* schema = Schema::instance().find(op.record_type());
    if (schema == nullptr) continue;
    for (const sync::v1::Write& write : op.writes()) {
      thumbnails += thumbnail_bytes(*schema->descriptor, write.value());
    }
  }
  Traffic& traffic = replica_.traffic();
  traffic.text_frame(bytes, thumbnails);
  ++traffic.counters().batches_sent;
  traffic.counters().ops_sent += ops.size();
}

void SyncSession::look_at_traffic(const ClockReading& clock, std::vector<Effect>& effects) {
  const bool open = state_ != State::closed;
  if (auto kept = replica_.traffic().look(clock, open); !kept) {
    close(to_string(kept.error()), effects);
  }
}

std::vector<Effect> SyncSession::link_down(const ClockReading& clock) {
  std::vector<Effect> effects;
  // What could not be kept is counted ahead, and kept with the next.
  const Status counted = replica_.traffic().look(clock, false);
  static_cast<void>(counted);
  if (!exchange_) return effects;
  BlobExchange::Out out;
  // What could not be kept comes again.
  const Status saved = exchange_->closed(out);
  static_cast<void>(saved);
  for (auto& [name, how] : out.fetched) effects.push_back(FileFetched{name, std::move(how)});
  exchange_.reset();
  return effects;
}

}  // namespace duhui::agent
