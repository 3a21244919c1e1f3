#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/core/replica.h"
#include "agent/core/sync_session.h"
#include "shared/base/random.h"
#include "shared/base/time.h"
#include "shared/sync/backoff.h"
#include "tests/support/memory_blob_store.h"
#include "tests/support/memory_store.h"

namespace duhui::sim {

/// One simulated device: the shipped agent core on a disk in memory, with a clock of its own.
struct SimAgent {
  SimAgent(std::uint32_t number_in_world, agent::DeviceIdentity who, std::uint64_t seed)
      : number(number_in_world), identity(std::move(who)), random(seed) {
    locked_files.locked = true;
  }

  const std::uint32_t number;
  std::string zone;  // what it may read and write, besides city/zone2
  agent::DeviceIdentity identity;
  SeededRandom random;

  agent::MemoryDisk disk;
  std::deque<agent::MemoryDisk> images;  // taken now and then, for putting back
  std::unique_ptr<agent::MemoryKvStore> store;
  std::unique_ptr<agent::MemoryJournal> journal;
  std::unique_ptr<agent::Replica> replica;  // null: the process is down
  std::unique_ptr<agent::SyncSession> session;
  std::uint64_t link = 0;  // 0: none
  Backoff backoff;
  std::int64_t timer_at = -1;
  std::int64_t connect_at = 0;
  std::int64_t offline_until = 0;

  Duration clock_offset{};
  std::uint32_t boot = 1;
  std::int64_t booted_at = 0;

  /// Texts that people on this device were told are saved, and that its disk must have.
  std::set<std::string> saved;
  /// Those of them that were typed while the vault could not be opened: nothing locks them.
  std::set<std::string> typed_in_the_open;
  /// Photos are files beside the database. Those that people were told are saved.
  MemoryBlobStore files;
  MemoryBlobStore locked_files;
  std::set<BlobName> photos;
  std::set<Digest> taken_in_the_open;
  std::set<BlobName> fetched;
  std::set<Digest> left;  // handed in, and never attached

  ClockReading clock(std::int64_t now) const {
    return {.wall = WallTime{now} + clock_offset, .monotonic = {now - booted_at}, .boot = boot};
  }
};

}  // namespace duhui::sim
