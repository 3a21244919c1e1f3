#include "agent/store/agent_store.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agent/store/posix_file_system.h"
#include "tests/agent/store/script_device.h"
#include "tests/agent/store/temporary_folder.h"
#include "tests/support/faulty_file_system.h"

namespace duhui::agent {
namespace {

using Effect = FaultyFileSystem::Effect;
using Outcome = OpenReport::Outcome;

constexpr std::uint64_t kReserve = 300'000;

AgentStoreOptions options() {
  return {.now = {1'700'000'000'000},
          .database = {.write_buffer_bytes = 64 * 1024, .compaction = Compaction::between_calls},
          .journal = {.segment_bytes = 8000},
          .reserve_bytes = kReserve};
}

std::uint64_t save_until_refused(ScriptDevice& device, std::uint64_t seed) {
  for (std::uint64_t saved = 0; saved < 100'000; ++saved) {
    if (!device.save(script_op(seed, saved))) return saved;
  }
  return 100'000;
}

TEST(AgentStore, LetsNobodyElseInWhileItIsOpen) {
  TemporaryFolder folder;
  PosixFileSystem files;
  const std::string path = folder.path() + "/agent";
  {
    auto first = open_agent_store(files, path, options());
    ASSERT_TRUE(first.has_value()) << to_string(first.error());
    auto second = open_agent_store(files, path, options());
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, ErrorCode::unavailable);
    EXPECT_NE(second.error().detail.find("another process"), std::string::npos);
    // Nor does a lost lock file let anybody set a living database aside.
    ASSERT_TRUE(files.remove(path + "/LOCK").has_value());
    second = open_agent_store(files, path, options());
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, ErrorCode::unavailable);
  }
  EXPECT_TRUE(open_agent_store(files, path, options()).has_value());
}

TEST(AgentStore, SaysWhetherTheFolderIsNew) {
  FaultyFileSystem disk;
  for (const Outcome outcome : {Outcome::created, Outcome::opened, Outcome::opened}) {
    auto opened = open_agent_store(disk, "agent", options());
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(opened->report.outcome, outcome);
    EXPECT_FALSE(opened->report.rebuilt());
  }
}

TEST(AgentStore, OnAFullDiskSavesOnFromTheReserveThenRefusesThenGoesOnWithoutRestart) {
  FaultyFileSystem disk;
  Ledger ledger;
  ScriptDevice device(disk, ledger, options());
  ASSERT_TRUE(device.start().has_value());
  ASSERT_TRUE(device.opened().reserve->held());
  for (std::uint64_t number = 0; number < 50; ++number) {
    ASSERT_TRUE(device.save(script_op(1, number)).has_value());
  }
  disk.set_capacity(disk.used_bytes() + 100);
  EXPECT_GT(save_until_refused(device, 2), 100u) << "the reserve was no help";
  EXPECT_FALSE(device.opened().reserve->held());
  EXPECT_FALSE(device.save("no room").has_value());

  disk.set_capacity(100'000'000);
  for (std::uint64_t number = 0; number < 200; ++number) {
    const auto saved = device.save(script_op(3, number));
    ASSERT_TRUE(saved.has_value()) << to_string(saved.error());
  }
  EXPECT_TRUE(device.opened().reserve->held());
  EXPECT_EQ(device.opened().store->health().commits_lost, 0u);
  EXPECT_EQ(device.check(), "");
  device.stop();
  ASSERT_TRUE(device.start().has_value());
  EXPECT_EQ(device.opened().report.outcome, Outcome::opened);
  EXPECT_EQ(device.check(), "");
}

TEST(AgentStore, StartsOnAFullDiskAndSavesWhenSpaceReturns) {
  FaultyFileSystem disk;
  Ledger ledger;
  ScriptDevice device(disk, ledger, options());
  ASSERT_TRUE(device.start().has_value());
  for (std::uint64_t number = 0; number < 300; ++number) {
    ASSERT_TRUE(device.save(script_op(1, number)).has_value());
  }
  device.stop();
  ASSERT_TRUE(disk.remove("agent/reserve").has_value());
  disk.set_capacity(disk.used_bytes());
  {
    auto opened = open_agent_store(disk, "agent", options());
    ASSERT_TRUE(opened.has_value()) << to_string(opened.error());
    EXPECT_EQ(opened->report.outcome, Outcome::waiting);
    EXPECT_EQ(opened->report.set_aside, "");
    EXPECT_FALSE(opened->store->get("head").has_value());
    disk.set_capacity(100'000'000);
    EXPECT_TRUE(opened->store->get("head").has_value());
  }
  ASSERT_TRUE(device.start().has_value());
  EXPECT_EQ(device.check(), "");
}

TEST(AgentStore, SurvivesADiskThatFailsForAWhileWithoutRestart) {
  std::uint64_t refused = 0;
  for (std::uint64_t round = 0; round < 300; ++round) {
    FaultyFileSystem disk;
    Ledger ledger;
    SeededRandom random(round);
    ScriptDevice device(disk, ledger, options());
    ASSERT_TRUE(device.start().has_value());
    disk.fail_calls(disk.calls() + random.below(200), 1 + random.below(100),
                    round % 2 == 0 ? Effect::none : Effect::first);
    for (std::uint64_t number = 0; number < 120; ++number) {
      refused += !device.save(script_op(round, number));
    }
    ASSERT_EQ(device.check(), "") << "round " << round;
    ASSERT_EQ(device.opened().store->health().commits_lost, 0u);
    device.stop();
    disk.restore_power(random);
    ASSERT_TRUE(device.start().has_value()) << "round " << round;
    ASSERT_EQ(device.check(), "") << "round " << round;
  }
  EXPECT_GT(refused, 0u) << "the faults were too mild to be felt";
}

TEST(AgentStore, StartsWithAnyOneFileUnreadable) {
  FaultyFileSystem before;
  Ledger ledger;
  ScriptDevice writer(before, ledger, options());
  ASSERT_TRUE(writer.start().has_value());
  for (std::uint64_t number = 0; number < 600; ++number) {
    ASSERT_TRUE(writer.save(script_op(1, number)).has_value());
  }
  writer.stop();
  const std::vector<std::string> paths = before.files_below("agent");
  ASSERT_GE(paths.size(), 8u);
  for (const std::string& path : paths) {
    FaultyFileSystem disk = before;
    Ledger same = ledger;
    disk.make_unreadable(path);
    ScriptDevice device(disk, same, options());
    const auto started = device.start();
    ASSERT_TRUE(started.has_value()) << path << ": " << to_string(started.error());
    EXPECT_EQ(device.check(), "") << path;
  }
}

TEST(AgentStore, KeepsThreeDamagedDatabasesAtMost) {
  FaultyFileSystem disk;
  for (int round = 0; round < 6; ++round) {
    ASSERT_TRUE(open_agent_store(disk, "agent", options()).has_value());
    ASSERT_TRUE(disk.remove("agent/db/CURRENT").has_value());
  }
  ASSERT_TRUE(open_agent_store(disk, "agent", options()).has_value());
  auto names = disk.list("agent");
  ASSERT_TRUE(names.has_value());
  std::erase_if(*names, [](const std::string& name) { return !name.starts_with("db.damaged-"); });
  EXPECT_EQ(*names, (std::vector<std::string>{"db.damaged-000004-1700000000000",
                                              "db.damaged-000005-1700000000000",
                                              "db.damaged-000006-1700000000000"}));
}

TEST(StorageBudget, RefusesPhotosBeforeText) {
  using Room = StorageBudget::Room;
  EXPECT_EQ(StorageBudget::room(StorageBudget::kPhotosNeed), Room::everything);
  EXPECT_EQ(StorageBudget::room(StorageBudget::kPhotosNeed - 1), Room::no_photos);
  EXPECT_EQ(StorageBudget::room(StorageBudget::kTextNeeds), Room::no_photos);
  EXPECT_EQ(StorageBudget::room(StorageBudget::kTextNeeds - 1), Room::nothing);
}

}  // namespace
}  // namespace duhui::agent
