#include "shared/web/sign_in_settings.h"

#include <gtest/gtest.h>

namespace duhui::web {
namespace {

struct Read {
  api::SignInLimits limits{};
  std::vector<std::string> problems{};

  explicit Read(const std::string& text) {
    cli::SettingsFile file;
    add_sign_in_settings(&file, &limits);
    problems = file.read(text, "agent.toml");
  }
};

TEST(SignInSettings, TakesMinutesAndHours) {
  const Read read("[sign_in]\nidle = \"90m\"\nlife = \"24h\"\n");
  EXPECT_TRUE(read.problems.empty());
  EXPECT_EQ(read.limits.idle, minutes(90));
  EXPECT_EQ(read.limits.life, hours(24));
  EXPECT_EQ(Read("[sign_in]\nidle = \"1m\"\n").limits.idle, minutes(1));
}

TEST(SignInSettings, AreAQuarterOfAnHourAndTwelveHoursWithoutAFile) {
  const Read read("");
  EXPECT_EQ(read.limits.idle, minutes(15));
  EXPECT_EQ(read.limits.life, hours(12));
}

TEST(SignInSettings, RefuseWhatIsNoTimeOrOutOfReach) {
  for (const char* wrong :
       {"\"0m\"", "\"25h\"", "\"1441m\"", "\"-5m\"", "\"15\"", "\"15s\"", "\"15 m\"", "\"m\"",
        "\"\"", "15", "\"9223372036854775807h\"", "\"1.5h\"", "\"15m \""}) {
    const Read read("[sign_in]\nidle = " + std::string(wrong) + "\n");
    ASSERT_EQ(read.problems.size(), 1u) << wrong;
    EXPECT_TRUE(read.problems[0].starts_with("agent.toml:2: sign_in.idle: ")) << read.problems[0];
    EXPECT_EQ(read.limits.idle, minutes(15)) << wrong;
  }
}

TEST(SignInSettings, AreShownAsTheyAreRead) {
  for (const char* text : {"1m", "15m", "1h", "90m", "24h"}) {
    Read read("[sign_in]\nlife = \"" + std::string(text) + "\"\n");
    cli::SettingsFile file;
    add_sign_in_settings(&file, &read.limits);
    EXPECT_EQ(file.json()["sign_in"]["life"], text);
  }
}

TEST(SignInSettings, ASessionDoesNotEndBeforeItLocks) {
  EXPECT_TRUE(check_sign_in({}));
  EXPECT_TRUE(check_sign_in({.idle = hours(2), .life = hours(2)}));
  EXPECT_FALSE(check_sign_in({.idle = hours(2), .life = minutes(90)}));
}

}  // namespace
}  // namespace duhui::web
