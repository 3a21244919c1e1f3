#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/ports/store.h"
#include "hub/store/sqlite/word_index.h"

namespace duhui::hub {

/// Streams and their batches on one connection.
class SqliteStreamTable final : public StreamTable {
 public:
  explicit SqliteStreamTable(Database& database) : database_(database) {}

  Result<std::optional<StreamRow>> get(const Origin& origin) override;
  Result<std::vector<StreamRow>> of_device(const DeviceId& device) override;
  Status put(const StreamRow& row) override;
  Status add_batch(const BatchRow& row) override;
  Result<std::optional<BatchRow>> batch_at(const Origin& origin, std::uint64_t seq) override;
  Status restamp(const Origin& origin, std::uint64_t first_seq, std::string_view stamps) override;

 private:
  Database& database_;
};

}  // namespace duhui::hub
