#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/ports/store.h"
#include "hub/store/sqlite/word_index.h"

namespace duhui::hub {

/// The change feeds of all scopes on one connection.
class SqliteFeedTable final : public FeedTable {
 public:
  explicit SqliteFeedTable(Database& database) : database_(database) {}

  Result<FeedHead> head(std::string_view scope) override;
  Status append(const FeedRow& row) override;
  Result<std::vector<FeedRow>> read(std::string_view scope,
                                    std::uint64_t after,
                                    std::uint32_t limit) override;
  Result<std::uint64_t> first_kept(std::string_view scope) override;
  Status trim(std::string_view scope, std::uint64_t through) override;
  Result<std::vector<std::string>> scopes() override;

 private:
  Result<FeedHead> head_of(std::int64_t scope);

  Database& database_;
};

}  // namespace duhui::hub
