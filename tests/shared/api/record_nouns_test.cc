#include "shared/api/record_nouns.h"

#include <gtest/gtest.h>

#include "memory_records.h"
#include "shared/api/record_ids.h"
#include "tests/support/response_log.h"
#include "tests/support/subjects.h"

namespace duhui::api {
namespace {

using Json = nlohmann::json;

/// The nouns over records in memory, with the registries a visit needs.
class RecordNounsTest : public testing::Test {
 protected:
  RecordNounsTest() : nouns_(records_) {
    nouns_.add_to(router_);
    records_.at_hub = true;
    create("school", {{"id", "sch-001"},
                      {"name", "样例小学"},
                      {"district_id", "org-430202"},
                      {"zone_id", "zone-430202-1"}});
    create("user", {{"id", "u-sup-001"}, {"name", "王样例"}, {"role", "responsible_supervisor"}});
    create("user", {{"id", "u-sup-002"}, {"name", "李示例"}, {"role", "responsible_supervisor"}});
    create("user", {{"id", "u-con-001"}, {"name", "赵联络"}, {"role", "school_contact"}});
    records_.at_hub = false;
  }

  ApiResponse ask(std::string_view method, const std::string& path, const std::string& body) {
    const std::string target = "/api/v1" + path;
    ApiResponse answer = router_.dispatch(
        {.method = method, .target = target, .body = body, .subject = kHubOperator});
    log_response(method, "/api/v1" + path, answer.status, answer.body);
    return answer;
  }
  ApiResponse post(const std::string& path, const Json& body) {
    return ask("POST", path, body.dump());
  }
  ApiResponse get(const std::string& path) { return ask("GET", path, ""); }

  ApiResponse create(const std::string& type, const Json& value, const std::string& as = "hub") {
    const auto answer = post("/records", {{"type", type}, {"value", value}, {"as", as}});
    EXPECT_EQ(answer.status, 201) << answer.body.dump();
    return answer;
  }

  std::string visit() {
    return create("visit_record",
                  {{"school_id", "sch-001"},
                   {"visit_kind", "routine"},
                   {"visit_date", "2025-10-09"},
                   {"status", "draft"}},
                  "u-sup-001")
        .body["id"];
  }

  ApiResponse set(const std::string& id,
                  const std::string& as,
                  const std::string& field,
                  const Json& value,
                  const std::string& seen = {}) {
    return post("/records/" + id + "/edits",
                {{"as", as},
                 {"seen", seen},
                 {"edits", Json::array({{{"do", "set"}, {"field", field}, {"value", value}}})}});
  }

  /// Two people answer item C6 differently without having seen one another.
  std::string disputed_visit() {
    const std::string id = visit();
    const std::string seen = get("/records/" + id).body["seen"];
    EXPECT_EQ(set(id, "u-sup-001", "item_answers/C6", {{"value", "yes"}}, seen).status, 200);
    records_.on_another_device();
    EXPECT_EQ(set(id, "u-sup-002", "item_answers/C6", {{"value", "no"}}, seen).status, 200);
    return id;
  }

  MemoryRecords records_;
  RecordNouns nouns_;
  Router router_;
};

TEST_F(RecordNounsTest, PutsARecordIntoTheScopeOfItsSchool) {
  const auto answer = get("/records/" + visit());
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body["scope"], "org-430200/org-430202/zone-430202-1/sch-001");
  EXPECT_EQ(answer.body["state"], "draft");
  EXPECT_EQ(answer.body["value"]["visit_date"], "2025-10-09");
  EXPECT_EQ(answer.body["born"], true);
}

TEST_F(RecordNounsTest, NamesRegistryRecordsByTheirReadableId) {
  const auto answer = get("/records/sch-001?type=school");
  ASSERT_EQ(answer.status, 200) << answer.body.dump();
  EXPECT_EQ(answer.body["id"], "sch-001");
  EXPECT_EQ(answer.body["scope"], "org-430200/org-430202");
  EXPECT_EQ(get("/records/sch-999?type=school").status, 404);
  EXPECT_EQ(get("/records/sch-001").status, 400);
}

TEST_F(RecordNounsTest, ShowsAConflictWithBothAuthors) {
  const std::string id = disputed_visit();
  const Json record = get("/records/" + id).body;
  ASSERT_EQ(record["conflicts"].size(), 1u);
  EXPECT_EQ(record["conflicts"][0]["field"], "item_answers/C6");
  ASSERT_EQ(record["conflicts"][0]["siblings"].size(), 2u);
  const Json list = get("/conflicts").body["conflicts"];
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0]["record"], id);
  EXPECT_EQ(list[0]["type"], "visit_record");
  const Json field = get("/records/" + id + "/field?path=item_answers/C6").body;
  EXPECT_EQ(field["conflict"], true);
  EXPECT_TRUE(field["shown"].is_null());
  EXPECT_EQ(field["policy"], "ask");
}

TEST_F(RecordNounsTest, SettlesAConflictByAnOrdinaryWriteAndKeepsBothInHistory) {
  const std::string id = disputed_visit();
  const std::string seen = get("/records/" + id).body["seen"];
  ASSERT_EQ(set(id, "u-sup-001", "item_answers/C6", {{"value", "no"}}, seen).status, 200);
  const Json field = get("/records/" + id + "/field?path=item_answers/C6").body;
  EXPECT_EQ(field["conflict"], false);
  EXPECT_EQ(field["shown"]["value"], "no");
  EXPECT_EQ(field["history"].size(), 2u);
  EXPECT_EQ(field["history"][0]["replaced_by"].size(), 1u);
}

TEST_F(RecordNounsTest, KeepsTheOtherPartsOfAnAnswerAsThePersonSawThem) {
  const std::string id = visit();
  ASSERT_EQ(
      set(id, "u-sup-001", "item_answers/C6", {{"value", "no"}, {"remark", "台账缺一月"}}).status,
      200);
  const std::string seen = get("/records/" + id).body["seen"];
  ASSERT_EQ(
      set(id, "u-sup-002", "item_answers/C6", {{"value", "no"}, {"remark", "已补齐"}}, seen).status,
      200);
  // The first person's form still shows the old remark.
  ASSERT_EQ(set(id, "u-sup-001", "item_answers/C6/value", "yes", seen).status, 200);
  const Json field = get("/records/" + id + "/field?path=item_answers/C6").body;
  ASSERT_EQ(field["siblings"].size(), 2u);
  std::map<std::string, std::string> remarks;
  for (const Json& sibling : field["siblings"])
    remarks[sibling["value"]["value"]] = sibling["value"]["remark"];
  EXPECT_EQ(remarks["yes"], "台账缺一月");
  EXPECT_EQ(remarks["no"], "已补齐");
}

TEST_F(RecordNounsTest, KeepsWhatThePersonSavedSinceUnderANewStream) {
  const std::string id = visit();
  const std::string seen = get("/records/" + id).body["seen"];
  records_.on_another_device();  // as after a restart of the hub
  ASSERT_EQ(set(id, "u-sup-001", "item_answers/C6/value", "no", seen).status, 200);
  ASSERT_EQ(set(id, "u-sup-001", "item_answers/C6/remark", "已补齐", seen).status, 200);
  const Json field = get("/records/" + id + "/field?path=item_answers/C6").body;
  EXPECT_EQ(field["conflict"], false);
  EXPECT_EQ(field["shown"]["value"], "no");
  EXPECT_EQ(field["shown"]["remark"], "已补齐");
}

TEST_F(RecordNounsTest, ExplainsInBothLanguagesWhoSawWhat) {
  const std::string id = disputed_visit();
  const Json why = get("/records/" + id + "/why?path=item_answers/C6").body;
  EXPECT_EQ(why["rule"], "conflict_open");
  EXPECT_EQ(why["entries"].size(), 2u);
  EXPECT_NE(why["text_zh"].get<std::string>().find("王样例"), std::string::npos);
  EXPECT_NE(why["text_en"].get<std::string>().find("a person has to decide"), std::string::npos);
}

TEST_F(RecordNounsTest, RefusesToSubmitWhileAConflictIsOpen) {
  const std::string id = disputed_visit();
  const auto answer =
      post("/records/" + id + "/edits",
           {{"as", "u-sup-001"},
            {"edits",
             Json::array({{{"do", "transition"}, {"field", "status"}, {"value", "submitted"}}})}});
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.body["error"]["code"], "refused");
  EXPECT_NE(answer.body["error"]["detail"].get<std::string>().find("open_conflict"),
            std::string::npos);
}

TEST_F(RecordNounsTest, SavesSeveralEditsOfOneRequestAsOneOp) {
  const std::string id = visit();
  const int before = records_.saves;
  const auto answer =
      post("/records/" + id + "/edits",
           {{"as", "u-sup-001"},
            {"edits",
             Json::array(
                 {{{"do", "set"}, {"field", "item_answers/C1/value"}, {"value", "yes"}},
                  {{"do", "set"}, {"field", "item_answers/C1/remark"}, {"value", "齐全"}},
                  {{"do", "add"},
                   {"field", "methods"},
                   {"value", {{"method", "interview"}, {"count", 2}}}},
                  {{"do", "set"}, {"field", "narrative/u-sup-001"}, {"value", "一切正常。"}}})}});
  ASSERT_EQ(answer.status, 200) << answer.body.dump();
  EXPECT_EQ(answer.body["dots"].size(), 1u);
  EXPECT_EQ(records_.saves, before + 1);
  const Json value = get("/records/" + id).body["value"];
  EXPECT_EQ(value["item_answers"]["C1"]["value"], "yes");
  EXPECT_EQ(value["item_answers"]["C1"]["remark"], "齐全");
  EXPECT_EQ(value["methods"][0]["method"], "interview");
}

TEST_F(RecordNounsTest, NamesTheEditThatIsWrong) {
  const std::string id = visit();
  const auto answer = set(id, "u-sup-001", "no_such_field", 1);
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body["error"]["detail"].get<std::string>().find("edits[0]: unknown_field"),
            std::string::npos);
}

TEST_F(RecordNounsTest, ShowsPartsOfAnElementAndWholeSets) {
  const std::string id = visit();
  post("/records/" + id + "/edits",
       {{"as", "u-sup-001"},
        {"edits",
         Json::array({{{"do", "add"},
                       {"field", "attachments"},
                       {"value", {{"id", "ph1"}, {"caption", "消防栓"}, {"by", "u-sup-001"}}}}})}});
  EXPECT_EQ(get("/records/" + id + "/field?path=attachments/ph1/caption").body["shown"], "消防栓");
  const Json whole = get("/records/" + id + "/field?path=attachments").body;
  ASSERT_EQ(whole["shown"].size(), 1u);
  EXPECT_EQ(whole["shown"][0]["id"], "ph1");
  EXPECT_EQ(get("/records/" + id + "/field?path=status").body["shown"], "draft");
}

TEST_F(RecordNounsTest, ImportsManyAndSkipsWhatIsThere) {
  const Json row = {
      {"id", "0199027c-d700-7867-b438-4bb4a48f4cf7"},
      {"school_id", "sch-001"},
      {"visit_date", "2025-09-01"},
      {"status_log",
       Json::array(
           {{{"status", "draft"}, {"by", "u-sup-001"}, {"at", "2025-09-01T07:49:00+08:00"}}})}};
  const Json one = {
      {"type", "visit_record"}, {"as", "u-sup-001"}, {"value", row}, {"import", true}};
  Json other = one;
  other["value"]["id"] = "0199027c-d700-7867-b438-4bb4a48f4cf8";
  const auto first = post("/records", {{"records", Json::array({one})}});
  ASSERT_EQ(first.status, 201) << first.body.dump();
  EXPECT_EQ(first.body["ids"][0], row["id"]);
  const auto second = post("/records", {{"records", Json::array({one, other})}});
  EXPECT_EQ(second.body["saved"], 1);
  EXPECT_EQ(second.body["skipped"], 1);
  const Json exported = get("/export?type=visit_record").body["records"];
  ASSERT_EQ(exported.size(), 2u);
  EXPECT_EQ(exported[0]["id"], row["id"]);
  EXPECT_EQ(exported[0]["status_log"], row["status_log"]);
}

TEST_F(RecordNounsTest, SavesNoneOfManyWhenOneIsWrong) {
  const Json good = {
      {"type", "problem"}, {"as", "u-sup-001"}, {"value", {{"school_id", "sch-001"}}}};
  const Json bad = {{"type", "problem"}, {"as", "u-sup-001"}, {"value", {{"colour", "red"}}}};
  const auto answer = post("/records", {{"records", Json::array({good, bad})}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body["error"]["detail"].get<std::string>().find("records[1]"),
            std::string::npos);
  EXPECT_TRUE(get("/records?type=problem").body["records"].empty());
}

TEST_F(RecordNounsTest, CreatesOnlyInTheScopesOfTheDevice) {
  records_.device_scopes = {"org-430200/org-430202/zone-430202-2/sch-077"};
  const Json other = {
      {"type", "visit_record"}, {"as", "u-sup-001"}, {"value", {{"school_id", "sch-001"}}}};
  const auto refused = post("/records", other);
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.body["error"]["code"], "refused");
  const Json own = {
      {"type", "visit_record"}, {"as", "u-sup-001"}, {"value", {{"school_id", "sch-077"}}}};
  const auto some = post("/records", {{"records", Json::array({other, own})}, {"only_here", true}});
  ASSERT_EQ(some.status, 201) << some.body.dump();
  EXPECT_EQ(some.body["saved"], 1);
  EXPECT_EQ(some.body["elsewhere"], 1);
}

TEST_F(RecordNounsTest, WalksAListInPages) {
  for (int n = 0; n < 5; ++n) visit();
  std::string after;
  std::size_t found = 0;
  for (int pages = 0; pages < 10; ++pages) {
    const Json page =
        get("/records?type=visit_record&limit=2" + (after.empty() ? "" : "&after=" + after)).body;
    found += page["records"].size();
    if (page["next"].is_null()) break;
    after = page["next"];
  }
  EXPECT_EQ(found, 5u);
  EXPECT_EQ(get("/records?limit=0").status, 400);
}

TEST_F(RecordNounsTest, AnswersANoticeAndThereforeItsProblem) {
  const std::string problem =
      create("problem", {{"school_id", "sch-001"}, {"title", "库房"}, {"state", "found"}},
             "u-sup-001")
          .body["id"];
  const Json scope = get("/records/" + problem).body["scope"];
  const std::string notice =
      create(
          "rectification_notice",
          {{"school_id", "sch-001"}, {"problem_ids", Json::array({problem})}, {"state", "draft"}},
          "u-sup-001")
          .body["id"];
  const auto issued = post(
      "/records/" + notice + "/edits",
      {{"as", "u-sup-001"},
       {"edits", Json::array({{{"do", "transition"}, {"field", "state"}, {"value", "issued"}}})}});
  ASSERT_EQ(issued.status, 200) << issued.body.dump();
  EXPECT_EQ(get("/records/" + problem).body["state"], "notice_issued");
  const auto response = create(
      "rectification_response",
      {{"notice_id", notice}, {"round", 1}, {"text", "已整理"}, {"state", "draft"}}, "u-con-001");
  EXPECT_EQ(response.body["scope"], scope);
}

TEST_F(RecordNounsTest, DeletesADraft) {
  const std::string id = visit();
  const auto answer = post("/records/" + id + "/edits",
                           {{"as", "u-sup-001"}, {"edits", Json::array({{{"do", "delete"}}})}});
  ASSERT_EQ(answer.status, 200) << answer.body.dump();
  EXPECT_EQ(get("/records/" + id).body["deleted"], true);
  EXPECT_TRUE(get("/export?type=visit_record").body["records"].empty());
}

TEST_F(RecordNounsTest, FindsTheScopeOnADeviceThatHasNoRegistryYet) {
  records_.device_scopes = {"org-430200/org-430202/zone-430202-2/sch-077"};
  const auto answer = create("visit_record", {{"school_id", "sch-077"}}, "u-nobody-yet");
  EXPECT_EQ(answer.body["scope"], "org-430200/org-430202/zone-430202-2/sch-077");
}

TEST_F(RecordNounsTest, RefusesATokenOfAnotherRecord) {
  const std::string one = visit();
  const std::string other = visit();
  const std::string seen = get("/records/" + other).body["seen"];
  EXPECT_EQ(set(one, "u-sup-001", "visit_date", "2025-10-10", seen).status, 400);
}

TEST(RecordIds, MakesReadableIdsFromTheFieldsOfTheType) {
  const RecordSchema& form = **schema_named("template");
  EXPECT_EQ(readable_id(form, {{"id", "TPL_CANTEEN"}, {"version", 2}}), "TPL_CANTEEN@2");
  EXPECT_EQ(readable_id(form, {{"id", "TPL_CANTEEN"}}), "");
  EXPECT_FALSE(parse_record_id("not-a-uuid", "visit_record"));
}

}  // namespace
}  // namespace duhui::api
