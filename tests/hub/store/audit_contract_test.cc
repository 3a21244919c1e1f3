// What every HubStore must do with the audit log, and what SQLite itself refuses.

#include <string>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "hub/store/sqlite/sqlite_hub_store.h"
#include "tests/hub/store/hub_store_contract.h"

namespace duhui::hub {
namespace {

AuditRow entry(std::uint64_t seq) {
  return {.seq = seq,
          .entry = {.at = WallTime{1'760'000'000'000},
                    .actor = "u-1",
                    .device = "d",
                    .action = "ticket.create",
                    .target_type = "ticket",
                    .target_id = std::to_string(seq),
                    .outcome = "done",
                    .detail = std::string("a\0b", 3)},
          .chain = std::string(32, static_cast<char>('a' + seq))};
}

AuditCheckpoint checkpoint(std::uint64_t seq) {
  return {.seq = seq,
          .chain = entry(seq).chain,
          .at = WallTime{1'760'000'000'001},
          .signature = std::string(64, 's')};
}

class AuditContract : public HubStoreContract {
 protected:
  Status append(std::uint64_t seq) {
    return store_->write([&](HubTransaction& tables) { return tables.audit().append(entry(seq)); });
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, AuditContract, every_kind(), [](const auto& instance) {
  return instance.param.name;
});

TEST_P(AuditContract, KeepsEntriesInOrder) {
  read([](HubTransaction& tables) { EXPECT_EQ(value(tables.audit().head()), AuditHead{}); });
  write_then_see(
      [](HubTransaction& tables) -> Status {
        for (std::uint64_t seq = 1; seq <= 5; ++seq)
          DUHUI_CHECK_OK(tables.audit().append(entry(seq)));
        return Done{};
      },
      [](HubTransaction& tables) {
        EXPECT_EQ(value(tables.audit().head()), (AuditHead{5, entry(5).chain}));
        EXPECT_EQ(value(tables.audit().read(0, 2)), (std::vector{entry(1), entry(2)}));
        EXPECT_EQ(value(tables.audit().read(3, 9)), (std::vector{entry(4), entry(5)}));
        EXPECT_TRUE(value(tables.audit().read(5, 9)).empty());
        EXPECT_TRUE(value(tables.audit().read(~std::uint64_t{0}, 9)).empty());
      });
}

TEST_P(AuditContract, TakesNothingThatDoesNotFollow) {
  ASSERT_TRUE(append(1));
  for (const std::uint64_t seq : {0u, 1u, 3u}) EXPECT_FALSE(append(seq)) << seq;
  ASSERT_TRUE(append(2));
  const auto add = [&](std::uint64_t seq) {
    return store_->write(
        [&](HubTransaction& tables) { return tables.audit().add_checkpoint(checkpoint(seq)); });
  };
  EXPECT_FALSE(add(1));
  EXPECT_FALSE(add(3));
  EXPECT_TRUE(add(2));
  EXPECT_FALSE(add(2));
  read([](HubTransaction& tables) {
    EXPECT_EQ(value(tables.audit().checkpoints(0, 9)), std::vector{checkpoint(2)});
    EXPECT_TRUE(value(tables.audit().checkpoints(2, 9)).empty());
  });
}

TEST_P(AuditContract, ForgetsWhatATransactionThatFailsAppended) {
  EXPECT_FALSE(store_->write([](HubTransaction& tables) -> Status {
    DUHUI_CHECK_OK(tables.audit().append(entry(1)));
    return Error{ErrorCode::refused, "no"};
  }));
  EXPECT_TRUE(append(1));
  const auto done =
      store_->read([](HubTransaction& tables) { return tables.audit().append(entry(2)); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::refused);
}

TEST(SqliteAudit, RefusesEveryStatementThatChangesOrRemovesAnEntry) {
  TemporaryFolder folder;
  const std::string path = folder.path() + "/hub.db";
  {
    auto store = value(SqliteHubStore::open(path));
    ASSERT_TRUE(store->write([](HubTransaction& tables) -> Status {
      for (const std::uint64_t seq : {1u, 2u}) DUHUI_CHECK_OK(tables.audit().append(entry(seq)));
      return tables.audit().add_checkpoint(checkpoint(2));
    }));
  }
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
  for (const char* sql :
       {"UPDATE audit SET actor=x'00'", "DELETE FROM audit", "DELETE FROM audit WHERE seq=2",
        "INSERT OR REPLACE INTO audit SELECT 1,at,x'00',device,action,target_type,target_id,"
        "outcome,detail,chain FROM audit WHERE seq=2",
        "INSERT INTO audit SELECT 9,at,actor,device,action,target_type,target_id,outcome,detail,"
        "chain FROM audit WHERE seq=2",
        "UPDATE audit_checkpoint SET signature=x'00'", "DELETE FROM audit_checkpoint",
        "INSERT OR REPLACE INTO audit_checkpoint SELECT seq,x'00',at,signature FROM"
        " audit_checkpoint"}) {
    EXPECT_EQ(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_CONSTRAINT) << sql;
  }
  sqlite3_close(raw);
  auto store = value(SqliteHubStore::open(path));
  ASSERT_TRUE(store->read([](HubTransaction& tables) -> Status {
    EXPECT_EQ(value(tables.audit().read(0, 9)), (std::vector{entry(1), entry(2)}));
    return Done{};
  }));
}

TEST(SqliteAudit, ComesToADatabaseOfTheVersionBefore) {
  TemporaryFolder folder;
  const std::string path = folder.path() + "/hub.db";
  value(SqliteHubStore::open(path)).reset();
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
  EXPECT_EQ(
      sqlite3_exec(raw, "DROP TABLE audit; DROP TABLE audit_checkpoint; PRAGMA user_version=1",
                   nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(raw);
  auto store = value(SqliteHubStore::open(path));
  EXPECT_TRUE(store->write([](HubTransaction& tables) { return tables.audit().append(entry(1)); }));
}

}  // namespace
}  // namespace duhui::hub
