#include "hub/api/hub_api.h"

#include <algorithm>

#include "tests/hub/api/memory_access.h"
#include "tests/support/openapi_needs.h"
#include "tests/support/subjects.h"

namespace duhui::hub {
namespace {

using testing::Json;
using testing::TestHub;

constexpr const char* kSchoolScope = "org-430200/org-430202/zone-430202-1/sch-001";

std::string make_visit(TestHub& hub, const std::string& person) {
  return hub.posted("/records",
                    {{"type", "visit_record"},
                     {"as", person},
                     {"value", {{"school_id", "sch-001"}, {"visit_date", "2025-10-09"}}}})["id"];
}

void answer_item(TestHub& hub,
                 const std::string& visit,
                 const std::string& person,
                 const std::string& value,
                 const std::string& seen) {
  hub.posted(
      "/records/" + visit + "/edits",
      {{"as", person},
       {"seen", seen},
       {"edits", {{{"do", "set"}, {"field", "item_answers/C6"}, {"value", {{"value", value}}}}}}});
}

TEST(HubApi, TellsItsStatus) {
  TestHub hub;
  hub.furnish();
  const Json status = hub.got("/status");
  EXPECT_EQ(status["program"], "duhui-hub");
  EXPECT_EQ(status["root_scope"], "org-430200");
  EXPECT_EQ(status["ops"], 8);
  EXPECT_EQ(status["open_conflicts"], 0);
}

TEST(HubApi, PutsARecordIntoTheScopeOfItsSchool) {
  TestHub hub;
  hub.furnish();
  const std::string visit = make_visit(hub, "u-sup-001");
  const Json shown = hub.got("/records/" + visit);
  EXPECT_EQ(shown["scope"], kSchoolScope);
  EXPECT_EQ(shown["state"], "draft");
  const Json listed = hub.got("/records?type=visit_record&school_id=sch-001&state=draft");
  ASSERT_EQ(listed["records"].size(), 1u);
  EXPECT_EQ(listed["records"][0]["id"], visit);
  EXPECT_EQ(listed["records"][0]["date"], "2025-10-09");
}

TEST(HubApi, KeepsRecordsWithoutASchoolOfTheirOwnAtTheHub) {
  TestHub hub;
  hub.furnish();
  const Json made = hub.posted(
      "/records",
      {{"type", "consultation_letter"}, {"as", "u-off-1"}, {"value", {{"school_id", "sch-001"}}}});
  EXPECT_EQ(made["scope"], "hub");
}

TEST(HubApi, ShowsAConflictWithBothAuthorsUntilSomebodySettlesIt) {
  TestHub hub;
  hub.furnish();
  const std::string visit = make_visit(hub, "u-sup-001");
  const std::string seen = hub.got("/records/" + visit)["seen"];
  answer_item(hub, visit, "u-sup-001", "yes", seen);
  answer_item(hub, visit, "u-sup-002", "no", seen);

  const Json open = hub.got("/conflicts")["conflicts"];
  ASSERT_EQ(open.size(), 1u);
  EXPECT_EQ(open[0]["record"], visit);
  EXPECT_EQ(open[0]["field"], "item_answers/C6");
  ASSERT_EQ(open[0]["siblings"].size(), 2u);
  EXPECT_EQ(hub.got("/status")["open_conflicts"], 1);

  hub.posted(
      "/records/" + visit + "/edits",
      {{"as", "u-sup-001"},
       {"seen", hub.got("/records/" + visit)["seen"]},
       {"reason", "当面核对"},
       {"edits", {{{"do", "set"}, {"field", "item_answers/C6"}, {"value", {{"value", "no"}}}}}}});
  EXPECT_TRUE(hub.got("/conflicts")["conflicts"].empty());
  const Json field = hub.got("/records/" + visit + "/field?path=item_answers/C6");
  EXPECT_EQ(field["shown"]["value"], "no");
  EXPECT_GE(field["history"].size(), 2u);
}

TEST(HubApi, SaysWhyAValueIsShown) {
  TestHub hub;
  hub.furnish();
  const std::string visit = make_visit(hub, "u-sup-001");
  const Json why = hub.got("/records/" + visit + "/why?path=visit_date");
  ASSERT_EQ(why["entries"].size(), 1u);
  EXPECT_EQ(why["entries"][0]["by"], "u-sup-001");
}

TEST(HubApi, AnswersUnknownThingsPolitely) {
  TestHub hub;
  EXPECT_EQ(hub.get("/records/0199027c-d700-7867-b438-4bb4a48f4cf7").status, 404);
  EXPECT_EQ(hub.get("/nothing").status, 404);
  EXPECT_EQ(hub.get("/devices/not-a-uuid").status, 400);
  EXPECT_EQ(hub.post("/import", {{"kind", "cats"}, {"rows", Json::array()}}).status, 400);
  EXPECT_EQ(
      hub.api
          .answer(
              {.method = "POST", .target = "/api/v1/records", .body = "{", .subject = kHubOperator})
          .status,
      400);
}

TEST(HubApi, RevokesADeviceAtOnceAndRestoresIt) {
  TestHub hub;
  DeviceRow row;
  row.id = DeviceId::random(hub.access.random());
  row.name = "学校一";
  row.flags = "clock_skew,rollback_detected";
  ASSERT_TRUE(hub.access.change([&](HubTransaction& tx) { return tx.devices().put(row); }));
  hub.access.connect(row.id);
  const std::string path = "/devices/" + to_uuid_text(row.id.view());

  const Json listed = hub.got("/devices")["devices"];
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0]["connected"], true);
  EXPECT_EQ(listed[0]["flags"], Json({"clock_skew", "rollback_detected"}));

  const Json revoked = hub.posted(path + "/revoke", Json::object());
  EXPECT_EQ(revoked["revoked"], true);
  EXPECT_EQ(revoked["connected"], false);
  EXPECT_EQ(hub.posted(path + "/restore", Json::object())["revoked"], false);
  EXPECT_EQ(hub.got(path)["name"], "学校一");
}

TEST(HubApi, ListsWhatCouldNotBeMerged) {
  TestHub hub;
  QuarantineRow row;
  row.dot = {hub.access.facts().origin, 3};
  row.kind = "orphan";
  row.op = "bytes";
  row.received_at = hub.access.now();
  ASSERT_TRUE(
      hub.access.change([&](HubTransaction& tx) { return tx.review().add_quarantine(row); }));
  const Json listed = hub.got("/quarantine")["quarantine"];
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0]["kind"], "orphan");
  EXPECT_EQ(listed[0]["bytes"], 5);
}

TEST(HubApi, ExportsWhatWasTakenIn) {
  TestHub hub;
  hub.furnish();
  const Json schools = hub.got("/export?type=school");
  ASSERT_EQ(schools["records"].size(), 2u);
  for (const Json& school : schools["records"]) EXPECT_EQ(school["district_id"], "org-430202");
}

TEST(HubApi, VerifiesEveryStreamAndRecord) {
  TestHub hub;
  hub.furnish();
  make_visit(hub, "u-sup-001");
  const Json sound = hub.posted("/verify", Json::object());
  EXPECT_EQ(sound["ok"], true) << sound.dump();
  EXPECT_EQ(sound["ops"], 9);
  EXPECT_EQ(sound["records"], 9);

  MemoryHubState state = hub.access.store().state();
  state.records.begin()->second.checksum += 1;
  state.batches.begin()->second.chain[0] ^= 1;
  hub.access.store().restore(std::move(state));
  const Json damaged = hub.posted("/verify", Json::object());
  EXPECT_EQ(damaged["ok"], false);
  EXPECT_GE(damaged["problems"].size(), 2u);
}

TEST(HubApi, SavesMoreThanOneBatchHolds) {
  TestHub hub;
  hub.furnish();
  Json records = Json::array();
  const std::string paragraph(3000, 'x');
  for (int n = 0; n < 400; ++n) {
    records.push_back({{"type", "visit_record"},
                       {"as", "u-sup-001"},
                       {"value",
                        {{"school_id", "sch-001"},
                         {"visit_date", "2025-10-09"},
                         {"narrative", {{"u-sup-001", paragraph}}}}}});
  }
  EXPECT_EQ(hub.posted("/records", {{"records", records}})["saved"], 400);
  EXPECT_EQ(hub.posted("/verify", Json::object())["ok"], true);
}

TEST(HubApi, NeedsForEachOperationWhatItsDescriptionSays) {
  TestHub hub;
  expect_same_needs(hub.api.router(), "hub.openapi.yaml");
}

}  // namespace
}  // namespace duhui::hub
