#include "hub/app/registry_files.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

namespace duhui::hub {
namespace {

class RegistryFiles : public ::testing::Test {
 protected:
  RegistryFiles() {
    std::string name = std::filesystem::temp_directory_path() / "duhui-registries-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~RegistryFiles() override { std::filesystem::remove_all(path_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(path_ + "/" + name) << text;
  }

  std::string path_;
};

TEST(SampleRegistries, AreAllOfWhatTheHubKeepsAndTheRestIsNamed) {
  const auto folder = read_registry_folder(DUHUI_TEST_DATA);
  ASSERT_TRUE(folder) << folder.error().detail;
  std::map<std::string, std::size_t> rows;
  for (const RegistryFile& file : folder->files) rows[file.name] = file.rows.size();
  EXPECT_EQ(rows["tasks.jsonl"], 100u);
  EXPECT_EQ(rows["sample_draws.json"], 1u);
  EXPECT_EQ(rows["indicators.csv"], 461u);
  std::map<std::string, std::string> skipped;
  for (const SkippedFile& file : folder->skipped) skipped[file.name] = to_string(file.reason);
  const std::map<std::string, std::string> expected = {{"agents.csv", "devices"},
                                                       {"complaints.jsonl", "records"},
                                                       {"consultation_letters.jsonl", "records"},
                                                       {"escalations.jsonl", "records"},
                                                       {"evaluations.jsonl", "records"},
                                                       {"expected_stats.json", "unknown"},
                                                       {"notices.jsonl", "records"},
                                                       {"problems.jsonl", "records"},
                                                       {"rechecks.jsonl", "records"},
                                                       {"responses.jsonl", "records"},
                                                       {"visits.jsonl", "records"}};
  EXPECT_EQ(skipped, expected);
}

TEST_F(RegistryFiles, AFileOfLinesMayHaveEmptyOnes) {
  write("tasks.jsonl", "{\"id\":\"task-1\"}\n\n{\"id\":\"task-2\"}\r\n");
  const auto folder = read_registry_folder(path_);
  ASSERT_TRUE(folder) << folder.error().detail;
  ASSERT_EQ(folder->files.size(), 1u);
  EXPECT_EQ(folder->files[0].rows.size(), 2u);
  EXPECT_EQ(folder->files[0].places[1], "line 3");
}

TEST_F(RegistryFiles, NamesTheLineThatIsNoJson) {
  write("tasks.jsonl", "{\"id\":\"task-1\"}\n{\"id\":\n");
  const auto folder = read_registry_folder(path_);
  ASSERT_FALSE(folder);
  EXPECT_TRUE(folder.error().detail.starts_with("tasks.jsonl: line 2: ")) << folder.error().detail;
}

TEST_F(RegistryFiles, AFolderWithoutRegistriesIsAMistake) {
  write("visits.jsonl", "");
  const auto folder = read_registry_folder(path_);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace duhui::hub
