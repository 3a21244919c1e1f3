#include "shared/cli/settings_file.h"

#include <sstream>

#include <gtest/gtest.h>

namespace duhui::cli {
namespace {

using Json = nlohmann::json;

class SettingsFileTest : public testing::Test {
 protected:
  SettingsFileTest() {
    file_.add_text("name", &name_);
    file_.add_number("api.port", &port_, 0, 65535);
    file_.add_text("api.level", &level_, {"info", "off"});
  }

  std::string name_ = "here";
  std::uint16_t port_ = 80;
  std::string level_ = "info";
  SettingsFile file_;
};

TEST_F(SettingsFileTest, TakesWhatIsRightBesideWhatIsWrong) {
  const auto problems = file_.read("name = 3\n[api]\nport = 90\nlevel = \"x\"\nmore = 1\n", "f");
  const std::vector<std::string> wanted = {"f:1: name: a text in quotes",
                                           "f:4: api.level: one of \"info\", \"off\"",
                                           "f:5: api.more: unknown setting"};
  EXPECT_EQ(problems, wanted);
  EXPECT_EQ(port_, 90);
  EXPECT_EQ(name_, "here");
}

TEST_F(SettingsFileTest, TellsSectionsFromSettings) {
  EXPECT_EQ(file_.read("api = 3\n", "f").front(), "f:1: api: a section [api]");
  EXPECT_EQ(file_.read("[other]\n", "f").front(), "f:1: other: unknown setting");
  EXPECT_EQ(file_.read("[name]\nx = 1\n", "f").front(), "f:1: name: a text in quotes");
}

TEST_F(SettingsFileTest, ShowsTheSameAsAFileAndAsJson) {
  EXPECT_EQ(file_.toml(), "name = \"here\"\n\n[api]\nport = 80\nlevel = \"info\"\n");
  const Json wanted = {{"name", "here"}, {"api", {{"port", 80}, {"level", "info"}}}};
  EXPECT_EQ(file_.json(), wanted);
}

TEST_F(SettingsFileTest, ReportsInOneShape) {
  std::ostringstream out;
  std::ostringstream err;
  Console console(api::Language::zh, out, err);
  *console.json_flag() = true;
  EXPECT_EQ(report_settings(console, file_, "f.toml", {}), 0);
  Json report = Json::parse(out.str());
  EXPECT_EQ(report["ok"], true);
  EXPECT_EQ(report["file"], "f.toml");
  EXPECT_EQ(report["settings"]["api"]["port"], 80);
  out.str("");
  EXPECT_EQ(report_settings(console, file_, "f.toml", {"f.toml:1: wrong"}), 2);
  report = Json::parse(out.str());
  EXPECT_EQ(report["ok"], false);
  EXPECT_EQ(report["problems"], Json::array({"f.toml:1: wrong"}));
}

}  // namespace
}  // namespace duhui::cli
