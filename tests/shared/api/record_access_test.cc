// What each person sees and may do through the nouns, over real records.
#include <gtest/gtest.h>

#include "memory_records.h"
#include "shared/api/record_nouns.h"
#include "tests/support/subjects.h"

namespace duhui::api {
namespace {

using Json = nlohmann::json;

constexpr const char* kZone = "org-430200/org-430202/zone-430202-1";

class RecordAccessTest : public testing::Test {
 protected:
  RecordAccessTest()
      : nouns_(records_, [this](const AuditedAct& act) -> Status {
          audited_.push_back(act.subject.person + " " + act.action + " " + act.detail);
          return audit_works_ ? Status(Done{}) : Error{ErrorCode::storage_failed, "audit"};
        }) {
    nouns_.add_to(router_);
    records_.at_hub = true;
    for (const char* school : {"sch-001", "sch-002"}) {
      make("school", {{"id", school},
                      {"name", school},
                      {"district_id", "org-430202"},
                      {"zone_id", "zone-430202-1"}});
    }
    make("user", {{"id", "u-sup-001"}, {"role", "responsible_supervisor"}});
    make("user", {{"id", "u-con-001"}, {"role", "school_contact"}});
    make("user", {{"id", "u-off-1"}, {"role", "district_officer"}});
  }

  static Subject person(const std::string& id, record::v1::Role role, const std::string& scope) {
    return {.kind = Subject::Kind::person,
            .place = Subject::Place::hub,
            .person = id,
            .grants = {{role, scope}},
            .today = "2025-10-09",
            .sign_in = sync::v1::SIGN_IN_AT_DEVICE};
  }
  static Subject supervisor() {
    Subject subject = person("u-sup-001", record::v1::ROLE_RESPONSIBLE_SUPERVISOR, kZone);
    subject.supervisor_id = "sup-001";
    subject.postings = {{"sch-001", "2024-09-01", ""}};
    return subject;
  }
  static Subject contact() {
    Subject subject =
        person("u-con-001", record::v1::ROLE_SCHOOL_CONTACT, std::string(kZone) + "/sch-001");
    subject.school_id = "sch-001";
    return subject;
  }
  static Subject officer() {
    return person("u-off-1", record::v1::ROLE_DISTRICT_OFFICER, "org-430200/org-430202");
  }

  ApiResponse ask(const Subject& who,
                  std::string_view method,
                  const std::string& path,
                  const Json& body = {}) {
    const std::string target = "/api/v1" + path;
    const std::string text = body.is_null() ? std::string() : body.dump();
    return router_.dispatch({.method = method, .target = target, .body = text, .subject = who});
  }
  std::string make(const std::string& type,
                   const Json& value,
                   const Subject& who = kHubOperator,
                   const std::string& as = "hub") {
    Json body = {{"type", type}, {"value", value}};
    if (who.kind == Subject::Kind::operator_) body["as"] = as;
    const ApiResponse made = ask(who, "POST", "/records", body);
    EXPECT_EQ(made.status, 201) << made.body.dump();
    return made.body.value("id", "");
  }
  std::string visit(const std::string& school = "sch-001", const std::string& status = "draft") {
    return make("visit_record",
                {{"school_id", school},
                 {"visit_date", "2025-10-09"},
                 {"status", status},
                 {"scores", {{"C1", {{"u-sup-001", 9}}}}}},
                kHubOperator, "u-sup-001");
  }
  std::size_t listed(const Subject& who, const std::string& type) {
    return ask(who, "GET", "/records?type=" + type).body["records"].size();
  }

  MemoryRecords records_;
  std::vector<std::string> audited_;
  bool audit_works_ = true;
  RecordNouns nouns_;
  Router router_;
};

TEST_F(RecordAccessTest, ADraftIsNothingToTheSchool) {
  const std::string id = visit();
  EXPECT_EQ(ask(contact(), "GET", "/records/" + id).status, 404);
  EXPECT_EQ(ask(contact(), "GET", "/records/" + id + "/why?path=visit_date").status, 404);
  EXPECT_EQ(ask(contact(), "GET", "/records/" + id + "/field?path=visit_date").status, 404);
  EXPECT_EQ(listed(contact(), "visit_record"), 0u);
  EXPECT_EQ(ask(supervisor(), "GET", "/records/" + id).status, 200);
  EXPECT_EQ(listed(supervisor(), "visit_record"), 1u);
  EXPECT_EQ(listed(officer(), "visit_record"), 1u);
}

TEST_F(RecordAccessTest, NobodyIsAskedToSignIn) {
  const std::string id = visit();
  for (const char* path : {"/records", "/conflicts", "/export"}) {
    EXPECT_EQ(ask({}, "GET", path).status, 401) << path;
  }
  EXPECT_EQ(ask({}, "GET", "/records/" + id).status, 401);
  const Subject agent_operator{.kind = Subject::Kind::operator_, .place = Subject::Place::agent};
  EXPECT_EQ(ask(agent_operator, "GET", "/records/" + id).status, 403);
}

TEST_F(RecordAccessTest, TheSchoolReadsWhatWasSubmittedWithoutItsScores) {
  const std::string id = visit("sch-001", "submitted");
  const ApiResponse seen = ask(contact(), "GET", "/records/" + id);
  ASSERT_EQ(seen.status, 200) << seen.body.dump();
  EXPECT_EQ(seen.body["value"]["visit_date"], "2025-10-09");
  EXPECT_FALSE(seen.body["value"].contains("scores"));
  EXPECT_EQ(ask(contact(), "GET", "/records/" + id + "/field?path=scores").status, 403);
  // How it came about is between supervisors and office.
  EXPECT_EQ(ask(contact(), "GET", "/records/" + id + "/why?path=visit_date").status, 403);
  EXPECT_TRUE(ask(supervisor(), "GET", "/records/" + id).body["value"].contains("scores"));
}

TEST_F(RecordAccessTest, AnotherSchoolIsOutOfReach) {
  const std::string id = visit("sch-002", "submitted");
  EXPECT_EQ(ask(contact(), "GET", "/records/" + id).status, 404);
  EXPECT_EQ(ask(officer(), "GET", "/records/" + id).status, 200);
  Subject elsewhere = officer();
  elsewhere.grants[0].scope = "org-430200/org-430203";
  EXPECT_EQ(ask(elsewhere, "GET", "/records/" + id).status, 404);
  EXPECT_EQ(listed(elsewhere, "visit_record"), 0u);
}

TEST_F(RecordAccessTest, WhoTookPartReadsItWithoutBeingPosted) {
  const std::string id = make("visit_record",
                              {{"school_id", "sch-002"},
                               {"visit_date", "2025-10-09"},
                               {"participants", {{"supervisor_ids", {"sup-009"}}}},
                               {"status", "draft"}},
                              kHubOperator, "u-sup-009");
  EXPECT_EQ(ask(supervisor(), "GET", "/records/" + id).status, 404);
  Subject guest = supervisor();
  guest.supervisor_id = "sup-009";
  EXPECT_EQ(ask(guest, "GET", "/records/" + id).status, 200);
  EXPECT_EQ(listed(guest, "visit_record"), 1u);
  EXPECT_EQ(listed(supervisor(), "visit_record"), 0u);
}

TEST_F(RecordAccessTest, NobodyWritesInAnothersName) {
  const Json value = {{"school_id", "sch-001"}, {"visit_date", "2025-10-09"}};
  const Json body = {{"type", "visit_record"}, {"value", value}, {"as", "u-sup-002"}};
  EXPECT_EQ(ask(supervisor(), "POST", "/records", body).status, 403);
  Json import = body;
  import["import"] = true;
  EXPECT_EQ(ask(supervisor(), "POST", "/records", import).status, 403);
  EXPECT_EQ(ask(officer(), "POST", "/records", import).status, 201);
  const std::string id = make("visit_record", value, supervisor());
  const auto state = records_.state(*RecordId::from_bytes(*from_uuid_text(id)));
  const OpFacts& op = (*state)->ops().front().second;
  EXPECT_EQ(op.person, "u-sup-001");
  EXPECT_EQ(op.sign_in, sync::v1::SIGN_IN_AT_DEVICE);
  const Json edits =
      Json::array({{{"do", "set"}, {"field", "visit_date"}, {"value", "2025-10-10"}}});
  EXPECT_EQ(
      ask(officer(), "POST", "/records/" + id + "/edits", {{"as", "u-sup-001"}, {"edits", edits}})
          .status,
      403);
}

TEST_F(RecordAccessTest, TheSchoolMakesNoVisitAndNoProblem) {
  for (const char* type : {"visit_record", "problem", "task", "campaign", "user"}) {
    const ApiResponse made =
        ask(contact(), "POST", "/records",
            {{"type", type}, {"value", {{"school_id", "sch-001"}, {"id", "x"}}}});
    EXPECT_EQ(made.status, 403) << type << " " << made.body.dump();
  }
}

TEST_F(RecordAccessTest, AnOfficerGivesNobodyARole) {
  const ApiResponse made =
      ask(officer(), "POST", "/records",
          {{"type", "user"}, {"value", {{"id", "u-x"}, {"role", "city_officer"}}}});
  EXPECT_EQ(made.status, 403) << made.body.dump();
  const Json edits = Json::array({{{"do", "set"}, {"field", "role"}, {"value", "city_officer"}}});
  EXPECT_NE(ask(officer(), "POST", "/records/u-off-1/edits?type=user", {{"edits", edits}}).status,
            200);
}

TEST_F(RecordAccessTest, AnUnannouncedTaskIsNotForTheSchool) {
  const auto task = [&](const char* id, bool unannounced) {
    return make("task", {{"id", id},
                         {"school_id", "sch-001"},
                         {"assignee_ids", {"sup-001"}},
                         {"unannounced", unannounced}});
  };
  task("t-1", false);
  task("t-2", true);
  EXPECT_EQ(ask(contact(), "GET", "/records/t-1?type=task").status, 200);
  EXPECT_EQ(ask(contact(), "GET", "/records/t-2?type=task").status, 404);
  EXPECT_EQ(listed(contact(), "task"), 1u);
  EXPECT_EQ(listed(supervisor(), "task"), 2u);
  // Nor does its machine get it.
  const ApiResponse seen = ask(kHubOperator, "GET", "/records/t-2?type=task");
  EXPECT_EQ(seen.body["scope"], "org-430200/org-430202/sup-001");
}

TEST_F(RecordAccessTest, WhatIsNotForOneSoundsLikeWhatIsNotThere) {
  const std::string hidden = visit("sch-002");
  const std::string missing = "0199027c-d700-7867-b438-4bb4a48f4cf7";
  make("complaint", {{"id", "cmp-1"}, {"school_id", "sch-001"}, {"text", "..."}});
  const auto text_of = [](const ApiResponse& answer, const std::string& id) {
    std::string text = std::to_string(answer.status) + answer.body.dump();
    const auto at = text.find(id);
    return at == std::string::npos ? text : text.replace(at, id.size(), "ID");
  };
  const Json edit = {
      {"edits", {{{"do", "set"}, {"field", "visit_date"}, {"value", "2025-10-10"}}}}};
  for (const auto& [there, not_there, type] :
       {std::tuple{hidden, missing, std::string("visit_record")},
        std::tuple{std::string("cmp-1"), std::string("cmp-2"), std::string("complaint")}}) {
    for (const std::string& rest :
         {"?type=" + type, "/why?path=school_id&type=" + type, "/why?type=" + type,
          "/field?path=school_id&type=" + type, "/field?path=no_such&type=" + type}) {
      const ApiResponse one = ask(contact(), "GET", "/records/" + there + rest);
      const ApiResponse other = ask(contact(), "GET", "/records/" + not_there + rest);
      EXPECT_EQ(one.status, 404) << rest;
      EXPECT_EQ(text_of(one, there), text_of(other, not_there)) << rest;
    }
    for (const Json& body : {edit, Json::object()}) {
      const std::string rest = "/edits?type=" + type;
      const ApiResponse one = ask(contact(), "POST", "/records/" + there + rest, body);
      const ApiResponse other = ask(contact(), "POST", "/records/" + not_there + rest, body);
      EXPECT_EQ(one.status, 404);
      EXPECT_EQ(text_of(one, there), text_of(other, not_there));
    }
  }
}

/// A very long list of another district's visits, made up as it is asked for.
class LongList final : public MemoryRecords {
 public:
  Result<std::vector<RecordRow>> list(const RecordQuery& query) override {
    std::vector<RecordRow> rows;
    std::uint32_t last = number_of(query.after);
    while (last < kRows && rows.size() < query.limit) rows.push_back(row(++last));
    return rows;
  }
  static constexpr std::uint32_t kRows = 50'000;
  static RecordId id_of(std::uint32_t number) {
    std::string bytes(16, '\x55');
    for (int n = 0; n < 4; ++n) bytes[n] = static_cast<char>(number >> (8 * (3 - n)));
    return *RecordId::from_bytes(bytes);
  }

 private:
  static std::uint32_t number_of(const RecordId& id) {
    std::uint32_t number = 0;
    for (int n = 0; n < 4; ++n) number = number << 8 | static_cast<unsigned char>(id.view()[n]);
    return number;
  }
  static RecordRow row(std::uint32_t number) {
    const bool own = number % 20'000 == 5;
    return {.id = id_of(number),
            .type = Schema::instance().find("visit_record")->rule.type(),
            .scope = own ? std::string(kZone) + "/sch-001" : "org-430200/org-430299/z/sch-999",
            .state = "submitted",
            .date = "2025-10-09",
            .school_id = own ? "sch-001" : "sch-999"};
  }
};

TEST_F(RecordAccessTest, WhereAListGoesOnTellsNothingOfWhatWasLeftOut) {
  LongList records;
  records.device_scopes = {std::string(kZone) + "/sch-001"};
  RecordNouns nouns(records);
  Router router;
  nouns.add_to(router);
  const auto page_after = [&](const std::string& after) {
    const std::string target = "/api/v1/records?type=visit_record" + after;
    return router.dispatch({.method = "GET", .target = target, .body = "", .subject = contact()});
  };
  std::vector<std::string> found;
  std::string after;
  int pages = 0;
  do {
    const ApiResponse page = page_after(after);
    ASSERT_EQ(page.status, 200) << page.body.dump();
    for (const Json& row : page.body["records"]) found.push_back(row["uuid"]);
    if (page.body["next"].is_null()) break;
    const std::string next = page.body["next"];
    EXPECT_TRUE(next.starts_with(".")) << next;
    EXPECT_EQ(next.find("5555"), std::string::npos);
    EXPECT_NE(page_after(after).body["next"], next);  // nor can two be compared
    after = "&after=" + next;
  } while (++pages < 10);
  EXPECT_EQ(found.size(), 3u);
  EXPECT_GE(pages, 2);
  for (const char* stale : {".", ".AAAA", ".x", "..", ".%00"}) {
    EXPECT_EQ(page_after(std::string("&after=") + stale).status, 400) << stale;
  }
}

TEST_F(RecordAccessTest, WhoComplainedIsReadByTheOfficeAndWrittenDown) {
  make("complaint", {{"id", "cmp-1"},
                     {"school_id", "sch-001"},
                     {"handler", "u-sup-001"},
                     {"text", "..."},
                     {"complainant", {{"name", "somebody"}, {"contact", "000"}}}});
  const std::string path = "/records/cmp-1?type=complaint";
  audited_.clear();
  const ApiResponse handled = ask(supervisor(), "GET", path);
  ASSERT_EQ(handled.status, 200) << handled.body.dump();
  EXPECT_EQ(handled.body["value"]["text"], "...");
  EXPECT_EQ(handled.body.dump().find("somebody"), std::string::npos);
  EXPECT_TRUE(audited_.empty());
  EXPECT_EQ(ask(contact(), "GET", path).status, 404);
  EXPECT_NE(ask(officer(), "GET", path).body.dump().find("somebody"), std::string::npos);
  ASSERT_EQ(audited_.size(), 1u);
  EXPECT_EQ(audited_[0], "u-off-1 read_restricted complainant/name,complainant/contact");
  audit_works_ = false;
  const ApiResponse refused = ask(officer(), "GET", path);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body.dump().find("somebody"), std::string::npos);
}

TEST_F(RecordAccessTest, AnExportHoldsNoMoreThanWhoAskedMayRead) {
  visit("sch-001");
  visit("sch-002");
  EXPECT_EQ(ask(contact(), "GET", "/export?type=visit_record").body["records"].size(), 0u);
  EXPECT_EQ(ask(officer(), "GET", "/export?type=visit_record").body["records"].size(), 2u);
  EXPECT_EQ(audited_.back(), "u-off-1 export 2 records");
}

TEST_F(RecordAccessTest, PagesAreFullWhateverIsLeftOut) {
  for (int n = 0; n < 12; ++n) visit(n % 2 == 0 ? "sch-001" : "sch-002", "submitted");
  std::size_t total = 0;
  std::string after;
  int pages = 0;
  do {
    const ApiResponse page = ask(contact(), "GET", "/records?type=visit_record&limit=2" + after);
    total += page.body["records"].size();
    ++pages;
    after = page.body["next"].is_null() ? std::string()
                                        : "&after=" + page.body["next"].get<std::string>();
  } while (!after.empty() && pages < 20);
  EXPECT_EQ(total, 6u);
  EXPECT_LE(pages, 4);
}

}  // namespace
}  // namespace duhui::api
