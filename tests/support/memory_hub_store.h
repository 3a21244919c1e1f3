#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "hub/ports/store.h"

namespace duhui::hub {

/// Everything a hub keeps, as plain maps. Copy it to have "the hub's folder of an hour ago".
struct MemoryHubState {
  using LinkKey = std::tuple<std::string, std::string, RecordId>;        // name, to, from
  using ConflictKey = std::tuple<RecordId, std::uint32_t, std::string>;  // record, field, key

  std::map<Origin, StreamRow> streams;
  std::map<std::pair<Origin, std::uint64_t>, BatchRow> batches;
  std::map<RecordId, RecordRow> records;
  std::set<std::pair<std::string, RecordId>> by_scope;
  std::set<LinkKey> links;
  std::map<std::string, FeedHead> feed_heads;
  std::map<std::pair<std::string, std::uint64_t>, FeedRow> feed;
  std::map<DeviceId, DeviceRow> devices;
  std::map<ConflictKey, ConflictRow> conflicts;
  std::map<Dot, QuarantineRow> quarantine;
  std::map<std::string, std::string> settings;
  std::map<std::uint64_t, AuditRow> audit;
  std::map<std::uint64_t, AuditCheckpoint> checkpoints;
};

/// The HubStore port in memory, for tests and the simulator; passes the same contract suite as the
/// real adapters. One thread. A transaction works on the state itself and keeps how to undo it, so
/// its cost does not grow with the state.
class MemoryHubStore final : public HubStore {
 public:
  MemoryHubStore();
  explicit MemoryHubStore(MemoryHubState state);
  ~MemoryHubStore() override;

  Status write(const std::function<Status(HubTransaction&)>& work) override;
  Status read(const std::function<Status(HubTransaction&)>& work) override;

  /// The newest commit. Copy it to restore it later; not during a transaction.
  const MemoryHubState& state() const;
  void restore(MemoryHubState state);

  /// The next write runs, and then fails with `error` instead of committing.
  void fail_next_commit(Error error) { next_commit_ = std::move(error); }
  std::uint64_t commits() const { return commits_; }

 private:
  class Tables;

  std::unique_ptr<Tables> tables_;
  std::optional<Error> next_commit_;
  std::uint64_t commits_ = 0;
};

}  // namespace duhui::hub
