#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/ports/store.h"
#include "hub/store/sqlite/word_index.h"

namespace duhui::hub {

/// Enrolled devices on one connection.
class SqliteDeviceTable final : public DeviceTable {
 public:
  explicit SqliteDeviceTable(Database& database) : database_(database) {}

  Result<std::optional<DeviceRow>> get(const DeviceId& id) override;
  Result<std::vector<DeviceRow>> all() override;
  Status put(const DeviceRow& row) override;

 private:
  Database& database_;
};

}  // namespace duhui::hub
