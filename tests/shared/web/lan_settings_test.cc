#include "shared/web/lan_settings.h"

#include <gtest/gtest.h>

namespace duhui::web {
namespace {

struct Read {
  LanSettings settings{};
  std::vector<std::string> problems{};
};

Read read(const std::string& text) {
  Read result;
  cli::SettingsFile file;
  add_lan_settings(&file, &result.settings);
  result.problems = file.read(text, "f");
  return result;
}

TEST(LanSettings, AreOffByDefault) {
  const Read result = read("");
  EXPECT_FALSE(result.settings.enabled);
  EXPECT_TRUE(check_lan(result.settings));
}

TEST(LanSettings, AreReadFromWhatTheyWrite) {
  LanSettings settings{.enabled = true,
                       .address = "192.168.1.7",
                       .port = 443,
                       .allowed_hosts = {"hub.school", "[fe80::1]:8443"}};
  cli::SettingsFile file;
  add_lan_settings(&file, &settings);
  const Read result = read(file.toml());
  EXPECT_TRUE(result.problems.empty());
  EXPECT_TRUE(result.settings.enabled);
  EXPECT_EQ(result.settings.address, settings.address);
  EXPECT_EQ(result.settings.port, 443);
  EXPECT_EQ(result.settings.allowed_hosts, settings.allowed_hosts);
}

TEST(LanSettings, NameEveryMistake) {
  for (const char* text : {"enabled = 1", "enabled = \"yes\"", "address = \"hub.school\"",
                           "address = \"\"", "address = \"192.168.1\"", "port = 70000",
                           "allowed_hosts = \"hub.school\"", "allowed_hosts = [1]",
                           "allowed_hosts = [\"*\"]", "allowed_hosts = [\"https://hub.school\"]",
                           "allowed_hosts = [\"a\", \"b/c\"]", "plain = true"}) {
    EXPECT_EQ(read("[lan]\n" + std::string(text) + "\n").problems.size(), 1u) << text;
  }
}

TEST(LanSettings, WantANameThatPeopleCanType) {
  LanSettings settings{.enabled = true};
  EXPECT_FALSE(check_lan(settings));
  settings.address = "::";
  EXPECT_FALSE(check_lan(settings));
  settings.allowed_hosts = {"hub.school"};
  EXPECT_TRUE(check_lan(settings));
  settings = {.enabled = true, .address = "192.168.1.7"};
  EXPECT_TRUE(check_lan(settings));
  EXPECT_EQ(lan_hosts(settings), std::vector<std::string>{"192.168.1.7"});
  settings.address = "fe80::7";
  EXPECT_EQ(lan_hosts(settings), std::vector<std::string>{"[fe80::7]"});
}

TEST(LanSettings, PlainHttpStaysOnThisMachine) {
  for (const char* address : {"127.0.0.1", "127.1.2.3"}) {
    EXPECT_TRUE(check_plain_address(address)) << address;
  }
  for (const char* address : {"0.0.0.0", "192.168.1.7", "::", "", "127.", "127.0.0.1.example",
                              "localhost", "128.0.0.1", "127.0.0.1 "}) {
    EXPECT_FALSE(check_plain_address(address)) << address;
  }
}

}  // namespace
}  // namespace duhui::web
