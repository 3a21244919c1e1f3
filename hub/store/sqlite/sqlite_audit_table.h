#pragma once

#include <vector>

#include "hub/ports/store.h"
#include "hub/store/sqlite/word_index.h"

namespace duhui::hub {

/// The audit log on one connection. Triggers in the schema refuse what this never does.
class SqliteAuditTable final : public AuditTable {
 public:
  explicit SqliteAuditTable(Database& database) : database_(database) {}

  Result<AuditHead> head() override;
  Status append(const AuditRow& row) override;
  Result<std::vector<AuditRow>> read(std::uint64_t after, std::uint32_t limit) override;
  Status add_checkpoint(const AuditCheckpoint& checkpoint) override;
  Result<std::vector<AuditCheckpoint>> checkpoints(std::uint64_t after,
                                                   std::uint32_t limit) override;

 private:
  Database& database_;
};

}  // namespace duhui::hub
