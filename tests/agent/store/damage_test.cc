#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agent/store/posix_file_system.h"
#include "tests/agent/store/script_device.h"
#include "tests/agent/store/temporary_folder.h"

namespace duhui::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kOps = 600;
constexpr std::uint64_t kAcknowledged = 400;

AgentStoreOptions options() {
  return {.now = {1'700'000'000'000},
          .database = {.write_buffer_bytes = 64 * 1024, .compaction = Compaction::between_calls},
          .journal = {.segment_bytes = 8000},
          .reserve_bytes = 4096};
}

/// PosixFileSystem, with everything below one folder.
class FilesIn final : public FileSystem {
 public:
  explicit FilesIn(std::string root) : root_(std::move(root)) {}
  Result<std::unique_ptr<AppendFile>> open_to_append(const std::string& path,
                                                     Existing existing) override {
    return files_.open_to_append(at(path), existing);
  }
  Result<std::unique_ptr<ReadFile>> open_to_read(const std::string& path) override {
    return files_.open_to_read(at(path));
  }
  Result<std::optional<FileInfo>> info(const std::string& path) override {
    return files_.info(at(path));
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    return files_.list(at(path));
  }
  Status make_folder(const std::string& path) override { return files_.make_folder(at(path)); }
  Status remove(const std::string& path) override { return files_.remove(at(path)); }
  Status rename(const std::string& from, const std::string& to) override {
    return files_.rename(at(from), at(to));
  }
  Status sync_folder(const std::string& path) override { return files_.sync_folder(at(path)); }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    return files_.lock(at(path));
  }
  Result<std::uint64_t> free_bytes(const std::string& path) override {
    return files_.free_bytes(at(path));
  }

 private:
  std::string at(const std::string& path) const { return root_ + "/" + path; }

  const std::string root_;
  PosixFileSystem files_;
};

/// A data folder on the real disk with tables, a log and journal segments in it; the script was
/// killed, not stopped.
class Damage : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    ledger_ = new Ledger;
    FilesIn files(folder_->path() + "/before");
    fs::create_directory(folder_->path() + "/before");
    ScriptDevice device(files, *ledger_, options());
    ASSERT_TRUE(device.start().has_value());
    for (std::uint64_t number = 1; number <= kOps; ++number) {
      ASSERT_TRUE(device.save(script_op(7, number)).has_value());
      if (number == kAcknowledged) {
        ASSERT_TRUE(device.acknowledge().has_value());
      }
    }
    device.stop();
  }
  static void TearDownTestSuite() {
    delete folder_;
    delete ledger_;
  }

  /// Does `harm` to one file after the other, each in a fresh copy, and starts the agent on it.
  /// Returns how many files there were.
  static std::uint64_t for_each_file(const std::function<void(const fs::path&)>& harm) {
    std::uint64_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder_->path() + "/before")) {
      if (!entry.is_regular_file()) continue;
      ++count;
      const fs::path relative = fs::relative(entry.path(), folder_->path() + "/before");
      const fs::path copy = folder_->path() + "/copy";
      fs::remove_all(copy);
      fs::copy(folder_->path() + "/before", copy, fs::copy_options::recursive);
      harm(copy / relative);
      SCOPED_TRACE(relative.string());
      start_and_check(copy);
    }
    return count;
  }

  static void start_and_check(const fs::path& root) {
    FilesIn files(root);
    Ledger ledger = *ledger_;
    ScriptDevice device(files, ledger, options());
    const auto started = device.start();
    ASSERT_TRUE(started.has_value()) << to_string(started.error());
    // What the hub has acknowledged may be missing here: it comes back with the next sync.
    EXPECT_EQ(device.check(kAcknowledged), "") << device.opened().report.damage;
    EXPECT_TRUE(device.save("one more").has_value());
    device.stop();
    ASSERT_TRUE(device.start().has_value());
    EXPECT_EQ(device.opened().report.outcome, OpenReport::Outcome::opened);
    EXPECT_EQ(device.check(kAcknowledged), "");
  }

  static TemporaryFolder* folder_;
  static Ledger* ledger_;
};

TemporaryFolder* Damage::folder_ = nullptr;
Ledger* Damage::ledger_ = nullptr;

void flip(const fs::path& path, std::uint64_t offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  const char byte = static_cast<char>(file.get());
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(byte ^ 0x20));
}

TEST_F(Damage, TheAgentStartsWithoutAnyOneFile) {
  const std::uint64_t files = for_each_file([](const fs::path& path) { fs::remove(path); });
  EXPECT_GE(files, 8u);
}

TEST_F(Damage, TheAgentStartsWithAnyOneFileCutInHalf) {
  for_each_file([](const fs::path& path) { fs::resize_file(path, fs::file_size(path) / 2); });
}

TEST_F(Damage, TheAgentStartsWithAnyOneFileEmptied) {
  for_each_file([](const fs::path& path) { fs::resize_file(path, 0); });
}

TEST_F(Damage, TheAgentStartsWithOneByteFlippedAnywhere) {
  for (std::uint64_t place = 0; place < 16; ++place) {
    for_each_file([&](const fs::path& path) {
      const std::uint64_t size = fs::file_size(path);
      if (size > 0) flip(path, std::min(size - 1, size * place / 15));
    });
  }
}

TEST_F(Damage, ASalvageKeepsWhatItReplaced) {
  const fs::path copy = folder_->path() + "/copy";
  fs::remove_all(copy);
  fs::copy(folder_->path() + "/before", copy, fs::copy_options::recursive);
  fs::remove(copy / "agent/db/CURRENT");
  FilesIn files(copy);
  auto opened = open_agent_store(files, "agent", options());
  ASSERT_TRUE(opened.has_value());
  const OpenReport& report = opened->report;
  EXPECT_EQ(report.outcome, OpenReport::Outcome::salvaged);
  EXPECT_NE(report.damage.find("CURRENT is missing"), std::string::npos) << report.damage;
  EXPECT_EQ(report.set_aside, "agent/db.damaged-000001-1700000000000");
  EXPECT_TRUE(fs::exists(copy / report.set_aside));
  EXPECT_EQ(report.entries_damaged, 0u);
  EXPECT_GE(report.entries, kOps);
  // A missing CURRENT costs nothing at all.
  EXPECT_EQ(report.last_commit, opened->store->commit_number());
  EXPECT_FALSE(fs::exists(copy / "agent/db.copy"));
}

TEST_F(Damage, AReportNamesTheTableThatCouldNotBeRead) {
  const fs::path copy = folder_->path() + "/copy";
  fs::remove_all(copy);
  fs::copy(folder_->path() + "/before", copy, fs::copy_options::recursive);
  fs::path table;
  for (const auto& entry : fs::directory_iterator(copy / "agent/db")) {
    if (entry.path().extension() == ".ldb") table = entry.path();
  }
  ASSERT_FALSE(table.empty());
  fs::resize_file(table, 10);
  FilesIn files(copy);
  auto opened = open_agent_store(files, "agent", options());
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->report.outcome, OpenReport::Outcome::salvaged);
  ASSERT_FALSE(opened->report.unreadable.empty());
  EXPECT_NE(opened->report.unreadable.front().find("Table #"), std::string::npos);
}

}  // namespace
}  // namespace duhui::agent
