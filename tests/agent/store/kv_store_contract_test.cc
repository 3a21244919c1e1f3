#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "agent/store/leveldb_store.h"
#include "agent/store/posix_file_system.h"
#include "tests/agent/store/temporary_folder.h"
#include "tests/support/memory_store.h"

namespace duhui::agent {
namespace {

/// One place where a store lives on, however often the store on it is closed and opened again.
class StorePlace {
 public:
  virtual ~StorePlace() = default;
  virtual std::unique_ptr<KvStore> open() = 0;
};

class MemoryPlace final : public StorePlace {
 public:
  std::unique_ptr<KvStore> open() override { return std::make_unique<MemoryKvStore>(disk_); }

 private:
  MemoryDisk disk_;
};

class LevelDbPlace final : public StorePlace {
 public:
  explicit LevelDbPlace(Compaction compaction) : compaction_(compaction) {}
  std::unique_ptr<KvStore> open() override {
    auto store = LevelDbStore::open(files_, folder_.path() + "/db", reserve_,
                                    {.write_buffer_bytes = 64 * 1024, .compaction = compaction_});
    if (!store) ADD_FAILURE() << to_string(store.error());
    return store ? std::move(*store) : nullptr;
  }

 private:
  const Compaction compaction_;
  TemporaryFolder folder_;
  PosixFileSystem files_;
  DiskReserve reserve_{files_, folder_.path() + "/reserve", 4096};
};

struct Kind {
  const char* name;
  std::function<std::unique_ptr<StorePlace>()> make;
};

class KvStoreContract : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    place_ = GetParam().make();
    reopen();
  }
  void reopen() {
    store_.reset();
    store_ = place_->open();
    ASSERT_NE(store_, nullptr);
  }
  void commit(std::vector<KvBatch::Change> changes) {
    const auto done = store_->commit({std::move(changes)});
    ASSERT_TRUE(done.has_value()) << to_string(done.error());
  }
  std::optional<std::string> get(std::string_view key) {
    auto value = store_->get(key);
    if (!value) ADD_FAILURE() << to_string(value.error());
    return value ? *value : std::nullopt;
  }
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  Pairs scan(std::string_view prefix, std::string_view from, std::size_t max = 1000) {
    Pairs found;
    const auto done = store_->scan(prefix, from, [&](std::string_view key, std::string_view value) {
      found.emplace_back(key, value);
      return found.size() < max;
    });
    EXPECT_TRUE(done.has_value());
    return found;
  }

  std::unique_ptr<StorePlace> place_;
  std::unique_ptr<KvStore> store_;
};

TEST_P(KvStoreContract, ShowsWhatIsNotSyncedAndKeepsItThroughARestart) {
  const auto done = store_->commit_unsynced({{{"a", "1"}, {"b", "2"}}});
  ASSERT_TRUE(done.has_value()) << to_string(done.error());
  EXPECT_EQ(get("a"), "1");
  reopen();
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("b"), "2");
}

TEST_P(KvStoreContract, SaysThatAnAbsentKeyIsAbsent) { EXPECT_EQ(get("nothing"), std::nullopt); }

TEST_P(KvStoreContract, KeepsEveryByteOfKeyAndValue) {
  const std::string key("\0\xff key", 6);
  const std::string value("a\0b\xff", 4);
  commit({{key, value}, {"", "of the empty key"}, {"empty", ""}});
  reopen();
  EXPECT_EQ(get(key), value);
  EXPECT_EQ(get(""), "of the empty key");
  EXPECT_EQ(get("empty"), "");
}

TEST_P(KvStoreContract, AppliesTheChangesOfABatchInOrder) {
  commit({{"a", "1"}, {"a", std::nullopt}, {"b", std::nullopt}, {"b", "2"}});
  EXPECT_EQ(get("a"), std::nullopt);
  EXPECT_EQ(get("b"), "2");
}

TEST_P(KvStoreContract, DeletesForGood) {
  commit({{"a", "1"}});
  commit({{"a", std::nullopt}});
  reopen();
  EXPECT_EQ(get("a"), std::nullopt);
  EXPECT_TRUE(scan("", "").empty());
}

TEST_P(KvStoreContract, AcceptsAnEmptyBatch) {
  commit({});
  EXPECT_TRUE(scan("", "").empty());
}

TEST_P(KvStoreContract, ScansOnePrefixInByteOrder) {
  commit({{"b/2", "2"}, {"a/9", "9"}, {"b/1", "1"}, {"b", "0"}, {"c/1", "x"}, {"b/\xff", "3"}});
  EXPECT_EQ(scan("b/", ""), (Pairs{{"b/1", "1"}, {"b/2", "2"}, {"b/\xff", "3"}}));
}

TEST_P(KvStoreContract, ScansEverythingForTheEmptyPrefix) {
  commit({{"", "0"}, {"a", "1"}, {"\xff\xff", "2"}});
  EXPECT_EQ(scan("", "").size(), 3u);
}

TEST_P(KvStoreContract, BeginsAScanWhereItIsTold) {
  commit({{"b/1", "1"}, {"b/2", "2"}, {"b/3", "3"}, {"c", "4"}});
  EXPECT_EQ(scan("b/", "b/2"), (Pairs{{"b/2", "2"}, {"b/3", "3"}}));
  EXPECT_EQ(scan("b/", "b/1x"), (Pairs{{"b/2", "2"}, {"b/3", "3"}}));
  EXPECT_EQ(scan("b/", "a").size(), 3u);
  EXPECT_TRUE(scan("b/", "c").empty());
}

TEST_P(KvStoreContract, EndsAScanWhenTheVisitorHasEnough) {
  commit({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  EXPECT_EQ(scan("", "", 2), (Pairs{{"a", "1"}, {"b", "2"}}));
}

TEST_P(KvStoreContract, KeepsManyGenerationsOfManyKeysOverReopening) {
  for (int round = 0; round < 30; ++round) {
    std::vector<KvBatch::Change> changes;
    for (int key = 0; key < 50; ++key) {
      changes.push_back({"key " + std::to_string(key),
                         std::string(200, 'x') + std::to_string(round * 100 + key)});
    }
    changes.push_back({"key 0", std::nullopt});
    commit(std::move(changes));
    if (round % 10 == 5) reopen();
  }
  const Pairs found = scan("key ", "");
  ASSERT_EQ(found.size(), 49u);
  for (const auto& [key, value] : found) {
    EXPECT_EQ(value, std::string(200, 'x') + std::to_string(2900 + std::stoi(key.substr(4))));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Stores,
    KvStoreContract,
    testing::Values(Kind{"Memory", [] { return std::make_unique<MemoryPlace>(); }},
                    Kind{"LevelDb",
                         [] { return std::make_unique<LevelDbPlace>(Compaction::on_a_thread); }},
                    Kind{"LevelDbWithoutThread",
                         [] { return std::make_unique<LevelDbPlace>(Compaction::between_calls); }}),
    [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace duhui::agent
