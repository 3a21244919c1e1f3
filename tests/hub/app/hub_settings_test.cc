#include "hub/app/hub_settings.h"

#include <gtest/gtest.h>

namespace duhui::hub {
namespace {

TEST(HubSettings, HaveADefaultForEveryKey) {
  const auto settings = parse_settings("", "hub.toml");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->devices.port, 7443);
  EXPECT_EQ(settings->http.host, "127.0.0.1");
}

TEST(HubSettings, AreReadFromWhatTheyWrite) {
  HubSettings settings;
  settings.name = "株洲 \"市\"";
  settings.devices = {"10.0.0.5", 9000};
  settings.public_address = "hub.example:9000";
  settings.log_level = "warn";
  const auto read = parse_settings(settings_text(settings), "hub.toml");
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->name, settings.name);
  EXPECT_EQ(read->devices.text(), "10.0.0.5:9000");
  EXPECT_EQ(read->public_address, settings.public_address);
  EXPECT_EQ(read->log_level, "warn");
}

TEST(HubSettings, RefuseWhatTheyDoNotKnowAndSayWhere) {
  EXPECT_EQ(parse_settings("\n[devices]\nlisen = \"a:1\"\n", "hub.toml").error().detail,
            "hub.toml:3: unknown key: devices.lisen");
  EXPECT_TRUE(
      parse_settings("[devices]\nlisten = \"7443\"\n", "f").error().detail.starts_with("f:2: "));
  EXPECT_TRUE(parse_settings("[log]\nlevel = \"loud\"\n", "f").error().detail.starts_with("f:2: "));
  EXPECT_TRUE(parse_settings("name = \n", "f").error().detail.starts_with("f:1: "));
  EXPECT_FALSE(parse_settings("[devices]\nconnections_max = 0\n", "f"));
}

TEST(HubSettings, KeepTheApiOnThisMachine) {
  EXPECT_FALSE(parse_settings("[http]\nlisten = \"0.0.0.0:80\"\n", "f"));
}

}  // namespace
}  // namespace duhui::hub
