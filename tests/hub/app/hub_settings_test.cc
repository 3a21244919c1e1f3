#include "hub/app/hub_settings.h"

#include <gtest/gtest.h>

namespace duhui::hub {
namespace {

TEST(HubSettings, HaveADefaultForEveryKey) {
  const auto read = read_settings("", "hub.toml");
  EXPECT_TRUE(read.problems.empty());
  EXPECT_EQ(read.settings.devices.port, 7443);
  EXPECT_EQ(read.settings.http.host, "127.0.0.1");
}

TEST(HubSettings, AreReadFromWhatTheyWrite) {
  HubSettings settings;
  settings.name = "株洲 \"市\"";
  settings.devices = {"10.0.0.5", 9000};
  settings.public_address = "hub.example:9000";
  settings.log_level = "warn";
  const auto read = read_settings(settings_file(settings).toml(), "hub.toml");
  ASSERT_TRUE(read.problems.empty()) << read.problems.front();
  EXPECT_EQ(read.settings.name, settings.name);
  EXPECT_EQ(read.settings.devices.text(), "10.0.0.5:9000");
  EXPECT_EQ(read.settings.public_address, settings.public_address);
  EXPECT_EQ(read.settings.log_level, "warn");
}

TEST(HubSettings, NameTheLineOfEveryMistake) {
  const auto read = read_settings(
      "[devices]\nlisen = \"a:1\"\nlisten = \"7443\"\nconnections_max = 0\n[log]\nlevel = "
      "\"loud\"\n[api]\nport = \"no\"\n",
      "/srv/hub.toml");
  const std::vector<std::string> wanted = {
      "hub.toml:2: devices.lisen: unknown setting",
      "hub.toml:3: devices.listen: host:port is wanted, not \"7443\"",
      "hub.toml:4: devices.connections_max: a whole number from 1 to 100000",
      "hub.toml:6: log.level: one of \"debug\", \"info\", \"warn\", \"error\", \"off\"",
      "hub.toml:8: api.port: unknown setting"};
  EXPECT_EQ(read.problems, wanted);
}

TEST(HubSettings, SayWhereTheTextIsNotToml) {
  const auto read = read_settings("name = \n", "f");
  ASSERT_EQ(read.problems.size(), 1u);
  EXPECT_TRUE(read.problems.front().starts_with("f:1: ")) << read.problems.front();
}

TEST(HubSettings, SayHowLongPeopleStaySignedIn) {
  const auto read = read_settings("[sign_in]\nidle = \"5m\"\nlife = \"8h\"\n", "hub.toml");
  EXPECT_TRUE(read.problems.empty());
  EXPECT_EQ(read.settings.sign_in.idle, minutes(5));
  EXPECT_EQ(read.settings.sign_in.life, hours(8));
  const auto wrong = read_settings("[sign_in]\nidle = \"25h\"\nlife = \"1m\"\n", "/srv/hub.toml");
  const std::vector<std::string> wanted = {
      "hub.toml:2: sign_in.idle: minutes or hours from \"1m\" to \"24h\", not \"25h\"",
      "hub.toml: sign_in.life: not shorter than sign_in.idle"};
  EXPECT_EQ(wrong.problems, wanted);
}

TEST(HubSettings, KeepTheApiOnThisMachine) {
  EXPECT_EQ(read_settings("[http]\nlisten = \"0.0.0.0:80\"\n", "f").problems.size(), 1u);
}

}  // namespace
}  // namespace duhui::hub
