#include "hub/core/proof_reader.h"

#include <algorithm>
#include <utility>

#include "hub/core/proof_batch.h"
#include "hub/core/proof_writer.h"
#include "shared/base/bytes.h"
#include "shared/crypto/digest.h"
#include "shared/sync/stream_chain.h"

namespace duhui::hub {
namespace {

using store::v1::ProofFrame;
using store::v1::ProofManifest;

constexpr std::size_t kLengthBytes = 4;

}  // namespace

void ProofReader::tell(std::string problem) { tell(std::move(problem), {}, 0); }

void ProofReader::tell(std::string problem,
                       const Origin& origin,
                       std::uint64_t seq,
                       const RecordId& record) {
  if (!found_.fault) found_.fault = {std::move(problem), origin, seq, record};
}

Result<ProofFindings> ProofReader::run() {
  if (source_.size < kProofStart.size()) {
    tell("not a proof archive");
    return found_;
  }
  DUHUI_TRY(start, source_.read(0, kProofStart.size()));
  if (start != kProofStart) {
    tell("not a proof archive");
    return found_;
  }
  DUHUI_CHECK_OK(read_end());
  if (expected_ && found_.hub_key && *found_.hub_key != *expected_) return found_;
  // Without the signed list the frames are still read, to say where the damage begins.
  const auto end_fault = std::exchange(found_.fault, std::nullopt);
  if (!has_manifest_) frames_end_ = source_.size;
  DUHUI_CHECK_OK(read_frames());
  if (end_fault && (!faulty() || found_.fault->seq == 0)) found_.fault = end_fault;
  return found_;
}

Status ProofReader::read_end() {
  const std::uint64_t tail = kLengthBytes + kProofEnd.size();
  const std::string cut = "cut off: the signed list at the end is missing or damaged";
  if (source_.size < kProofStart.size() + tail) {
    tell(cut);
    return Done{};
  }
  DUHUI_TRY(trailer, source_.read(source_.size - tail, static_cast<std::size_t>(tail)));
  const std::uint64_t length = read_big_endian_32(trailer);
  if (!trailer.ends_with(kProofEnd) || length > source_.size - tail - kProofStart.size()) {
    tell(cut);
    return Done{};
  }
  const std::uint64_t begin = source_.size - tail - length;
  DUHUI_TRY(bytes, source_.read(begin, static_cast<std::size_t>(length)));
  store::v1::ProofEnd end;
  if (!end.ParseFromString(bytes) || end.SerializeAsString() != bytes ||
      !manifest_.ParseFromString(end.manifest()) ||
      manifest_.SerializeAsString() != end.manifest()) {
    tell(cut);
    return Done{};
  }
  // The key is in the first frame, whose own hash the manifest holds.
  DUHUI_TRY(first, next_frame(kProofStart.size(), begin));
  ProofFrame part;
  if (first.empty() || !part.ParseFromString(first) || !part.has_head()) {
    tell("the first frame is damaged");
    return Done{};
  }
  found_.hub_key = PublicKey::from_bytes(part.head().hub_key());
  const auto key = expected_ ? expected_ : found_.hub_key;
  if (!key || !verify(*key, proof_statement(end.manifest()), end.signature())) {
    tell(expected_ && found_.hub_key && *found_.hub_key != *expected_
             ? "signed by another hub than the key given says"
             : "the hub's signature of the list at the end does not hold");
    return Done{};
  }
  frames_end_ = begin;
  has_manifest_ = true;
  return Done{};
}

/// Empty: there is none.
Result<std::string> ProofReader::next_frame(std::uint64_t offset, std::uint64_t end) {
  if (end - offset < kLengthBytes) return std::string();
  DUHUI_TRY(prefix, source_.read(offset, kLengthBytes));
  const std::uint64_t length = read_big_endian_32(prefix);
  if (length == 0 || length > kProofFrameMax || length > end - offset - kLengthBytes)
    return std::string();
  return source_.read(offset + kLengthBytes, static_cast<std::size_t>(length));
}

Status ProofReader::read_frames() {
  const auto listed = static_cast<std::size_t>(manifest_.frames_size());
  std::uint64_t offset = kProofStart.size();
  while (!faulty() && (!has_manifest_ || frames_ < listed)) {
    DUHUI_TRY(bytes, next_frame(offset, frames_end_));
    if (has_manifest_) {
      const ProofManifest::Frame& told = manifest_.frames(static_cast<int>(frames_));
      if (bytes.empty() || sha256(bytes).view() != told.sha256()) {
        name_fault(told, bytes);
        return Done{};
      }
    }
    ProofFrame part;
    if (bytes.empty() || !part.ParseFromString(bytes)) break;
    take(part);
    ++frames_;
    offset += kLengthBytes + bytes.size();
  }
  if (faulty() || !has_manifest_) return Done{};
  end_stream();
  if (offset != frames_end_) tell("something stands between the last frame and the signed list");
  compare_counts();
  return Done{};
}

void ProofReader::compare_counts() {
  if (found_.streams != manifest_.streams() || found_.batches != manifest_.batches() ||
      found_.ops != manifest_.ops()) {
    tell("the counts of the signed list are not those of the archive");
  }
  if (found_.hub.view() != manifest_.hub_id() || found_.made_at.ms != manifest_.made_at_ms() ||
      (manifest_.record_id().empty() ? !found_.record.is_zero()
                                     : found_.record.view() != manifest_.record_id())) {
    tell("the signed list belongs to another archive");
  }
  found_.records = manifest_.records();
}

void ProofReader::name_fault(const ProofManifest::Frame& told, std::string_view bytes) {
  const auto origin = Origin::from_bytes(told.origin()).value_or(Origin{});
  if (told.first_seq() == 0) {
    return tell(told.origin().empty() ? "the first frame was changed"
                                      : "what is told of a stream was changed",
                origin, 0);
  }
  ProofFrame part;
  if (!bytes.empty() && part.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) &&
      part.has_batch() && part.batch().origin() == told.origin() &&
      part.batch().first_seq() == told.first_seq()) {
    if (const auto opened = open_proof_batch(codec_, part.batch())) {
      const std::string_view marks = told.op_marks();
      for (std::size_t n = 0; n * kOpMarkBytes < marks.size(); ++n) {
        const std::uint64_t seq = told.first_seq() + n;
        if (n >= opened->digests.size()) return tell("an op is missing", origin, seq);
        if (opened->digests[n].view().substr(0, kOpMarkBytes) !=
            marks.substr(n * kOpMarkBytes, kOpMarkBytes)) {
          return tell("an op was changed", origin, seq, opened->record_of(n));
        }
      }
      return tell("what the batch says of its ops was changed", origin, told.first_seq(),
                  opened->record_of(0));
    }
  }
  tell("a batch was changed, removed or moved, and cannot be read", origin, told.first_seq());
}

void ProofReader::take(const ProofFrame& part) {
  switch (part.part_case()) {
    case ProofFrame::kHead:
      return take_head(part.head());
    case ProofFrame::kStream:
      return take_stream(part.stream());
    case ProofFrame::kBatch:
      return take_batch(part.batch());
    case ProofFrame::PART_NOT_SET:
      return tell("a frame of an unknown kind");
  }
}

void ProofReader::take_head(const store::v1::ProofHead& head) {
  const auto hub = HubId::from_bytes(head.hub_id());
  const auto record = RecordId::from_bytes(head.record_id());
  if (frames_ != 0 || !hub || (!record && !head.record_id().empty())) {
    return tell("the first frame is not what it should be");
  }
  found_.hub = *hub;
  found_.record = record.value_or(RecordId{});
  found_.made_at = {head.made_at_ms()};
  found_.hub_key = PublicKey::from_bytes(head.hub_key());
}

void ProofReader::take_stream(const store::v1::ProofStream& stream) {
  end_stream();
  const auto origin = Origin::from_bytes(stream.origin());
  const auto device = DeviceId::from_bytes(stream.device_id());
  if (faulty()) return;
  if (frames_ == 0 || !origin || !device) return tell("a stream without a name");
  stream_key_ = PublicKey::from_bytes(stream.public_key());
  if (!device->is_zero() && !stream_key_) return tell("a device without a key", *origin, 0);
  if (device->is_zero()) stream_key_.reset();
  stream_ = stream;
  chain_ = empty_chain();
  seq_ = 0;
  ++found_.streams;
}

void ProofReader::end_stream() {
  if (!stream_ || faulty()) return;
  if (stream_->head() != 0 && (stream_->head() != seq_ || stream_->chain() != chain_)) {
    tell("the stream ends before its newest op", *Origin::from_bytes(stream_->origin()), seq_ + 1);
  }
}

void ProofReader::take_batch(const store::v1::ProofBatch& batch) {
  if (!stream_ || batch.origin() != stream_->origin() || batch.first_seq() <= seq_) {
    return tell("a batch that belongs to no stream");
  }
  const Origin origin = *Origin::from_bytes(batch.origin());
  const bool lone = batch.chain().empty();
  if (!lone && batch.chain_before().empty() != found_.record.is_zero()) {
    return tell("a batch that stands alone", origin, batch.first_seq());
  }
  if (!lone && found_.record.is_zero() && batch.first_seq() != seq_ + 1) {
    return tell("an op is missing", origin, seq_ + 1);
  }
  const auto opened = open_proof_batch(codec_, batch);
  if (!opened) return tell("a batch that cannot be read", origin, batch.first_seq());
  const PublicKey* hub_key = expected_ ? &*expected_ : found_.hub_key ? &*found_.hub_key : nullptr;
  const ProofBatchCheck check = check_proof_batch(
      {.batch = batch,
       .opened = *opened,
       .chain_before = batch.chain_before().empty() ? chain_ : batch.chain_before(),
       .device_key = stream_key_ ? &*stream_key_ : nullptr,
       .hub_key = hub_key,
       .only_record = found_.record});
  if (!check.problem.empty()) return tell(check.problem, origin, check.seq, check.record);
  chain_ = check.chain;
  seq_ = batch.first_seq() + batch.count() - 1;
  ++found_.batches;
  found_.ops += opened->shown;
}

}  // namespace duhui::hub
