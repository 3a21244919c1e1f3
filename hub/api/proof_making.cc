#include "hub/api/proof_making.h"

#include <utility>

#include "duhui/store/v1/store.pb.h"
#include "shared/sync/stream_chain.h"

namespace duhui::hub {
namespace {

constexpr std::size_t kBytesAim = 512 << 10;
constexpr std::uint32_t kRowsAtOnce = 1000;

/// The runs that say something of a shown op.
std::string stamps_of(const std::string& stored, const std::set<std::uint64_t>& shown) {
  store::v1::Stamps all, kept;
  if (!all.ParseFromString(stored)) return stored;
  for (const sync::v1::Stamp& run : all.runs()) {
    const auto at = shown.lower_bound(run.first_seq());
    if (at != shown.end() && *at < run.first_seq() + run.count()) *kept.add_runs() = run;
  }
  return kept.SerializeAsString();
}

store::v1::ProofBatch told_of(const BatchRow& row) {
  store::v1::ProofBatch batch;
  batch.set_origin(row.origin.str());
  batch.set_first_seq(row.first_seq);
  batch.set_count(row.count);
  // Ops that came back from devices have no chain here.
  if (row.chain != empty_chain()) batch.set_chain(row.chain);
  batch.set_signature(row.signature);
  batch.set_received_at_ms(row.received_at.ms);
  return batch;
}

}  // namespace

Result<std::unique_ptr<ProofMaking>> ProofMaking::begin(HubAccess& hub, const RecordId& record) {
  store::v1::ProofHead head;
  head.set_hub_id(hub.facts().id.str());
  head.set_hub_key(hub.key().public_key().str());
  head.set_hub_name(hub.facts().name);
  head.set_made_at_ms(hub.now().ms);
  if (!record.is_zero()) head.set_record_id(record.str());
  std::unique_ptr<ProofMaking> making(new ProofMaking(hub, head, !record.is_zero()));
  DUHUI_CHECK_OK(record.is_zero() ? making->plan_everything() : making->plan_record(record));
  return making;
}

Result<store::v1::ProofStream> ProofMaking::told_of(HubTransaction& tx, const Origin& origin) {
  store::v1::ProofStream stream;
  stream.set_origin(origin.str());
  DUHUI_TRY(row, tx.streams().get(origin));
  stream.set_device_id(row ? row->device.str() : DeviceId{}.str());
  if (!row || row->device.is_zero()) return stream;
  DUHUI_TRY(device, tx.devices().get(row->device));
  if (!device) return stream;
  stream.set_public_key(device->public_key);
  stream.set_device_name(device->name);
  for (const std::string& scope : device->scopes) stream.add_scopes(scope);
  stream.set_enrolled_at_ms(device->enrolled_at.ms);
  stream.set_revoked(device->revoked);
  return stream;
}

Status ProofMaking::plan_everything() {
  DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    parts_.clear();
    DUHUI_TRY(devices, tx.devices().all());
    devices.push_back(DeviceRow{});  // the zero device: the hub's own streams
    for (const DeviceRow& device : devices) {
      DUHUI_TRY(rows, tx.streams().of_device(device.id));
      for (const StreamRow& row : rows) {
        if (row.head == 0) continue;
        DUHUI_TRY(stream, told_of(tx, row.origin));
        stream.set_head(row.head);
        stream.set_chain(row.chain);
        parts_.push_back({.stream = std::move(stream)});
      }
    }
    return plan_lone_ops(tx);
  }));
  return count_records();
}

Status ProofMaking::plan_lone_ops(HubTransaction& tx) {
  std::set<Origin> known;
  for (const Part& part : parts_) known.insert(*Origin::from_bytes(part.stream.origin()));
  std::map<Origin, std::set<std::uint64_t>> lone;
  DUHUI_TRY(scopes, tx.feed().scopes());
  for (const std::string& scope : scopes) {
    for (std::uint64_t after = 0;;) {
      DUHUI_TRY(rows, tx.feed().read(scope, after, kRowsAtOnce));
      if (rows.empty()) break;
      for (const FeedRow& row : rows) {
        after = row.first + row.count - 1;
        if (known.contains(row.origin)) continue;
        for (std::uint32_t n = 0; n < row.count; ++n) lone[row.origin].insert(row.first_seq + n);
      }
    }
  }
  for (auto& [origin, seqs] : lone) {
    DUHUI_TRY(stream, told_of(tx, origin));
    parts_.push_back({.stream = std::move(stream), .lone = std::move(seqs)});
  }
  return Done{};
}

Status ProofMaking::count_records() {
  RecordTable::Query query;
  query.limit = kRowsAtOnce;
  for (bool more = true; more;) {
    if (hub_.stopping()) return Error{ErrorCode::unavailable, "proof: the hub stops"};
    DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
      DUHUI_TRY(rows, tx.records().find(query));
      records_ += rows.size();
      more = rows.size() == query.limit;
      if (!rows.empty()) query.after = rows.back().id;
      return Done{};
    }));
  }
  return Done{};
}

Status ProofMaking::plan_record(const RecordId& record) {
  records_ = 1;
  return hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    parts_.clear();
    DUHUI_TRY(row, tx.records().get(record));
    if (!row || row->ops.empty()) return Error{ErrorCode::not_found, "no such record"};
    std::map<Origin, std::map<std::uint64_t, std::set<std::uint64_t>>> shown;
    for (const OpRef& ref : row->ops) {
      DUHUI_TRY(batch, tx.streams().batch_at(ref.dot.origin, ref.dot.seq));
      if (!batch) return Error{ErrorCode::corrupt_data, to_string(ref.dot) + ": no batch holds it"};
      shown[ref.dot.origin][batch->first_seq].insert(ref.dot.seq);
    }
    for (auto& [origin, batches] : shown) {
      DUHUI_TRY(stream, told_of(tx, origin));
      parts_.push_back({.stream = std::move(stream), .shown = std::move(batches)});
    }
    return Done{};
  });
}

Result<std::string> ProofMaking::next() {
  std::string out;
  if (state_ == State::head) {
    out = writer_.begin();
    state_ = State::streams;
  }
  while (state_ == State::streams && out.size() < kBytesAim) {
    if (hub_.stopping()) return Error{ErrorCode::unavailable, "proof: the hub stops"};
    if (part_ == parts_.size()) {
      out += writer_.finish(records_);
      state_ = State::over;
    } else if (!part_begun_) {
      out += writer_.add(parts_[part_].stream);
      part_begun_ = true;
      seq_ = 0;
    } else {
      DUHUI_CHECK_OK(add_batch(&out));
    }
  }
  return out;
}

Status ProofMaking::add_batch(std::string* out) {
  const Part& part = parts_[part_];
  return hub_.read([&](HubTransaction& tx, OpReader& ops) -> Status {
    if (excerpt_) {
      const auto next = part.shown.upper_bound(seq_);
      if (next != part.shown.end()) return add_excerpt(tx, ops, next->first, next->second, out);
    } else if (!part.lone.empty()) {
      const auto next = part.lone.upper_bound(seq_);
      if (next != part.lone.end()) return add_whole(tx, ops, *next, out);
    } else if (seq_ < part.stream.head()) {
      return add_whole(tx, ops, seq_ + 1, out);
    }
    ++part_;
    part_begun_ = false;
    return Done{};
  });
}

Status ProofMaking::add_whole(HubTransaction& tx,
                              OpReader& ops,
                              std::uint64_t seq,
                              std::string* out) {
  const Dot dot{*Origin::from_bytes(parts_[part_].stream.origin()), seq};
  DUHUI_TRY(row, tx.streams().batch_at(dot.origin, dot.seq));
  if (!row) return Error{ErrorCode::corrupt_data, to_string(dot) + ": no batch holds it"};
  DUHUI_TRY(unpacked, ops.batch_at(tx, dot));
  store::v1::ProofBatch batch = hub::told_of(*row);
  batch.set_stamps(row->stamps);
  batch.set_encoding(row->encoding);
  batch.set_dictionary(row->dictionary);
  batch.set_raw_bytes(row->raw_bytes);
  batch.set_payload(row->payload);
  std::vector<Digest> digests;
  for (const std::string_view op : unpacked->ops) digests.push_back(sha256(op));
  *out += writer_.add(batch, digests, digests.size());
  seq_ = row->first_seq + row->count - 1;
  return Done{};
}

Status ProofMaking::add_excerpt(HubTransaction& tx,
                                OpReader& ops,
                                std::uint64_t first,
                                const std::set<std::uint64_t>& shown,
                                std::string* out) {
  const Dot dot{*Origin::from_bytes(parts_[part_].stream.origin()), first};
  DUHUI_TRY(row, tx.streams().batch_at(dot.origin, dot.seq));
  if (!row) return Error{ErrorCode::corrupt_data, to_string(dot) + ": no batch holds it"};
  DUHUI_TRY(unpacked, ops.batch_at(tx, dot));
  store::v1::ProofBatch batch = hub::told_of(*row);
  if (!batch.chain().empty()) {
    batch.set_chain_before(empty_chain());
    if (first > 1) {
      DUHUI_TRY(before, tx.streams().batch_at(dot.origin, first - 1));
      if (!before) return Error{ErrorCode::corrupt_data, to_string(dot) + ": a batch is missing"};
      batch.set_chain_before(before->chain);
    }
  }
  batch.set_stamps(stamps_of(row->stamps, shown));
  std::vector<Digest> digests;
  for (std::size_t n = 0; n < unpacked->ops.size(); ++n) {
    digests.push_back(sha256(unpacked->ops[n]));
    store::v1::ProofOp* op = batch.add_ops();
    if (shown.contains(first + n)) {
      op->set_op(std::string(unpacked->ops[n]));
    } else {
      op->set_digest(digests.back().str());
    }
  }
  *out += writer_.add(batch, digests, shown.size());
  seq_ = first;
  return Done{};
}

}  // namespace duhui::hub
