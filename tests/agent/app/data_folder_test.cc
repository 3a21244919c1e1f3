#include "agent/app/data_folder.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "agent/app/kept_file.h"
#include "agent/store/posix_file_system.h"
#include "shared/crypto/system_random.h"
#include "tests/agent/store/temporary_folder.h"

namespace duhui::agent {
namespace {

Ticket ticket() {
  SystemRandom random;
  Ticket made = mint_ticket(random);
  made.host = "hub.example";
  made.port = 7443;
  made.hub_pin = std::string(32, 'p');
  made.hub_key = std::string(32, 'k');
  made.scopes = {"org-430200/org-430202/zone-430202-1/sch-001"};
  return made;
}

class DataFolderTest : public testing::Test {
 protected:
  PosixFileSystem files_;
  SystemRandom random_;
  TemporaryFolder temporary_;
  DataFolder folder_{files_, temporary_.path() + "/a/b"};
};

TEST_F(DataFolderTest, KeepsTheDeviceThatATicketMade) {
  const Ticket given = ticket();
  const auto made = folder_.enrol(given, random_);
  ASSERT_TRUE(made);
  const auto loaded = folder_.load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->identity.id, made->identity.id);
  EXPECT_EQ(loaded->identity.key.public_key(), made->identity.key.public_key());
  EXPECT_TRUE(loaded->identity.ticket.starts_with(given.id + ":"));
  EXPECT_EQ(loaded->hub.host, "hub.example");
  EXPECT_EQ(loaded->hub.port, 7443);
  EXPECT_EQ(loaded->hub.pin, given.hub_pin);
  EXPECT_EQ(loaded->hub_key, given.hub_key);
  EXPECT_EQ(loaded->scopes, given.scopes);
}

TEST_F(DataFolderTest, NeverReplacesADeviceByAnother) {
  ASSERT_TRUE(folder_.enrol(ticket(), random_));
  const auto again = folder_.enrol(ticket(), random_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
}

TEST_F(DataFolderTest, TellsNoDeviceFromADamagedOne) {
  const auto none = folder_.load();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::not_found);
  ASSERT_TRUE(folder_.enrol(ticket(), random_));
  for (const char* name : {"/identity.json", "/identity.spare"}) {
    ASSERT_TRUE(folder_.write_file(folder_.path() + name, "{\"device_id\": 7"));
  }
  const auto damaged = folder_.load();
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::corrupt_data);
}

/// What can happen to a file.
using Accident = void (*)(const std::string& path);

void flip_a_byte(const std::string& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(0, std::ios::end);
  const auto middle = static_cast<std::streamoff>(file.tellg()) / 2;
  file.seekg(middle);
  const char byte = static_cast<char>(file.get() ^ 1);
  file.seekp(middle);
  file.put(byte);
}
void cut_in_half(const std::string& path) {
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
}
void remove_file(const std::string& path) { std::filesystem::remove(path); }

TEST_F(DataFolderTest, SurvivesAnyAccidentToAnyOneFile) {
  const auto made = folder_.enrol(ticket(), random_);
  ASSERT_TRUE(made);
  for (const char* name : {"identity.json", "identity.key", "identity.spare"}) {
    for (const Accident accident : {&flip_a_byte, &cut_in_half, &remove_file}) {
      accident(folder_.path() + "/" + name);
      const auto loaded = folder_.load();
      ASSERT_TRUE(loaded) << name << ": " << to_string(loaded.error());
      EXPECT_EQ(loaded->identity.id, made->identity.id);
      EXPECT_EQ(loaded->identity.key.public_key(), made->identity.key.public_key());
      EXPECT_EQ(loaded->identity.ticket, made->identity.ticket);
      EXPECT_EQ(loaded->scopes, made->scopes);
    }
  }
}

TEST_F(DataFolderTest, BeginsAnewWhereACrashLeftNothingButAKey) {
  ASSERT_TRUE(folder_.enrol(ticket(), random_));
  ASSERT_TRUE(files_.remove(folder_.path() + "/identity.json"));
  ASSERT_TRUE(files_.remove(folder_.path() + "/identity.spare"));
  const auto again = folder_.enrol(ticket(), random_);
  ASSERT_TRUE(again);
  EXPECT_EQ(folder_.load()->identity.key.public_key(), again->identity.key.public_key());
}

TEST_F(DataFolderTest, KeepsATextForTheOwnerOnly) {
  ASSERT_TRUE(folder_.enrol(ticket(), random_));
  KeptFile tries(folder_, folder_.tries_file());
  ASSERT_TRUE(tries.load());
  EXPECT_EQ(*tries.load(), "");
  ASSERT_TRUE(tries.save("first"));
  ASSERT_TRUE(tries.save("second"));
  EXPECT_EQ(*KeptFile(folder_, folder_.tries_file()).load(), "second");
  const auto permissions = std::filesystem::status(folder_.tries_file()).permissions();
  EXPECT_EQ(permissions & std::filesystem::perms::mask,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace duhui::agent
