// Storage work that only reads: feed pages, state walks, answers about forks and checksums.

#include <algorithm>

#include "duhui/store/v1/store.pb.h"
#include "hub/core/jobs.h"
#include "hub/core/vault_keepers.h"
#include "hub/core/vault_pages.h"
#include "shared/sync/frame_codec.h"
#include "shared/sync/limits.h"
#include "shared/sync/stamps.h"

namespace duhui::hub {
namespace {

constexpr std::uint32_t kFeedRowsAtOnce = 256;
constexpr std::uint32_t kWalkRecordsAtOnce = 128;

Result<StampRuns> stamps_of(const BatchRow& row) {
  store::v1::Stamps stamps;
  if (!row.stamps.empty() && !stamps.ParseFromString(row.stamps)) {
    return Error{ErrorCode::corrupt_data, "batch: stamps"};
  }
  return StampRuns(stamps.runs());
}

/// The stamps of `runs` that say something about [first, last].
void copy_stamps(const StampRuns& runs,
                 std::uint64_t first,
                 std::uint64_t last,
                 sync::v1::Batch* out) {
  for (const sync::v1::Stamp& run : runs) {
    if (run.first_seq() <= last && run.first_seq() + run.count() > first) *out->add_stamps() = run;
  }
}

using Runs = google::protobuf::RepeatedPtrField<sync::v1::Batch>;

/// For a device whose software is older than a packing.
Status repack(PayloadCodec& codec, const Packing& known, Runs* runs) {
  for (sync::v1::Batch& run : *runs) DUHUI_CHECK_OK(codec.repack(known, &run));
  return Done{};
}

Status repack(PayloadCodec& codec,
              const Packing& known,
              google::protobuf::RepeatedPtrField<sync::v1::WalkedRecord>* records) {
  for (sync::v1::WalkedRecord& record : *records) {
    DUHUI_CHECK_OK(repack(codec, known, record.mutable_runs()));
  }
  return Done{};
}

/// Ops [first, end) of one stream as they are stored; whole batches go out untouched.
Status pack_run(HubTransaction& tx,
                OpReader& ops,
                const Origin& origin,
                std::uint64_t first,
                std::uint64_t end,
                google::protobuf::RepeatedPtrField<sync::v1::Batch>* out) {
  for (std::uint64_t seq = first; seq < end;) {
    DUHUI_TRY(row, tx.streams().batch_at(origin, seq));
    if (!row) return Error{ErrorCode::corrupt_data, "feed: a batch is missing"};
    const std::uint64_t last = std::min<std::uint64_t>(end, row->first_seq + row->count) - 1;
    sync::v1::Batch* run = out->Add();
    run->set_origin(origin.str());
    run->set_first_seq(seq);
    DUHUI_TRY(stamps, stamps_of(*row));
    copy_stamps(stamps, seq, last, run);
    if (seq == row->first_seq && last == row->first_seq + row->count - 1) {
      run->set_count(row->count);
      run->set_encoding(row->encoding);
      run->set_dictionary(row->dictionary);
      run->set_raw_bytes(row->raw_bytes);
      run->set_payload(row->payload);
    } else {
      DUHUI_TRY(batch, ops.batch_at(tx, Dot{origin, seq}));
      const auto from = batch->ops.begin() + static_cast<std::ptrdiff_t>(seq - batch->first_seq);
      const std::vector<std::string_view> part(from,
                                               from + static_cast<std::ptrdiff_t>(last - seq + 1));
      ops.codec().pack(part, kEveryPacking, run);
    }
    seq = last + 1;
  }
  return Done{};
}

}  // namespace

void FeedJob::run(StorageContext& context) {
  const auto done = context.store.read([&](HubTransaction& tx) -> Status {
    pages.clear();
    std::size_t room = bytes_aim;
    for (const Want& want : wants) {
      if (room == 0) break;
      DUHUI_CHECK_OK(want.walk ? walk_page(tx, context, want, room)
                               : feed_page(tx, context, want, room));
    }
    return Done{};
  });
  if (!done) failed = done.error();
}

Status FeedJob::feed_page(HubTransaction& tx,
                          StorageContext& context,
                          const Want& want,
                          std::size_t& room) {
  DUHUI_TRY(kept_from, tx.feed().first_kept(want.scope));
  if (want.after + 1 < kept_from) {
    // Older than the retained feed: walk the state instead.
    Want walk = want;
    walk.walk = true;
    return walk_page(tx, context, walk, room);
  }
  DUHUI_TRY(head, tx.feed().head(want.scope));
  DUHUI_TRY(rows, tx.feed().read(want.scope, want.after, kFeedRowsAtOnce));
  sync::v1::Frame frame;
  sync::v1::FeedPage& page = *frame.mutable_feed_page();
  page.set_scope(want.scope);
  page.set_after(want.after);
  std::optional<VaultPages> locker;
  if (vault) locker.emplace(tx, context.ops, *vault, context.random);
  std::uint64_t through = want.after;
  std::uint64_t checksum = want.after == head.through ? head.checksum : 0;
  std::size_t bytes = 0;
  for (const FeedRow& row : rows) {
    if (bytes >= std::min(room, sync_limits::kPageRawBytesAim)) break;
    const std::uint64_t skip = through + 1 > row.first ? through + 1 - row.first : 0;
    const std::uint64_t first_seq = row.first_seq + skip;
    const std::uint64_t end_seq = row.first_seq + row.count;
    std::uint64_t held_from = end_seq;  // [held_from, held_end): the device has these
    std::uint64_t held_end = end_seq;
    if (row.origin == own_origin) {
      held_from = std::clamp(own_log_from, first_seq, end_seq);
      held_end = std::clamp(own_through + 1, held_from, end_seq);
    }
    const int before = page.runs_size();
    DUHUI_CHECK_OK(
        pack_run(tx, context.ops, row.origin, first_seq, held_from, page.mutable_runs()));
    DUHUI_CHECK_OK(pack_run(tx, context.ops, row.origin, held_end, end_seq, page.mutable_runs()));
    if (locker) DUHUI_CHECK_OK(locker->lock(page.mutable_runs(), before));
    std::size_t fresh = 0;
    for (int n = before; n < page.runs_size(); ++n) fresh += page.runs(n).payload().size() + 64;
    if (through > want.after && bytes + fresh > sync_limits::kPageBytesMax) {
      page.mutable_runs()->DeleteSubrange(before, page.runs_size() - before);
      break;  // the next page begins with it
    }
    bytes += fresh;
    through = row.first + row.count - 1;
    checksum = row.checksum_after;
  }
  DUHUI_CHECK_OK(repack(context.ops.codec(), packing, page.mutable_runs()));
  page.set_through(through);
  page.set_checksum(checksum);
  page.set_at_head(through == head.through);
  page.set_hub_time_ms(now.ms);
  room -= std::min(room, bytes + 64);
  pages.push_back({.scope = want.scope,
                   .frame = encode_frame(frame),
                   .through = through,
                   .at_head = page.at_head(),
                   .walking = false,
                   .walked_through = {}});
  return Done{};
}

Status pack_record(HubTransaction& tx,
                   OpReader& ops,
                   const RecordRow& row,
                   sync::v1::WalkedRecord* out) {
  out->set_record_id(row.id.str());
  for (const OpRef& ref : row.ops) {
    sync::v1::Batch* run = out->add_runs();
    run->set_origin(ref.dot.origin.str());
    run->set_first_seq(ref.dot.seq);
    DUHUI_TRY(bytes, ops.op(tx, ref.dot));
    sync::v1::Op op;
    if (!op.ParseFromString(bytes)) return Error{ErrorCode::corrupt_data, "op: not parsable"};
    ops.codec().pack({bytes}, kEveryPacking, run);
    append_stamp(run->mutable_stamps(), ref.dot.seq, op, ref.stamp);
    if (!ref.stamp.at_hub || run->stamps().empty()) continue;
    // The hub's own go with their seals: whoever holds them can bring them back.
    DUHUI_TRY(batch, tx.streams().batch_at(ref.dot.origin, ref.dot.seq));
    if (!batch) continue;
    DUHUI_TRY(stamps, stamps_of(*batch));
    run->mutable_stamps(0)->set_seal(std::string(seal_of(stamps, ref.dot.seq)));
  }
  return Done{};
}

Status FeedJob::walk_page(HubTransaction& tx,
                          StorageContext& context,
                          const Want& want,
                          std::size_t& room) {
  DUHUI_TRY(head, tx.feed().head(want.scope));
  const RecordId after = RecordId::from_bytes(want.walk_after).value_or(RecordId{});
  DUHUI_TRY(rows, tx.records().walk(want.scope, after, kWalkRecordsAtOnce));
  sync::v1::Frame frame;
  sync::v1::WalkPage& page = *frame.mutable_walk_page();
  page.set_scope(want.scope);
  page.set_after(after.str());
  std::size_t bytes = 0;
  RecordId through = after;
  std::size_t taken = 0;
  for (const RecordRow& row : rows) {
    if (bytes >= std::min(room, sync_limits::kPageRawBytesAim)) break;
    sync::v1::WalkedRecord* walked = page.add_records();
    DUHUI_CHECK_OK(pack_record(tx, context.ops, row, walked));
    if (vault)
      DUHUI_CHECK_OK(
          VaultPages(tx, context.ops, *vault, context.random).lock(walked->mutable_runs()));
    for (const sync::v1::Batch& run : walked->runs()) bytes += run.payload().size() + 64;
    through = row.id;
    ++taken;
  }
  const bool last = taken == rows.size() && rows.size() < kWalkRecordsAtOnce;
  DUHUI_CHECK_OK(repack(context.ops.codec(), packing, page.mutable_records()));
  page.set_through(through.str());
  page.set_last(last);
  page.set_hub_time_ms(now.ms);
  if (last) {
    page.set_continue_after(head.through);
    page.set_checksum(head.checksum);
  }
  room -= std::min(room, bytes + 64);
  pages.push_back({.scope = want.scope,
                   .frame = encode_frame(frame),
                   .through = last ? head.through : want.after,
                   .at_head = last,
                   .walking = !last,
                   .walked_through = through.str()});
  return Done{};
}

void VaultJob::run(StorageContext& context) {
  const auto done = context.store.read([&](HubTransaction& tx) -> Status {
    DUHUI_TRY(found, vault_of(tx, context.ops, context.hub_key, device));
    vault = std::move(found);
    return Done{};
  });
  if (!done) failed = done.error();
}

void QuestionJob::run(StorageContext& context) {
  const auto done = context.store.read([&](HubTransaction& tx) -> Status {
    answer.Clear();
    if (question.has_fork_probe()) return probe(tx, context);
    DUHUI_CHECK_OK(range(tx, context));
    return repack(context.ops.codec(), packing, answer.mutable_range_answer()->mutable_records());
  });
  if (!done) failed = done.error();
}

Status QuestionJob::probe(HubTransaction& tx, StorageContext& context) {
  DUHUI_TRY(stream, tx.streams().get(own_origin));
  std::uint64_t common = 0;
  if (stream) {
    for (const sync::v1::StreamHead& point : question.fork_probe().points()) {
      DUHUI_TRY(chain, context.ops.chain_at(tx, *stream, point.seq()));
      if (chain && *chain == point.chain()) common = std::max(common, point.seq());
    }
  }
  answer.mutable_fork_point()->set_common(common);
  return Done{};
}

Status QuestionJob::range(HubTransaction& tx, StorageContext& context) {
  const sync::v1::RangeRequest& asked = question.range_request();
  const auto low = RecordId::from_bytes(asked.low());
  const auto high = RecordId::from_bytes(asked.high());
  sync::v1::RangeAnswer& out = *answer.mutable_range_answer();
  out.set_scope(asked.scope());
  out.set_low(asked.low());
  out.set_high(asked.high());
  if (!low || !high || *high < *low) return Error{ErrorCode::invalid_input, "range: not ids"};
  std::vector<RecordRow> rows;
  RecordId after = *low;  // walk is exclusive: step one below, by hand for the first id
  DUHUI_TRY(first, tx.records().get(*low));
  if (first && first->scope == asked.scope()) rows.push_back(std::move(*first));
  for (;;) {
    DUHUI_TRY(some, tx.records().walk(asked.scope(), after, kWalkRecordsAtOnce));
    bool beyond = some.size() < kWalkRecordsAtOnce;
    for (RecordRow& row : some) {
      after = row.id;
      if (*high < row.id) {
        beyond = true;
        break;
      }
      rows.push_back(std::move(row));
    }
    if (beyond) break;
  }
  std::uint64_t checksum = 0;
  for (const RecordRow& row : rows) checksum += row.checksum;
  out.set_equal(checksum == asked.checksum() && rows.size() == asked.records());
  if (out.equal()) return Done{};
  if (rows.size() <= sync_limits::kRangeRecordsMax) {
    for (const RecordRow& row : rows)
      DUHUI_CHECK_OK(pack_record(tx, context.ops, row, out.add_records()));
    if (vault) {
      VaultPages pages(tx, context.ops, *vault, context.random);
      DUHUI_CHECK_OK(pages.lock(out.mutable_records()));
    }
    if (rows.size() == 1 || out.ByteSizeLong() <= sync_limits::kPageBytesMax) return Done{};
    out.clear_records();
  }
  // Split by our own records into equal parts that together cover the whole range.
  constexpr std::size_t kParts = 16;
  const std::size_t step = (rows.size() + kParts - 1) / kParts;
  RecordId from = *low;
  for (std::size_t at = 0; at < rows.size(); at += step) {
    const std::size_t end = std::min(rows.size(), at + step);
    sync::v1::RangeRequest* part = out.add_parts();
    part->set_low(from.str());
    part->set_high(end == rows.size() ? high->str() : rows[end - 1].id.str());
    std::uint64_t sum = 0;
    for (std::size_t n = at; n < end; ++n) sum += rows[n].checksum;
    part->set_checksum(sum);
    part->set_records(end - at);
    from = rows[end - 1].id;
    for (std::size_t byte = 16; byte-- > 0;) {  // the next id
      if (++from.bytes[byte] != 0) break;
    }
  }
  return Done{};
}

}  // namespace duhui::hub
