#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/ports/journal.h"
#include "agent/ports/kv_store.h"

namespace duhui::agent {

/// What an agent has on its disk, without a disk. A value: copy it to take an image, assign it to
/// put an image back, copy it into a second agent to clone the device.
struct MemoryDisk {
  struct JournalEntry {
    Dot dot;
    std::string op;
    std::string chain;
  };
  /// The call reports storage_failed; whether its effect is there is the fault's secret.
  enum class Fault : std::uint8_t { not_applied, applied };

  std::map<std::string, std::string> values;
  /// What was there before each batch that no sync has followed yet, oldest first.
  std::deque<std::map<std::string, std::optional<std::string>>> before_unsynced;
  std::deque<JournalEntry> journal;

  std::optional<Fault> fail_next_commit;
  std::optional<Fault> fail_next_append;
  std::uint64_t damaged_ranges = 0;  // what the journal says of itself
  bool full = false;                 // commits and appends fail, reads and drops go on

  /// A power cut: the newest `batches` of the unsynced ones were never written.
  void lose_unsynced(std::size_t batches);
};

/// KvStore with the promises of the real one: what commit() accepted is there after any restart.
class MemoryKvStore final : public KvStore {
 public:
  /// `disk` must outlive the store; restarting an agent is making a new store on the same disk.
  explicit MemoryKvStore(MemoryDisk& disk) : disk_(disk) {}

  Result<std::optional<std::string>> get(std::string_view key) override;
  Status commit(const KvBatch& batch) override;
  Status commit_unsynced(const KvBatch& batch) override;
  Status scan(
      std::string_view prefix,
      std::string_view from,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) override;

 private:
  Status apply(const KvBatch& batch);

  MemoryDisk& disk_;
};

/// Journal with the promises of the real one. Drops exactly what it is told, not whole segments.
class MemoryJournal final : public Journal {
 public:
  explicit MemoryJournal(MemoryDisk& disk) : disk_(disk) {}

  Status append(const std::vector<Entry>& entries) override;
  Result<std::uint64_t> replay(const std::function<void(const Entry&)>& visit) override;
  Status drop_through(const Dot& through) override;

 private:
  MemoryDisk& disk_;
};

}  // namespace duhui::agent
