#include "hub/core/op_reader.h"

#include "shared/sync/stream_chain.h"

namespace duhui::hub {
namespace {

std::size_t bytes_of(const UnpackedBatch& batch) {
  return batch.raw.size() + batch.ops.size() * sizeof(std::string_view);
}

}  // namespace

void OpReader::keep(std::shared_ptr<const UnpackedBatch> batch) {
  const Key key{batch->origin, batch->first_seq + batch->ops.size() - 1};
  if (kept_.contains(key)) return;
  bytes_ += bytes_of(*batch);
  ages_.push_front(key);
  kept_[key] = {std::move(batch), ages_.begin()};
  while (bytes_ > bytes_max_ && ages_.size() > 1) {
    const auto oldest = kept_.find(ages_.back());
    bytes_ -= bytes_of(*oldest->second.batch);
    kept_.erase(oldest);
    ages_.pop_back();
  }
}

void OpReader::clear() {
  kept_.clear();
  ages_.clear();
  bytes_ = 0;
}

Result<std::shared_ptr<const UnpackedBatch>> OpReader::batch_at(HubTransaction& tx,
                                                                const Dot& dot) {
  // Keyed by last seq: the first key not below `dot` is the only candidate.
  const auto at = kept_.lower_bound(Key{dot.origin, dot.seq});
  if (at != kept_.end() && at->first.first == dot.origin &&
      at->second.batch->first_seq <= dot.seq) {
    ages_.splice(ages_.begin(), ages_, at->second.age);
    return at->second.batch;
  }
  DUHUI_TRY(row, tx.streams().batch_at(dot.origin, dot.seq));
  if (!row) return Error{ErrorCode::corrupt_data, "op " + to_string(dot) + ": no batch holds it"};
  auto batch = std::make_shared<UnpackedBatch>();
  batch->origin = row->origin;
  batch->first_seq = row->first_seq;
  batch->chain = row->chain;
  DUHUI_TRY(raw, codec_.unpack(
                     {row->encoding, row->dictionary, row->count, row->raw_bytes, row->payload}));
  batch->raw = std::move(raw);
  DUHUI_TRY(ops, PayloadCodec::split(batch->raw, row->count));
  batch->ops = std::move(ops);
  keep(batch);
  return std::shared_ptr<const UnpackedBatch>(batch);
}

Result<std::string> OpReader::op(HubTransaction& tx, const Dot& dot) {
  DUHUI_TRY(batch, batch_at(tx, dot));
  const std::uint64_t index = dot.seq - batch->first_seq;
  if (index >= batch->ops.size()) {
    return Error{ErrorCode::corrupt_data, "op " + to_string(dot) + ": not in its batch"};
  }
  return std::string(batch->ops[index]);
}

Result<RecordState> OpReader::load(HubTransaction& tx, const RecordRow& row) {
  RecordState state;
  for (const OpRef& ref : row.ops) {
    DUHUI_TRY(batch, batch_at(tx, ref.dot));
    const std::uint64_t index = ref.dot.seq - batch->first_seq;
    if (index >= batch->ops.size() ||
        !scratch_.ParseFromArray(batch->ops[index].data(),
                                 static_cast<int>(batch->ops[index].size()))) {
      return Error{ErrorCode::corrupt_data, "op " + to_string(ref.dot) + ": not parsable"};
    }
    auto applied = state.apply(ref.dot, scratch_, ref.stamp);
    if (!applied) return std::move(applied).error();
  }
  return state;
}

Result<std::optional<std::string>> OpReader::chain_at(HubTransaction& tx,
                                                      const StreamRow& stream,
                                                      std::uint64_t seq) {
  if (seq == 0) return std::optional<std::string>(empty_chain());
  if (seq > stream.head) return std::optional<std::string>{};
  if (seq == stream.head) return std::optional<std::string>(stream.chain);
  DUHUI_TRY(batch, batch_at(tx, Dot{stream.origin, seq}));
  if (seq == batch->first_seq + batch->ops.size() - 1)
    return std::optional<std::string>(batch->chain);
  std::string chain = empty_chain();
  if (batch->first_seq > 1) {
    DUHUI_TRY(before, tx.streams().batch_at(stream.origin, batch->first_seq - 1));
    if (!before) return Error{ErrorCode::corrupt_data, "stream: a batch is missing"};
    chain = before->chain;
  }
  for (std::uint64_t at = batch->first_seq; at <= seq; ++at) {
    chain = extend_chain(chain, batch->ops[at - batch->first_seq]);
  }
  return std::optional<std::string>(std::move(chain));
}

}  // namespace duhui::hub
