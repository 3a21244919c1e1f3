#include "agent/app/agent_settings.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/agent/store/temporary_folder.h"

namespace duhui::agent {
namespace {

class AgentSettingsTest : public testing::Test {
 protected:
  ReadSettings read(const std::string& text) {
    const std::string path = temporary_.path() + "/agent.toml";
    std::ofstream(path) << text;
    return read_settings(path).value();
  }

  TemporaryFolder temporary_;
};

TEST_F(AgentSettingsTest, TakesWhatIsSetAndKeepsTheDefaultsForTheRest) {
  const ReadSettings read_ = read("data = \"/srv/records\"\n[api]\nport = 7481\n");
  EXPECT_TRUE(read_.problems.empty());
  EXPECT_EQ(read_.settings.data, "/srv/records");
  EXPECT_EQ(read_.settings.api_port, 7481);
  EXPECT_EQ(read_.settings.api_address, "127.0.0.1");
  EXPECT_EQ(read_.settings.log_level, "info");
}

TEST_F(AgentSettingsTest, TakesWhatAMonthAllowsAndWhichNetworksCostNothing) {
  const ReadSettings right = read(
      "[link]\nmonthly_bytes = 500_000_000\nfree_networks = [\"1f0c00aa77e10b9d\"]\n"
      "unmetered = true\n");
  EXPECT_TRUE(right.problems.empty());
  EXPECT_EQ(right.settings.monthly_bytes, 500'000'000u);
  EXPECT_EQ(right.settings.free_networks, std::vector<std::string>{"1f0c00aa77e10b9d"});
  EXPECT_TRUE(right.settings.unmetered);
  const ReadSettings wrong = read("[link]\nmonthly_bytes = -1\nfree_networks = [\"wlan0\"]\n");
  EXPECT_EQ(wrong.problems.size(), 2u);
  EXPECT_EQ(wrong.settings.monthly_bytes, 0u);
}

TEST_F(AgentSettingsTest, NamesTheLineOfEveryMistake) {
  const ReadSettings read_ = read("dta = \"/x\"\n[api]\nport = 99999\n[log]\nlevel = \"loud\"\n");
  ASSERT_EQ(read_.problems.size(), 3u);
  std::string all;
  for (const std::string& problem : read_.problems) all += problem + "\n";
  EXPECT_NE(all.find("agent.toml:1: dta: unknown setting"), std::string::npos) << all;
  EXPECT_NE(all.find("agent.toml:3: api.port"), std::string::npos) << all;
  EXPECT_NE(all.find("agent.toml:5: log.level"), std::string::npos) << all;
}

TEST_F(AgentSettingsTest, ReadsWhatItShows) {
  AgentSettings settings;
  settings.data = "/srv/records";
  settings.api_port = 7481;
  const ReadSettings read_ = read(settings_file(settings).toml());
  EXPECT_TRUE(read_.problems.empty());
  EXPECT_EQ(read_.settings.data, settings.data);
  EXPECT_EQ(read_.settings.api_port, 7481);
}

TEST_F(AgentSettingsTest, SaysHowLongPeopleStaySignedIn) {
  const ReadSettings read_ = read("[sign_in]\nidle = \"5m\"\nlife = \"8h\"\n");
  EXPECT_TRUE(read_.problems.empty());
  EXPECT_EQ(read_.settings.sign_in.idle, minutes(5));
  EXPECT_EQ(read_.settings.sign_in.life, hours(8));
  const auto problems = read("[sign_in]\nidle = \"5h\"\nlife = \"1h\"\n").problems;
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0], "agent.toml: sign_in.life: not shorter than sign_in.idle");
}

TEST_F(AgentSettingsTest, OpensNothingToTheNetwork) {
  EXPECT_EQ(read("[api]\naddress = \"0.0.0.0\"\n").problems.size(), 1u);
}

TEST_F(AgentSettingsTest, SaysWhereTextIsNotToml) {
  const ReadSettings read_ = read("data = \n");
  ASSERT_EQ(read_.problems.size(), 1u);
  EXPECT_TRUE(read_.problems.front().starts_with("agent.toml:1"));
}

}  // namespace
}  // namespace duhui::agent
