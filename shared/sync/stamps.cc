#include "shared/sync/stamps.h"

namespace duhui {

OpStamp default_stamp(const sync::v1::Op& op) {
  return {.effective_ms = HybridClock::milliseconds_of(op.time().hlc()),
          .quality = sync::v1::TIME_QUALITY_GOOD,
          .rank = op.rank(),
          .at_hub = false,
          .proposal = false};
}

OpStamp stamp_of(const StampRuns& runs, std::uint64_t seq, const sync::v1::Op& op) {
  OpStamp stamp = default_stamp(op);
  for (const sync::v1::Stamp& run : runs) {
    if (seq < run.first_seq() || seq - run.first_seq() >= run.count()) continue;
    stamp.effective_ms += run.shift_ms();
    stamp.quality = run.quality();
    if (run.has_rank()) stamp.rank = run.rank();
    stamp.at_hub = run.at_hub();
    stamp.proposal = run.proposal();
    break;
  }
  return stamp;
}

std::uint64_t scope_checksum(std::uint64_t op_checksum, const OpStamp& stamp) {
  std::uint64_t mixed =
      static_cast<std::uint64_t>(stamp.effective_ms) * 16 + stamp.rank * 2 + (stamp.at_hub ? 1 : 0);
  if (stamp.proposal) mixed = ~mixed;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
  return op_checksum + (mixed ^ (mixed >> 31));
}

std::string_view seal_of(const StampRuns& runs, std::uint64_t seq) {
  for (const sync::v1::Stamp& run : runs) {
    if (run.first_seq() == seq && run.count() == 1) return run.seal();
  }
  return {};
}

void append_stamp(StampRuns* runs,
                  std::uint64_t seq,
                  const sync::v1::Op& op,
                  const OpStamp& stamp) {
  const OpStamp plain = default_stamp(op);
  if (stamp == plain) return;
  const std::int64_t shift = stamp.effective_ms - plain.effective_ms;
  const bool other_rank = stamp.rank != plain.rank;
  if (!runs->empty()) {
    sync::v1::Stamp& last = *runs->Mutable(runs->size() - 1);
    const bool same_rank =
        last.has_rank() == other_rank && (!other_rank || last.rank() == stamp.rank);
    if (last.first_seq() + last.count() == seq && last.shift_ms() == shift &&
        last.quality() == stamp.quality && last.at_hub() == stamp.at_hub &&
        last.proposal() == stamp.proposal && same_rank && last.seal().empty()) {
      last.set_count(last.count() + 1);
      return;
    }
  }
  sync::v1::Stamp* run = runs->Add();
  run->set_first_seq(seq);
  run->set_count(1);
  run->set_shift_ms(shift);
  run->set_quality(stamp.quality);
  if (other_rank) run->set_rank(stamp.rank);
  run->set_at_hub(stamp.at_hub);
  run->set_proposal(stamp.proposal);
}

}  // namespace duhui
