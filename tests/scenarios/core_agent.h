#pragma once

#include <map>
#include <memory>
#include <string>

#include "agent/api/agent_api.h"
#include "agent/api/agent_records.h"
#include "agent/core/replica.h"
#include "agent/core/sync_session.h"
#include "shared/base/random.h"
#include "tests/support/memory_store.h"

namespace duhui::scenarios {

/// The shipped agent core and API on a disk in memory, with a clock of its own. One thread.
class CoreAgent {
 public:
  /// `time`: true time; outlives this.
  CoreAgent(std::string name,
            agent::DeviceIdentity identity,
            std::vector<std::string> scopes,
            std::uint64_t seed,
            const WallTime& time);

  /// The process starts, on the disk as it is.
  void start();

  ClockReading clock() const;
  agent::AgentApi& api() { return *api_; }
  agent::Replica& replica() { return *replica_; }
  agent::AgentRecords& records() { return *records_; }

  const std::string name;
  agent::DeviceIdentity identity;
  const std::vector<std::string> scopes;
  Duration offset{};
  agent::MemoryDisk disk;
  std::map<int, agent::MemoryDisk> images;  // after a step
  std::unique_ptr<agent::SyncSession> session;
  std::uint64_t link = 0;
  bool at_once = false;  // the session asked for another one
  std::string closed_because;

 private:
  const WallTime& time_;
  SeededRandom random_;
  std::unique_ptr<agent::MemoryKvStore> store_;
  std::unique_ptr<agent::MemoryJournal> journal_;
  std::unique_ptr<agent::Replica> replica_;
  std::unique_ptr<agent::AgentRecords> records_;
  std::unique_ptr<agent::AgentApi> api_;
};

}  // namespace duhui::scenarios
