#pragma once

#include <nlohmann/json_fwd.hpp>

#include "agent/core/file_collection.h"
#include "agent/core/replica.h"
#include "agent/store/agent_store.h"
#include "shared/base/result.h"

namespace duhui::agent {

/// What an examination of the data folder found; `sound`: nothing is damaged or missing.
struct FsckReport {
  bool sound = true;
  std::uint64_t values = 0;   // in the database, each with the right checksum
  std::uint64_t own_ops = 0;  // in the own log
  std::uint64_t records = 0;
  std::uint64_t journal_entries = 0;
  std::uint64_t journal_damaged = 0;
  std::uint64_t unacknowledged_missing = 0;  // neither in the log nor in the journal
  FileCollection::Report files{};
  std::vector<std::string> problems{};
};

/// Reads every block, checks the chain of the own stream from its first held op to its head,
/// replays every record, looks for each unacknowledged op in the journal, and says which files are
/// there for nothing.
Result<FsckReport> examine(OpenedStore& opened, Replica& replica, FileCollection files);

nlohmann::json fsck_json(const FsckReport& report, const OpenReport& opened);

}  // namespace duhui::agent
