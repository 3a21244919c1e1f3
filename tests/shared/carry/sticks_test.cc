#include "shared/carry/sticks.h"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace duhui {
namespace {

TEST(Sticks, AreReadFromMountinfoWithSpacesInTheirNames) {
  const auto mounts = parse_mounts(
      "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
      "23 22 0:20 / /proc rw - proc proc rw\n"
      "40 22 8:17 / /media/it/U\\040DISK\\134x rw,nosuid shared:2 master:3 - vfat /dev/sdb1 rw\n"
      "a line that makes no sense\n"
      "- - -\n"
      "41 22 8:18 / /nodash rw vfat /dev/sdb2 rw");
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(mounts[1].numbers, "8:17");
  EXPECT_EQ(mounts[1].path, "/media/it/U DISK\\x");
  EXPECT_EQ(mounts[1].device, "/dev/sdb1");
}

TEST(Sticks, OfTheSettingsAreThoseThatAreThere) {
  const std::string folder = ::testing::TempDir() + "stick";
  std::filesystem::create_directory(folder);
  bool found = false;
  for (const Stick& stick : find_sticks({folder, folder + "/not-there"})) {
    EXPECT_NE(stick.path, folder + "/not-there");
    if (stick.path != folder) continue;
    found = true;
    EXPECT_TRUE(stick.writable);
    EXPECT_GT(stick.free_bytes, 0u);
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace duhui
