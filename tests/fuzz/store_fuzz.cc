// Any bytes where a device's database and journal were: the replica opens or says why not, and
// never crashes; a journal gives back every whole frame, whatever lies around it.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/keys.h"
#include "agent/core/replica.h"
#include "agent/store/journal_frame.h"
#include "shared/sync/stream_chain.h"
#include "tests/fuzz/input.h"
#include "tests/support/memory_store.h"

namespace duhui::agent {
namespace {

const ClockReading kClock{.wall = {1'760'000'000'000}, .monotonic = {1000}, .boot = 1};

RecordId record_id(char byte) {
  RecordId id;
  id.bytes.fill(byte);
  return id;
}

Intent intent_for(char record, bool creates) {
  Intent intent;
  intent.record = record_id(record);
  intent.type = 1;
  intent.creates = creates;
  if (creates) intent.scope = "city/school";
  intent.person = "wang";
  intent.writes = {{{3, {}}, std::string("\x1a\x01x")}};
  return intent;
}

/// A device's disk after three saves.
const MemoryDisk& good_disk() {
  static const MemoryDisk disk = [] {
    MemoryDisk made;
    MemoryKvStore store(made);
    MemoryJournal journal(made);
    SeededRandom random(1);
    auto replica = Replica::open(store, journal, random, kClock, false);
    for (const char record : {'a', 'b', 'c'}) {
      fuzz::require((*replica)->save({intent_for(record, true)}, kClock).has_value(),
                    "a device saves");
    }
    return made;
  }();
  return disk;
}

/// Overwrites one value, or adds one under a key of the device's own grammar.
void damage(MemoryDisk& disk, fuzz::Input& input) {
  const std::uint8_t what = input.byte();
  const std::string bytes(input.part());
  if (what % 8 < 5) {
    auto at = disk.values.begin();
    std::advance(at, what / 8 % disk.values.size());
    at->second = bytes;
  } else if (what % 8 == 5) {
    disk.values[keys::scope("city/school")] = bytes;
  } else if (what % 8 == 6) {
    disk.values[keys::record(record_id(static_cast<char>(what)))] = bytes;
  } else {
    MemoryDisk::JournalEntry entry = disk.journal.back();
    entry.dot.seq += what / 8 % 4;
    entry.op = bytes;
    entry.chain = extend_chain(entry.chain, bytes);
    disk.journal.push_back(entry);
  }
}

void use(MemoryDisk& disk, bool salvaged) {
  MemoryKvStore store(disk);
  MemoryJournal journal(disk);
  SeededRandom random(2);
  auto opened = Replica::open(store, journal, random, kClock, salvaged);
  if (!opened) return;
  Replica& replica = **opened;
  for (const char record : {'a', 'b', 'c'})
    static_cast<void>(replica.record(record_id(record)).has_value());
  static_cast<void>(replica.own_ops(1, 1 << 16, 10).has_value());
  static_cast<void>(replica.cursors());
  RecordId low, high;
  high.bytes.fill('\xff');
  static_cast<void>(replica.range_sum("city/school", low, high).has_value());
  const auto saved = replica.save({intent_for('n', true)}, kClock);
  static_cast<void>(replica.reincarnate(1).has_value());
  if (!saved || !replica.settle()) return;
  auto record = replica.record(record_id('n'));
  fuzz::require(record.has_value() && record->has_value(), "what was saved is there");
}

/// Between two good frames anything may lie: both come back unless their own bytes were taken.
void read_journal(std::string_view between) {
  const Dot first{Origin{}, 1};
  const Dot last{Origin{}, 2};
  const std::string chain(32, 'c');
  std::string bytes;
  append_frame(bytes, {first, "first", chain});
  bytes.append(between);
  append_frame(bytes, {last, "last", chain});
  bool first_seen = false;
  bool last_seen = false;
  const std::uint64_t damaged = read_frames(bytes, [&](const Journal::Entry& entry) {
    first_seen |= entry.dot == first && entry.op == "first";
    last_seen |= entry.dot == last && entry.op == "last";
  });
  fuzz::require(first_seen, "a whole frame at the front is read");
  // Bytes that begin a frame may claim the last one as their own; then its checksum must hold.
  fuzz::require(last_seen || damaged == 0, "a whole frame behind damage is read");
  fuzz::require(!between.empty() || damaged == 0, "no damage where there is none");
}

void run(fuzz::Input input) {
  const bool salvaged = input.byte() % 2 == 1;
  read_journal(input.part());
  MemoryDisk disk = good_disk();
  for (int n = 0; n < 6 && !input.empty(); ++n) damage(disk, input);
  use(disk, salvaged);
}

}  // namespace
}  // namespace duhui::agent

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  duhui::agent::run(duhui::fuzz::Input(bytes, size));
  return 0;
}
