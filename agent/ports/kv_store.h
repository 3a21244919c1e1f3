#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/result.h"

namespace duhui::agent {

/// Puts and deletes that become visible and durable together, in order.
struct KvBatch {
  struct Change {
    std::string key;
    std::optional<std::string> value;  // absent: delete
  };
  std::vector<Change> changes;

  void put(std::string key, std::string value) {
    changes.push_back({std::move(key), std::move(value)});
  }
  void erase(std::string key) { changes.push_back({std::move(key), std::nullopt}); }
  bool empty() const { return changes.empty(); }
};

/// An ordered byte map on this device. Calls block; one thread at a time.
///
/// After any call returned `storage_failed` the outcome of a commit is unknown: the batch may or
/// may not be there. The implementation has then reopened (or will, at the next call) what is
/// really on disk; the caller forgets what it cached and reads again.
class KvStore {
 public:
  virtual ~KvStore() = default;

  /// Absent key: empty optional. Unreadable value: an Error, never "absent".
  virtual Result<std::optional<std::string>> get(std::string_view key) = 0;

  /// Returns only after the batch has survived an fsync.
  virtual Status commit(const KvBatch& batch) = 0;

  /// For what can be had again: visible at once, but a power cut may take it back, and with it
  /// every unsynced batch after it; never one before it, and nothing that commit() returned after.
  virtual Status commit_unsynced(const KvBatch& batch) = 0;

  /// Visits keys in [`from`, end of `prefix`) in order, from one consistent snapshot, until `visit`
  /// returns false. `from` empty: the start of the prefix. `visit` must not call the store.
  virtual Status scan(
      std::string_view prefix,
      std::string_view from,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) = 0;
};

}  // namespace duhui::agent
