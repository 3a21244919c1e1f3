#include "tests/support/memory_store.h"

#include <algorithm>
#include <utility>

namespace duhui::agent {
namespace {

/// The fault set for this call, taken away so that it strikes once.
std::optional<MemoryDisk::Fault> take(std::optional<MemoryDisk::Fault>& fault) {
  return std::exchange(fault, std::nullopt);
}

Error no_space() { return {ErrorCode::storage_failed, "memory disk: no space left"}; }

Error injected() { return {ErrorCode::storage_failed, "memory disk: injected failure"}; }

}  // namespace

Result<std::optional<std::string>> MemoryKvStore::get(std::string_view key) {
  const auto found = disk_.values.find(std::string(key));
  if (found == disk_.values.end()) return std::optional<std::string>{};
  return std::optional<std::string>{found->second};
}

void MemoryDisk::lose_unsynced(std::size_t batches) {
  for (; batches > 0 && !before_unsynced.empty(); --batches) {
    for (auto& [key, value] : before_unsynced.back()) {
      if (value) {
        values[key] = std::move(*value);
      } else {
        values.erase(key);
      }
    }
    before_unsynced.pop_back();
  }
  before_unsynced.clear();
}

Status MemoryKvStore::commit(const KvBatch& batch) {
  auto done = apply(batch);
  // Also after a failure: the database is then opened again, and what is found there is written
  // anew.
  disk_.before_unsynced.clear();
  return done;
}

Status MemoryKvStore::commit_unsynced(const KvBatch& batch) {
  std::map<std::string, std::optional<std::string>> before;
  for (const KvBatch::Change& change : batch.changes) {
    const auto found = disk_.values.find(change.key);
    before.emplace(change.key,
                   found == disk_.values.end() ? std::nullopt : std::optional(found->second));
  }
  auto done = apply(batch);
  if (done) {
    disk_.before_unsynced.push_back(std::move(before));
  } else {
    disk_.before_unsynced.clear();
  }
  return done;
}

Status MemoryKvStore::apply(const KvBatch& batch) {
  if (disk_.full) return no_space();
  const auto fault = take(disk_.fail_next_commit);
  if (fault == MemoryDisk::Fault::not_applied) return injected();
  for (const KvBatch::Change& change : batch.changes) {
    if (change.value) {
      disk_.values[change.key] = *change.value;
    } else {
      disk_.values.erase(change.key);
    }
  }
  if (fault) return injected();
  return Done{};
}

Status MemoryKvStore::scan(
    std::string_view prefix,
    std::string_view from,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) {
  for (auto at = disk_.values.lower_bound(std::string(std::max(prefix, from)));
       at != disk_.values.end() && at->first.starts_with(prefix); ++at) {
    if (!visit(at->first, at->second)) break;
  }
  return Done{};
}

Status MemoryJournal::append(const std::vector<Entry>& entries) {
  if (disk_.full) return no_space();
  const auto fault = take(disk_.fail_next_append);
  if (fault == MemoryDisk::Fault::not_applied) return injected();
  for (const Entry& entry : entries) {
    disk_.journal.push_back(
        {.dot = entry.dot, .op = std::string(entry.op), .chain = std::string(entry.chain)});
  }
  if (fault) return injected();
  return Done{};
}

Result<std::uint64_t> MemoryJournal::replay(const std::function<void(const Entry&)>& visit) {
  for (const MemoryDisk::JournalEntry& entry : disk_.journal) {
    visit({.dot = entry.dot, .op = entry.op, .chain = entry.chain});
  }
  return disk_.damaged_ranges;
}

Status MemoryJournal::drop_through(const Dot& through) {
  std::erase_if(disk_.journal, [&](const MemoryDisk::JournalEntry& entry) {
    return entry.dot.origin == through.origin && entry.dot.seq <= through.seq;
  });
  return Done{};
}

}  // namespace duhui::agent
