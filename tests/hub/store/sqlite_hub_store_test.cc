#include "hub/store/sqlite/sqlite_hub_store.h"

#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <thread>

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "hub/store/sqlite/schema.h"
#include "tests/hub/store/store_fixture.h"

namespace duhui::hub {
namespace {

class SqliteStore : public testing::Test {
 protected:
  std::unique_ptr<SqliteHubStore> open(const SqliteHubStoreOptions& options = {}) {
    return value(SqliteHubStore::open(path_, options));
  }
  ErrorCode refusal() {
    const auto opened = SqliteHubStore::open(path_);
    EXPECT_FALSE(opened);
    return opened ? ErrorCode::invalid_input : opened.error().code;
  }
  static Status put(SqliteHubStore& store, const std::string& key, const std::string& text) {
    return store.write([&](HubTransaction& tables) { return tables.settings().put(key, text); });
  }
  static std::optional<std::string> get(SqliteHubStore& store, const std::string& key) {
    std::optional<std::string> text;
    EXPECT_TRUE(store.read([&](HubTransaction& tables) -> Status {
      text = value(tables.settings().get(key));
      return Done{};
    }));
    return text;
  }
  void sql(const std::string& statement) {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &raw), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(raw, statement.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);
  }
  void overwrite(std::uintmax_t offset, const std::string& bytes) {
    std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(offset));
    file << bytes;
    EXPECT_TRUE(file.good());
  }
  Status fill(SqliteHubStore& store, std::uint32_t from, std::uint32_t count) {
    return store.write([&](HubTransaction& tables) -> Status {
      for (std::uint32_t n = from; n < from + count; ++n)
        DUHUI_CHECK_OK(tables.records().put(record(n, "c/" + std::to_string(n % 9))));
      return Done{};
    });
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/hub.db";
};

TEST_F(SqliteStore, IsThereAgainAfterReopening) {
  ASSERT_TRUE(put(*open(), "epoch", "12"));
  auto again = open({.create = false});
  EXPECT_EQ(get(*again, "epoch"), "12");
  EXPECT_TRUE(again->verify());
}

TEST_F(SqliteStore, DoesNotMakeADatabaseWhenToldNotTo) {
  const auto opened = SqliteHubStore::open(path_, {.create = false});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::not_found);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SqliteStore, KeepsEveryCommitOfAProcessThatDies) {
  for (int life = 0; life < 5; ++life) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto store = SqliteHubStore::open(path_);
      if (!store) ::_exit(1);
      for (std::uint32_t n = 0;; ++n) {
        const auto done = (*store)->write([&](HubTransaction& tables) -> Status {
          const auto base = static_cast<std::uint32_t>(life * 1000 + 1);
          DUHUI_CHECK_OK(tables.records().put(record(base + n, "c")));
          DUHUI_CHECK_OK(tables.settings().put("newest", std::to_string(base + n)));
          if (n < 25) return Done{};
          DUHUI_CHECK_OK(tables.records().put(record(999'999, "half")));
          DUHUI_CHECK_OK(tables.records().find({}));  // on its way to the disk
          ::_exit(0);
        });
        if (!done || ::write(pipe_ends[1], "c", 1) != 1) ::_exit(2);
      }
    }
    ::close(pipe_ends[1]);
    std::uint32_t told = 0;
    for (char byte = 0; ::read(pipe_ends[0], &byte, 1) == 1;) ++told;
    ::close(pipe_ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    ASSERT_EQ(told, 25u);

    auto store = open();
    EXPECT_EQ(get(*store, "newest"), std::to_string(life * 1000 + 25));
    EXPECT_TRUE(store->read([&](HubTransaction& tables) -> Status {
      EXPECT_EQ(value(tables.records().walk("c", {}, 1000)).size(), 25u * (life + 1u));
      EXPECT_TRUE(value(tables.records().walk("half", {}, 10)).empty());
      return Done{};
    }));
    EXPECT_TRUE(store->verify());
  }
}

TEST_F(SqliteStore, ReadsOneSnapshotAndNeverWaitsForTheWriter) {
  auto store = open();
  ASSERT_TRUE(put(*store, "a", "1"));
  std::promise<void> changed;
  std::promise<void> looked;
  std::thread reader([&] {
    EXPECT_TRUE(store->read([&](HubTransaction& tables) -> Status {
      EXPECT_EQ(value(tables.settings().get("a")), "1");
      looked.set_value();
      changed.get_future().wait();
      EXPECT_EQ(value(tables.settings().get("a")), "1");
      return Done{};
    }));
  });
  looked.get_future().wait();
  EXPECT_TRUE(put(*store, "a", "2"));
  changed.set_value();
  reader.join();
  EXPECT_EQ(get(*store, "a"), "2");

  // While a write is under way, a read sees the last commit and returns.
  EXPECT_TRUE(store->write([&](HubTransaction& tables) -> Status {
    DUHUI_CHECK_OK(tables.settings().put("a", "3"));
    std::thread([&] { EXPECT_EQ(get(*store, "a"), "2"); }).join();
    return Done{};
  }));
}

TEST_F(SqliteStore, ServesMoreReadersThanItHasConnections) {
  auto store = open({.readers_max = 2});
  ASSERT_TRUE(put(*store, "a", "1"));
  std::vector<std::thread> readers;
  for (int n = 0; n < 8; ++n) {
    readers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) EXPECT_EQ(get(*store, "a"), "1");
    });
  }
  for (auto& reader : readers) reader.join();
}

TEST_F(SqliteStore, LeavesADamagedFileAsItIs) {
  for (const std::string& content :
       {std::string(), std::string(8192, 'x'), std::string("SQLite")}) {
    std::ofstream(path_, std::ios::binary) << content;
    EXPECT_EQ(refusal(), ErrorCode::corrupt_data) << content.size();
    EXPECT_EQ(std::filesystem::file_size(path_), content.size());
    std::filesystem::remove(path_);
  }
}

TEST_F(SqliteStore, ReportsALogWithoutItsDatabase) {
  { ASSERT_TRUE(put(*open(), "a", "1")); }
  std::filesystem::rename(path_, path_ + ".gone");
  std::ofstream(path_ + "-wal") << "something";
  EXPECT_EQ(refusal(), ErrorCode::corrupt_data);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SqliteStore, RefusesTablesOfANewerProgramAndForeignDatabases) {
  open();
  sql("PRAGMA user_version=99");
  EXPECT_EQ(refusal(), ErrorCode::refused);
  sql("PRAGMA user_version=1; PRAGMA application_id=7");
  EXPECT_EQ(refusal(), ErrorCode::corrupt_data);
}

TEST_F(SqliteStore, FinishesASchemaThatWasOnlyBegun) {
  sql("PRAGMA application_id=" + std::to_string(kApplicationId));
  EXPECT_TRUE(put(*open(), "a", "1"));
}

TEST_F(SqliteStore, FindsDamageInThePages) {
  { ASSERT_TRUE(fill(*open(), 1, 5000)); }
  const auto size = std::filesystem::file_size(path_);
  ASSERT_GT(size, 200'000u);
  for (std::uintmax_t page = 30; page < 40; ++page) overwrite(page * 4096, std::string(64, '\xff'));
  auto store = open();
  const auto verified = store->verify();
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ErrorCode::corrupt_data);
  const auto read = store->read([](HubTransaction& tables) -> Status {
    DUHUI_TRY(rows, tables.records().find({.limit = 10'000}));
    return Error{ErrorCode::not_found, std::to_string(rows.size())};
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::corrupt_data);
}

TEST_F(SqliteStore, CopiesItselfWhileInUse) {
  auto store = open();
  ASSERT_TRUE(fill(*store, 1, 2000));
  const std::string copy = folder_.path() + "/copy.db";
  ASSERT_TRUE(store->backup_to(copy));
  ASSERT_TRUE(fill(*store, 3000, 10));   // after the copy: only in the original
  EXPECT_FALSE(store->backup_to(copy));  // never over an older backup
  EXPECT_FALSE(std::filesystem::exists(copy + ".part"));

  auto restored = value(SqliteHubStore::open(copy, {.create = false}));
  EXPECT_TRUE(restored->verify());
  EXPECT_TRUE(restored->read([](HubTransaction& tables) -> Status {
    EXPECT_EQ(value(tables.records().find({.limit = 9999})).size(), 2000u);
    return Done{};
  }));
  EXPECT_TRUE(fill(*restored, 5000, 1));
}

TEST_F(SqliteStore, FoldsTheLogBesideAWriter) {
  auto store = open();
  ASSERT_TRUE(fill(*store, 1, 3000));
  const auto before = std::filesystem::file_size(path_);
  ASSERT_TRUE(store->checkpoint());
  EXPECT_GT(std::filesystem::file_size(path_), before);
  EXPECT_TRUE(store->write([&](HubTransaction& tables) -> Status {
    DUHUI_CHECK_OK(tables.settings().put("a", "1"));
    return store->checkpoint();
  }));
  EXPECT_EQ(get(*store, "a"), "1");
}

TEST_F(SqliteStore, KeepsTheLogSmall) {
  auto store = open({.log_bytes_max = 1u << 20});
  for (std::uint32_t n = 0; n < 40; ++n) ASSERT_TRUE(fill(*store, 1 + n * 1000, 1000));
  EXPECT_LT(std::filesystem::file_size(path_ + "-wal"), 4u << 20);
}

TEST_F(SqliteStore, WaitsForAnotherProcessAndThenSaysBusy) {
  auto store = open({.busy_timeout_ms = 50});
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &raw), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(raw, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto busy = put(*store, "a", "1");
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().code, ErrorCode::unavailable);
  EXPECT_EQ(get(*store, "a"), std::nullopt);
  sqlite3_exec(raw, "COMMIT", nullptr, nullptr, nullptr);
  sqlite3_close(raw);
  EXPECT_TRUE(put(*store, "a", "1"));
}

TEST_F(SqliteStore, GoesOnAfterAFullDisk) {
  auto store = open({.bytes_max = 2u << 20});
  Status done = Done{};
  std::uint32_t kept = 0;
  for (; done && kept < 100; ++kept) {
    done = put(*store, "k" + std::to_string(kept), std::string(100'000, 'x'));
  }
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::storage_failed);
  EXPECT_EQ(get(*store, "k" + std::to_string(kept - 1)), std::nullopt);
  EXPECT_EQ(get(*store, "k0")->size(), 100'000u);
  EXPECT_TRUE(put(*store, "k0", "small"));
  EXPECT_TRUE(store->verify());
}

}  // namespace
}  // namespace duhui::hub
