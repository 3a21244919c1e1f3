#include "shared/cli/record_commands.h"

#include <sstream>

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

#include "shared/api/record_nouns.h"
#include "tests/shared/api/memory_records.h"

namespace duhui::cli {
namespace {

using Json = nlohmann::json;

/// The commands over records in memory.
class RecordCommandsTest : public testing::Test {
 protected:
  RecordCommandsTest()
      : nouns_(records_), caller_([this](const api::EdgeRequest& request) {
          return router_.dispatch(
              {.method = request.method,
               .target = request.target,
               .body = request.body,
               .subject = {.kind = Subject::Kind::operator_, .place = Subject::Place::hub}});
        }) {
    nouns_.add_to(router_);
    records_.at_hub = true;
    create("school", "hub",
           {{"id", "sch-001"},
            {"name", "样例小学"},
            {"district_id", "org-430202"},
            {"zone_id", "zone-430202-1"}});
    for (const char* id : {"u-sup-001", "u-sup-002"}) {
      create("user", "hub", {{"id", id}, {"name", "王样例"}, {"role", "responsible_supervisor"}});
    }
  }

  std::string create(const std::string& type, const std::string& as, const Json& value) {
    auto made = caller_.post("/records", {{"type", type}, {"as", as}, {"value", value}});
    EXPECT_TRUE(made) << to_string(made.error());
    return made ? made->value("id", "") : "";
  }

  /// Two people answer item C6 differently without having seen one another.
  std::string disputed_visit() {
    const std::string id = create("visit_record", "u-sup-001",
                                  {{"school_id", "sch-001"},
                                   {"visit_kind", "routine"},
                                   {"visit_date", "2025-10-09"},
                                   {"status", "draft"}});
    const std::string seen = caller_.get("/records/" + id)->value("seen", "");
    answer(id, "u-sup-001", "yes", seen);
    records_.on_another_device();
    answer(id, "u-sup-002", "no", seen);
    return id;
  }

  void answer(const std::string& id,
              const std::string& person,
              const std::string& value,
              const std::string& seen) {
    const Json edit = {{"do", "set"}, {"field", "item_answers/C6"}, {"value", {{"value", value}}}};
    const Json body = {{"as", person}, {"seen", seen}, {"edits", Json::array({edit})}};
    ASSERT_TRUE(caller_.post("/records/" + id + "/edits", body));
  }

  /// What the program does with these words; the exit code.
  int run(std::vector<std::string> words) {
    Console console(api::Language::zh, out_, err_);
    std::function<int()> action;
    CLI::App app("", "duhui-hub");
    app.fallthrough();
    app.add_flag("--json", *console.json_flag());
    RecordCommands commands(
        console, [this]() -> Result<Caller*> { return &caller_; }, &action);
    commands.add_to(app, "duhui-hub");
    out_.str("");
    err_.str("");
    std::reverse(words.begin(), words.end());
    app.parse(std::move(words));
    return action();
  }

  int resolve(const std::string& id, const std::string& path) {
    return run({"conflict", "resolve", id, path, R"({"value":"no"})", "--as", "u-sup-001",
                "--reason", "现场复核", "--json"});
  }

  std::string shown(const std::string& id) { return caller_.get("/records/" + id)->dump(); }

  api::MemoryRecords records_;
  api::RecordNouns nouns_;
  api::Router router_;
  LocalCaller caller_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(RecordCommandsTest, SettleAConflictThatIsOpen) {
  const std::string id = disputed_visit();
  EXPECT_EQ(resolve(id, "item_answers/C6"), 0) << out_.str();
  const auto field = caller_.get("/records/" + id + "/field?path=item_answers/C6");
  EXPECT_EQ((*field)["conflict"], false);
  EXPECT_EQ((*field)["shown"]["value"], "no");
}

TEST_F(RecordCommandsTest, RefuseToSettleWhereNoConflictIsOpenAndChangeNothing) {
  const std::string id = disputed_visit();
  ASSERT_EQ(resolve(id, "item_answers/C6"), 0);
  for (const char* path : {"item_answers/C6", "item_answers/C7", "visit_date"}) {
    const std::string before = shown(id);
    const int saves = records_.saves;
    EXPECT_EQ(resolve(id, path), static_cast<int>(ExitCode::refused)) << path;
    EXPECT_EQ(records_.saves, saves);
    EXPECT_EQ(shown(id), before);
    const Json error = Json::parse(out_.str())["error"];
    EXPECT_EQ(error["code"], "refused");
    EXPECT_EQ(error["detail"], std::string("not_in_conflict: ") + path);
    EXPECT_NE(error["message_zh"].get<std::string>().find("没有未处理的分歧"), std::string::npos);
    EXPECT_NE(error["message_en"].get<std::string>().find("No conflict"), std::string::npos);
  }
}

TEST_F(RecordCommandsTest, SettleAPartOfAnAnswerInConflict) {
  const std::string id = disputed_visit();
  EXPECT_EQ(run({"conflict", "resolve", id, "item_answers/C6/value", "no", "--as", "u-sup-001",
                 "--reason", "现场复核"}),
            0)
      << err_.str();
}

}  // namespace
}  // namespace duhui::cli
