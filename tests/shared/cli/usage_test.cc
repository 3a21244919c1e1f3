#include "shared/cli/usage.h"

#include <sstream>
#include <vector>

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace duhui::cli {
namespace {

using Json = nlohmann::json;

/// A program with one plain command and one group.
class UsageTest : public testing::Test {
 protected:
  int run(std::vector<std::string> words, api::Language language = api::Language::zh) {
    out_.str("");
    err_.str("");
    Console console(language, out_, err_);
    CLI::App app("", "duhui-x");
    speak(app, console, "duhui-x 1");
    app.require_subcommand(1);
    app.fallthrough();
    app.add_flag("--json", *console.json_flag());
    std::string person;
    std::uint32_t limit = 100;
    app.add_subcommand("serve", "");
    auto* record = app.add_subcommand("record", "");
    record->require_subcommand(1);
    auto* list = record->add_subcommand("list", "");
    list->add_option("--as", person, "who")->required();
    list->add_option("--limit", limit, "how many")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    words.insert(words.begin(), "duhui-x");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    return parse_arguments(app, static_cast<int>(arguments.size()), arguments.data(), console)
        .value_or(0);
  }

  /// The mistake as scripts read it.
  std::string detail(std::vector<std::string> words) {
    words.push_back("--json");
    EXPECT_EQ(run(words), 2);
    EXPECT_EQ(err_.str(), "");
    const Json error = Json::parse(out_.str())["error"];
    EXPECT_EQ(error["code"], "invalid_input");
    EXPECT_NE(error["message_zh"], error["message_en"]);
    return error["detail"];
  }

  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(UsageTest, NamesWhatIsWrong) {
  EXPECT_EQ(detail({"frob"}), "unknown_command: frob");
  EXPECT_EQ(detail({"record", "frob"}), "unknown_command: frob");
  EXPECT_EQ(detail({}), "missing_command: serve, record");
  EXPECT_EQ(detail({"record"}), "missing_command: list");
  EXPECT_EQ(detail({"record", "list"}), "missing: --as");
  EXPECT_EQ(detail({"record", "list", "--az", "u-1"}), "unknown_option: --az");
  EXPECT_EQ(detail({"record", "list", "--as", "u-1", "more"}), "unexpected: more");
  EXPECT_EQ(detail({"record", "list", "--as", "u-1", "--limit", "0"}), "wrong_value: --limit: 0");
  EXPECT_EQ(detail({"record", "list", "--as", "u-1", "--limit", "x"}), "wrong_value: --limit: x");
  EXPECT_EQ(detail({"serve", "--as"}), "unknown_option: --as");
}

TEST_F(UsageTest, NamesAnOptionWithoutItsValueOrGivenTwice) {
  EXPECT_EQ(run({"record", "list", "--as"}), 2);
  EXPECT_NE(err_.str().find("--as 后面缺少值"), std::string::npos) << err_.str();
  EXPECT_EQ(detail({"record", "list", "--as", "a", "--as", "b"}), "repeated: --as");
}

TEST_F(UsageTest, SpeaksTheLanguageOfThePerson) {
  EXPECT_EQ(run({"frob"}, api::Language::zh), 2);
  EXPECT_EQ(err_.str(), "✗ 没有这个命令：frob（有：serve, record）\n  用法：duhui-x --help\n");
  EXPECT_EQ(run({"record", "list"}, api::Language::en), 2);
  EXPECT_EQ(err_.str(), "✗ --as is missing\n  Usage: duhui-x record list --help\n");
}

TEST_F(UsageTest, LabelsTheHelpInTheLanguageOfThePerson) {
  EXPECT_EQ(run({"--help"}), 0);
  for (const char* label :
       {"用法: duhui-x [选项] 命令", "\n选项:\n", "\n命令:\n", "显示这段说明"}) {
    EXPECT_NE(out_.str().find(label), std::string::npos) << label << " in\n" << out_.str();
  }
  EXPECT_EQ(run({"record", "list", "--help"}), 0);
  EXPECT_NE(out_.str().find("--as 文本 (必填)"), std::string::npos) << out_.str();
  EXPECT_NE(out_.str().find("--limit 1 - 1000 =100"), std::string::npos) << out_.str();
  EXPECT_EQ(run({"record", "list", "--help"}, api::Language::en), 0);
  EXPECT_NE(out_.str().find("--as TEXT (required)"), std::string::npos) << out_.str();
  EXPECT_NE(out_.str().find("\nOptions:\n"), std::string::npos) << out_.str();
}

}  // namespace
}  // namespace duhui::cli
