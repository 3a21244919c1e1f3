#pragma once

// What every HubStore must do, on the fake and on the real adapter: the fixture.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hub/store/sqlite/sqlite_hub_store.h"
#include "tests/hub/store/store_fixture.h"
#include "tests/support/memory_hub_store.h"

namespace duhui::hub {

/// One implementation of the port.
struct Kind {
  const char* name;
  std::function<std::unique_ptr<HubStore>(const std::string& folder)> make;
};

inline std::unique_ptr<HubStore> make_sqlite(const std::string& folder) {
  auto opened = SqliteHubStore::open(folder + "/hub.db");
  EXPECT_TRUE(opened) << (opened ? "" : to_string(opened.error()));
  return opened ? std::move(*opened) : nullptr;
}

class HubStoreContract : public testing::TestWithParam<Kind> {
 protected:
  HubStoreContract() : store_(GetParam().make(folder_.path())) {}

  void write(const std::function<Status(HubTransaction&)>& work) {
    const auto done = store_->write(work);
    EXPECT_TRUE(done) << (done ? "" : to_string(done.error()));
  }
  void read(const std::function<void(HubTransaction&)>& work) {
    const auto done = store_->read([&](HubTransaction& tables) -> Status {
      work(tables);
      return Done{};
    });
    EXPECT_TRUE(done) << (done ? "" : to_string(done.error()));
  }
  /// Every check in the transaction that wrote, and again after it.
  void write_then_see(const std::function<Status(HubTransaction&)>& work,
                      const std::function<void(HubTransaction&)>& see) {
    write([&](HubTransaction& tables) -> Status {
      DUHUI_CHECK_OK(work(tables));
      see(tables);
      return Done{};
    });
    read(see);
  }
  ErrorCode refusal_of(const std::function<Status(HubTransaction&)>& work) {
    const auto done = store_->write(work);
    EXPECT_FALSE(done);
    return done ? ErrorCode::invalid_input : done.error().code;
  }
  std::vector<RecordId> found(const RecordTable::Query& query) {
    std::vector<RecordId> ids;
    read([&](HubTransaction& tables) {
      for (const RecordRow& row : value(tables.records().find(query))) ids.push_back(row.id);
    });
    return ids;
  }

  TemporaryFolder folder_;
  std::unique_ptr<HubStore> store_;
};

inline auto every_kind() {
  return testing::Values(
      Kind{"Memory", [](const std::string&) { return std::make_unique<MemoryHubStore>(); }},
      Kind{"Sqlite", make_sqlite});
}

}  // namespace duhui::hub
