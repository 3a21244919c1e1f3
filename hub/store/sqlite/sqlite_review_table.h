#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/ports/store.h"
#include "hub/store/sqlite/word_index.h"

namespace duhui::hub {

/// What waits for a person, on one connection.
class SqliteReviewTable final : public ReviewTable {
 public:
  explicit SqliteReviewTable(Database& database) : database_(database) {}

  Status set_conflicts(const RecordId& record, const std::vector<ConflictRow>& rows) override;
  Result<std::vector<ConflictRow>> conflicts(std::string_view scope_prefix,
                                             std::uint32_t limit) override;
  Status add_quarantine(const QuarantineRow& row) override;
  Status drop_quarantine(const Dot& dot) override;
  Result<std::vector<QuarantineRow>> quarantine(std::uint32_t limit) override;
  Result<std::vector<QuarantineRow>> quarantine_of(std::string_view kind,
                                                   std::uint32_t limit) override;
  Result<std::optional<QuarantineRow>> quarantined(const Dot& dot) override;

 private:
  Database& database_;
};

}  // namespace duhui::hub
