#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/ports/store.h"
#include "hub/store/sqlite/word_index.h"

namespace duhui::hub {

/// Small named values on one connection.
class SqliteSettingTable final : public SettingTable {
 public:
  explicit SqliteSettingTable(Database& database) : database_(database) {}

  Result<std::optional<std::string>> get(std::string_view key) override;
  Status put(std::string_view key, std::string_view value) override;
  Status erase(std::string_view key) override;
  Result<std::vector<std::pair<std::string, std::string>>> list(std::string_view prefix) override;

 private:
  Database& database_;
};

}  // namespace duhui::hub
