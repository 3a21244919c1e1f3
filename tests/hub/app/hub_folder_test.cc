#include "hub/app/hub_folder.h"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace duhui::hub {
namespace {

class HubFolderTest : public ::testing::Test {
 protected:
  HubFolderTest() {
    std::string name = std::filesystem::temp_directory_path() / "duhui-hub-XXXXXX";
    path_ = ::mkdtemp(name.data());
    path_ += "/hub";
  }
  ~HubFolderTest() override {
    std::filesystem::remove_all(std::filesystem::path(path_).parent_path());
  }

  std::string path_;
  SeededRandom random_{1};
};

TEST_F(HubFolderTest, IsMadeOnceAndOpensAsTheSameHub) {
  ASSERT_TRUE(HubFolder::create(path_, "中心", random_));
  HubId id;
  Digest pin;
  {
    auto folder = HubFolder::open(path_);
    ASSERT_TRUE(folder) << folder.error().detail;
    EXPECT_EQ((*folder)->name(), "中心");
    id = (*folder)->id();
    pin = (*folder)->tls().pin;
  }
  EXPECT_EQ(HubFolder::create(path_, "x", random_).error().code, ErrorCode::conflict);
  auto again = HubFolder::open(path_);
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->id(), id);
  EXPECT_EQ((*again)->tls().pin, pin);
}

TEST_F(HubFolderTest, IsOpenInOneProcessAtATime) {
  ASSERT_TRUE(HubFolder::create(path_, "中心", random_));
  auto first = HubFolder::open(path_);
  ASSERT_TRUE(first);
  EXPECT_EQ(HubFolder::open(path_).error().code, ErrorCode::unavailable);
}

TEST_F(HubFolderTest, KeepsItsKeysFromOthers) {
  ASSERT_TRUE(HubFolder::create(path_, "中心", random_));
  for (const char* name : {"/hub.key", "/tls.key"}) {
    struct stat found {};
    ASSERT_EQ(::stat((path_ + name).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(HubFolderTest, KeepsItsKeysWhenTheDatabaseWasLost) {
  ASSERT_TRUE(HubFolder::create(path_, "中心", random_));
  const auto key = read_file(path_ + "/hub.key");
  const auto certificate = read_file(path_ + "/tls.crt");
  std::filesystem::remove(path_ + "/hub.db");
  ASSERT_TRUE(HubFolder::create(path_, "中心", random_));
  EXPECT_EQ(*read_file(path_ + "/hub.key"), *key);
  EXPECT_EQ(*read_file(path_ + "/tls.crt"), *certificate);
  EXPECT_TRUE(HubFolder::open(path_));
}

TEST_F(HubFolderTest, SaysWhenThereIsNoHub) {
  EXPECT_EQ(HubFolder::open(path_).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace duhui::hub
