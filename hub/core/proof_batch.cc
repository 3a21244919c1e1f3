#include "hub/core/proof_batch.h"

#include <algorithm>
#include <utility>

#include "duhui/store/v1/store.pb.h"
#include "duhui/sync/v1/op.pb.h"
#include "shared/sync/stamps.h"
#include "shared/sync/stream_chain.h"

namespace duhui::hub {
namespace {

bool is_excerpt(const store::v1::ProofBatch& batch) { return batch.ops_size() > 0; }

}  // namespace

RecordId OpenedProofBatch::record_of(std::size_t n) const {
  sync::v1::Op op;
  if (n >= ops.size() || ops[n].empty() ||
      !op.ParseFromArray(ops[n].data(), static_cast<int>(ops[n].size()))) {
    return {};
  }
  return RecordId::from_bytes(op.record_id()).value_or(RecordId{});
}

std::optional<OpenedProofBatch> open_proof_batch(PayloadCodec& codec,
                                                 const store::v1::ProofBatch& batch) {
  OpenedProofBatch opened;
  if (!is_excerpt(batch)) {
    auto raw = codec.unpack(
        {batch.encoding(), batch.dictionary(), batch.count(), batch.raw_bytes(), batch.payload()});
    if (!raw) return std::nullopt;
    opened.raw = std::make_shared<const std::string>(std::move(*raw));
    auto ops = PayloadCodec::split(*opened.raw, batch.count());
    if (!ops) return std::nullopt;
    opened.ops = std::move(*ops);
    opened.shown = opened.ops.size();
    for (const std::string_view op : opened.ops) opened.digests.push_back(sha256(op));
    return opened;
  }
  if (static_cast<std::uint32_t>(batch.ops_size()) != batch.count() || !batch.payload().empty())
    return std::nullopt;
  for (const store::v1::ProofOp& op : batch.ops()) {
    const auto digest = Digest::from_bytes(op.digest());
    if (op.op().empty() == !digest) return std::nullopt;  // one of both
    opened.ops.push_back(op.op());
    opened.digests.push_back(digest ? *digest : sha256(op.op()));
    if (!digest) ++opened.shown;
  }
  return opened;
}

ProofBatchCheck check_proof_batch(const ProofBatchQuestion& question) {
  const store::v1::ProofBatch& batch = question.batch;
  const OpenedProofBatch& opened = question.opened;
  ProofBatchCheck check;
  const auto fail = [&](std::string problem, std::size_t n) {
    check.problem = std::move(problem);
    check.seq = batch.first_seq() + n;
    check.record = opened.record_of(n);
    return check;
  };
  const auto origin = Origin::from_bytes(batch.origin());
  if (!origin || batch.count() == 0 || opened.digests.size() != batch.count()) {
    return fail("a batch without a place", 0);
  }
  const Dot last{*origin, batch.first_seq() + batch.count() - 1};
  const bool lone = batch.chain().empty();
  check.chain = std::string(question.chain_before);
  for (const Digest& digest : opened.digests) check.chain = extend_chain(check.chain, digest);
  if (!lone && check.chain != batch.chain()) return fail("the chain is broken", 0);
  if (question.device_key != nullptr &&
      (lone ||
       !verify(*question.device_key, batch_statement(last, batch.chain()), batch.signature()))) {
    return fail("the device's signature does not hold", 0);
  }
  store::v1::Stamps stamps;
  if (!stamps.ParseFromString(batch.stamps())) return fail("the hub's stamps cannot be read", 0);
  for (std::size_t n = 0; n < opened.ops.size(); ++n) {
    if (opened.ops[n].empty()) continue;
    if (!question.only_record.is_zero() && opened.record_of(n) != question.only_record) {
      return fail("an op of another record", n);
    }
    const Dot dot{*origin, batch.first_seq() + n};
    if (question.device_key == nullptr && question.hub_key != nullptr &&
        !verify(*question.hub_key, seal_statement(dot, opened.ops[n]),
                seal_of(stamps.runs(), dot.seq))) {
      return fail("the hub's seal does not hold", n);
    }
  }
  return check;
}

}  // namespace duhui::hub
