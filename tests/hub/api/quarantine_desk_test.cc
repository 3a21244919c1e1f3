#include "hub/api/quarantine_desk.h"

#include <gtest/gtest.h>

#include "shared/base/bytes.h"
#include "shared/merge/hybrid_clock.h"
#include "shared/sync/payload_codec.h"
#include "shared/sync/stream_chain.h"
#include "tests/hub/api/memory_access.h"

namespace duhui::hub::testing {
namespace {

const Json kVisit = {{"school_id", "sch-001"},
                     {"visit_kind", "routine"},
                     {"visit_mode", "drop_in"},
                     {"visit_date", "2025-10-09"},
                     {"template_id", "TPL_ROUTINE_8"},
                     {"template_version", 1},
                     {"participants", {{"lead", "u-sup-001"}}}};

/// A hub with one visit and a device whose ops come straight into its database.
struct Desk : TestHub {
  Desk() {
    furnish();
    import("users",
           {{ {"id", "u-sup-009"},
              {"name", "刘督学"},
              {"role", "responsible_supervisor"},
              { "scope_org_id",
                "org-430202" } }});
    visit = posted("/records", {{"type", "visit_record"}, {"value", kVisit}, {"as", "u-sup-001"}})
                .value("id", "");
    device.id = DeviceId::random(access.random());
    device.name = "样例小学";
    device.scopes = {"org-430200"};
    origin = Origin::random(access.random());
    EXPECT_TRUE(access.change([&](HubTransaction& tx) { return tx.devices().put(device); }));
  }

  /// An op of `person` that copies the remarks of this visit into field 17 under a new text.
  sync::v1::Op editing(const std::string& person, const std::string& date) {
    const auto id = *RecordId::from_bytes(*from_uuid_text(visit));
    sync::v1::Op op;
    EXPECT_TRUE(access.read([&](HubTransaction& tx, OpReader& ops) -> Status {
      DUHUI_TRY(row, tx.records().get(id));
      DUHUI_TRY(state, ops.load(tx, *row));
      op.set_record_id(id.str());
      op.set_record_type(row->type);
      op.mutable_born()->set_origin(state.born()->origin.str());
      op.mutable_born()->set_seq(state.born()->seq);
      for (const auto& [key, reg] : state.registers()) {
        const std::string& value = *reg.live.front().value;
        const auto at = value.find("2025-10-09");
        if (at == std::string::npos) continue;
        sync::v1::Write* write = op.add_writes();
        write->set_field(key.field);
        write->set_key(key.key);
        write->set_value(std::string(value).replace(at, date.size(), date));
        sync::v1::Dot* replaced = write->add_replaces();
        replaced->set_origin(reg.live.front().dot.origin.str());
        replaced->set_seq(reg.live.front().dot.seq);
        break;
      }
      return Done{};
    }));
    EXPECT_EQ(op.writes_size(), 1);
    op.set_person(person);
    op.set_rank(2);
    op.mutable_time()->set_hlc(static_cast<std::uint64_t>(access.now().ms) << 16);
    return op;
  }
  void send(const sync::v1::Op& op) { access.receive(device, origin, op.SerializeAsString()); }
  void set_revoked(bool revoked) {
    const std::string path = "/devices/" + to_uuid_text(device.id.view());
    posted(path + (revoked ? "/revoke" : "/restore"), Json::object());
  }
  std::string date() { return got("/records/" + visit)["value"].value("visit_date", ""); }
  /// The entries of the audit log about the quarantine.
  std::vector<Json> told() {
    std::vector<Json> entries;
    const Json log = got("/audit?limit=1000");
    for (const Json& entry : log["entries"]) {
      if (entry["action"].get<std::string>().starts_with("quarantine.")) entries.push_back(entry);
    }
    return entries;
  }
  Json waiting(const std::string& kind = "") {
    return got("/quarantine" + (kind.empty() ? "" : "?kind=" + kind))["quarantine"];
  }

  DeviceRow device;
  Origin origin;
  std::string visit;
};

TEST(QuarantineDesk, ShowsWhatARevokedDeviceWouldWrite) {
  Desk hub;
  hub.set_revoked(true);
  hub.send(hub.editing("u-sup-001", "2025-10-10"));
  const Json rows = hub.waiting();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0]["kind"], "revoked");
  EXPECT_EQ(rows[0]["device"], "样例小学");
  EXPECT_EQ(rows[0]["device_id"], to_uuid_text(hub.device.id.view()));
  EXPECT_EQ(rows[0]["person"], "u-sup-001");
  EXPECT_EQ(rows[0]["record"], hub.visit);
  EXPECT_EQ(rows[0]["type"], "visit_record");
  EXPECT_EQ(rows[0]["writes"], "visit_date");
  EXPECT_EQ(hub.date(), "2025-10-09");
}

TEST(QuarantineDesk, AcceptsAllThatADeviceSentWhileItWasRevoked) {
  Desk hub;
  hub.set_revoked(true);
  hub.send(hub.editing("u-sup-009", "2025-10-10"));
  hub.send(hub.editing("u-sup-009", "2025-10-11"));
  hub.set_revoked(false);
  EXPECT_EQ(hub.waiting("revoked").size(), 2u);
  const Json decided = hub.posted(
      "/quarantine/accept", {{"device", to_uuid_text(hub.device.id.view())}, {"as", "u-off-1"}});
  EXPECT_EQ(decided["decided"], 2);
  EXPECT_TRUE(decided["left"].empty());
  EXPECT_EQ(hub.date(), "2025-10-11");
  EXPECT_TRUE(hub.waiting().empty());
  EXPECT_EQ(hub.posted("/verify", Json::object())["ok"], true);
}

TEST(QuarantineDesk, SetsAsideForEver) {
  Desk hub;
  hub.set_revoked(true);
  hub.send(hub.editing("u-sup-001", "2025-10-10"));
  const Json dots = {hub.waiting()[0]["dot"]};
  EXPECT_EQ(hub.posted("/quarantine/set-aside", {{"dots", dots}, {"as", "u-off-1"}})["decided"], 1);
  EXPECT_TRUE(hub.waiting().empty());
  ASSERT_EQ(hub.waiting("set_aside").size(), 1u);
  EXPECT_NE(hub.waiting("set_aside")[0]["detail"].get<std::string>().find("u-off-1"),
            std::string::npos);
  const Json again = hub.posted("/quarantine/accept", {{"dots", dots}, {"as", "u-off-1"}});
  EXPECT_EQ(again["decided"], 0);
  EXPECT_EQ(again["left"][0]["kind"], "set_aside");
  EXPECT_EQ(hub.date(), "2025-10-09");
}

TEST(QuarantineDesk, AcceptingAProposalIsAnEditOfWhoDecides) {
  Desk hub;
  hub.send(hub.editing("u-con-001", "2025-10-12"));  // a school's contact may not
  ASSERT_EQ(hub.waiting().size(), 1u);
  EXPECT_EQ(hub.waiting()[0]["kind"], "proposal");
  EXPECT_EQ(hub.date(), "2025-10-09");
  const Json dots = {hub.waiting()[0]["dot"]};
  EXPECT_EQ(hub.posted("/quarantine/accept", {{"dots", dots}, {"as", "u-sup-001"}})["decided"], 1);
  EXPECT_EQ(hub.date(), "2025-10-12");
  EXPECT_TRUE(hub.waiting().empty());
  const Json why = hub.got("/records/" + hub.visit + "/why?path=visit_date");
  EXPECT_EQ(why["entries"][0]["by"], "u-sup-001");
}

TEST(QuarantineDesk, AProposalIsAcceptedByNobodyWithoutAuthority) {
  Desk hub;
  hub.send(hub.editing("u-con-001", "2025-10-12"));
  const Json dots = {hub.waiting()[0]["dot"]};
  EXPECT_GE(hub.post("/quarantine/accept", {{"dots", dots}, {"as", "u-con-001"}}).status, 400);
  EXPECT_GE(hub.post("/quarantine/accept", {{"dots", dots}, {"as", "u-nobody"}}).status, 400);
  EXPECT_EQ(hub.date(), "2025-10-09");
  EXPECT_EQ(hub.waiting().size(), 1u);
}

TEST(QuarantineDesk, AProposalThatIsSetAsideStaysInItsRecord) {
  Desk hub;
  hub.send(hub.editing("u-con-001", "2025-10-12"));
  const Json dots = {hub.waiting()[0]["dot"]};
  EXPECT_EQ(hub.posted("/quarantine/set-aside", {{"dots", dots}, {"as", "u-off-1"}})["decided"], 1);
  EXPECT_TRUE(hub.waiting().empty());
  EXPECT_EQ(hub.got("/records/" + hub.visit)["proposals"].size(), 1u);
  EXPECT_EQ(hub.date(), "2025-10-09");
}

TEST(QuarantineDesk, TellsTheAuditLogWhoDecidedAboutEachOp) {
  Desk hub;
  hub.set_revoked(true);
  for (const char* date : {"2025-10-10", "2025-10-11", "2025-10-12"}) {
    hub.send(hub.editing("u-sup-009", date));
  }
  const std::string third = hub.waiting()[2]["dot"];
  hub.posted("/quarantine/set-aside", {{"dots", {third}}, {"as", "u-off-1"}});
  hub.posted("/quarantine/accept",
             {{"device", to_uuid_text(hub.device.id.view())}, {"as", "u-off-1"}});
  const std::vector<Json> told = hub.told();
  ASSERT_EQ(told.size(), 5u);
  EXPECT_EQ(told[0]["actor"], "operator");
  EXPECT_EQ(told[0]["outcome"], "begun");
  EXPECT_EQ(told[0]["detail"], "as=u-off-1, ops=1");
  EXPECT_EQ(told[1]["action"], "quarantine.set_aside");
  EXPECT_EQ(told[1]["actor"], "u-off-1");
  EXPECT_EQ(told[1]["target_id"], third);
  EXPECT_EQ(told[1]["detail"], "kind=revoked");
  EXPECT_EQ(told[2]["target_type"], "device");
  EXPECT_EQ(told[2]["target_id"], to_uuid_text(hub.device.id.view()));
  for (const std::size_t at : {std::size_t{3}, std::size_t{4}}) {
    EXPECT_EQ(told[at]["action"], "quarantine.accept");
    EXPECT_EQ(told[at]["actor"], "u-off-1");
    EXPECT_EQ(told[at]["target_type"], "op");
    EXPECT_EQ(told[at]["outcome"], "done");
  }
  EXPECT_EQ(hub.posted("/audit/verify", Json::object())["problem"], "");
}

TEST(QuarantineDesk, TellsTheAuditLogOfAcceptedProposals) {
  Desk hub;
  hub.send(hub.editing("u-con-001", "2025-10-12"));
  const std::string dot = hub.waiting()[0]["dot"];
  hub.posted("/quarantine/accept", {{"dots", {dot}}, {"as", "u-sup-001"}});
  ASSERT_EQ(hub.told().size(), 2u);
  EXPECT_EQ(hub.told()[1]["actor"], "u-sup-001");
  EXPECT_EQ(hub.told()[1]["target_id"], dot);
  EXPECT_EQ(hub.told()[1]["detail"], "kind=proposal");
}

TEST(QuarantineDesk, DecidesNothingThatItCannotTellOf) {
  Desk hub;
  hub.set_revoked(true);
  hub.send(hub.editing("u-sup-001", "2025-10-10"));
  const Json body = {{"dots", {hub.waiting()[0]["dot"]}}, {"as", "u-off-1"}};
  hub.access.store().fail_next_commit({ErrorCode::storage_failed, "no space"});
  EXPECT_FALSE(hub.post("/quarantine/accept", body).ok());
  EXPECT_EQ(hub.date(), "2025-10-09");
  EXPECT_EQ(hub.waiting().size(), 1u);
}

/// Somebody who signed in at the hub.
api::ApiResponse asked_by(Desk& hub,
                          record::v1::Role role,
                          const std::string& scope,
                          std::string_view method,
                          const std::string& path,
                          const Json& body = nullptr) {
  const std::string target = "/api/v1" + path;
  const std::string text = body.is_null() ? "" : body.dump();
  return api::settled(hub.api.answer(api::ApiCall{.method = method,
                                                  .target = target,
                                                  .body = text,
                                                  .subject = {.kind = Subject::Kind::person,
                                                              .place = Subject::Place::hub,
                                                              .person = "u-off-1",
                                                              .grants = {{role, scope}},
                                                              .today = "2025-10-09"}}));
}

TEST(QuarantineDesk, AnOfficerSeesToTheOwnDistrictOnly) {
  Desk hub;
  hub.device.scopes = {"org-430200/org-430202/zone-430202-1/sch-001"};
  ASSERT_TRUE(hub.access.change([&](HubTransaction& tx) { return tx.devices().put(hub.device); }));
  hub.set_revoked(true);
  hub.send(hub.editing("u-sup-001", "2025-10-10"));
  const Json dot = hub.waiting()[0]["dot"];
  const std::string device = to_uuid_text(hub.device.id.view());
  constexpr auto kOfficer = record::v1::ROLE_DISTRICT_OFFICER;
  const std::string elsewhere = "org-430200/org-430203";
  const auto count = [&](record::v1::Role role, const std::string& scope, const char* path) {
    const Json body = asked_by(hub, role, scope, "GET", path).body;
    return body.contains("quarantine") ? body["quarantine"].size() : body["devices"].size();
  };
  for (const char* path : {"/quarantine", "/quarantine?kind=revoked", "/devices"}) {
    EXPECT_EQ(count(kOfficer, elsewhere, path), 0u) << path;
    EXPECT_EQ(count(kOfficer, "", path), 0u) << path;
    EXPECT_EQ(count(kOfficer, "org-430200/org-430202", path), 1u) << path;
    EXPECT_EQ(count(record::v1::ROLE_CITY_OFFICER, "org-430200", path), 1u) << path;
    EXPECT_EQ(count(record::v1::ROLE_AUDITOR, "org-430200/org-430203", path), 1u) << path;
  }
  EXPECT_EQ(count(record::v1::ROLE_IT_ADMIN, "", "/devices"), 1u);
  // A device of others is answered for like one that does not exist.
  const std::string path = "/devices/";
  const auto theirs = asked_by(hub, kOfficer, elsewhere, "GET", path + device);
  EXPECT_EQ(theirs.status, 404);
  EXPECT_EQ(theirs.body,
            asked_by(hub, kOfficer, elsewhere, "GET", path + "0199027c-d700-4867-b438-4bb4a48f4cf7")
                .body);
  EXPECT_EQ(asked_by(hub, kOfficer, "org-430200/org-430202", "GET", path + device).status, 200);

  for (const char* decision : {"/quarantine/accept", "/quarantine/set-aside"}) {
    const Json left = asked_by(hub, kOfficer, elsewhere, "POST", decision, {{"dots", {dot}}}).body;
    EXPECT_EQ(left["decided"], 0);
    EXPECT_EQ(left["left"], (Json::array({{{"dot", dot}, {"kind", "unknown"}}})));
    EXPECT_EQ(asked_by(hub, kOfficer, elsewhere, "POST", decision, {{"device", device}}).status,
              404);
  }
  EXPECT_EQ(hub.waiting().size(), 1u);
  const Json done = asked_by(hub, kOfficer, "org-430200/org-430202", "POST", "/quarantine/accept",
                             {{"dots", {dot}}})
                        .body;
  EXPECT_EQ(done["decided"], 1) << done.dump();
}

TEST(QuarantineDesk, RefusesRequestsThatSayNothingUseful) {
  Desk hub;
  for (const Json& body :
       {Json::object(), Json{{"as", "u-off-1"}}, Json{{"as", "u-off-1"}, {"dots", Json::array()}},
        Json{{"as", "u-off-1"}, {"dots", {"no dot"}}}, Json{{"as", "u-off-1"}, {"device", "x"}},
        Json{{"dots", {to_string(Dot{hub.origin, 1})}}}}) {
    EXPECT_EQ(hub.post("/quarantine/accept", body).status, 400) << body.dump();
  }
  const Json unknown = hub.posted("/quarantine/accept",
                                  {{"as", "u-off-1"}, {"dots", {to_string(Dot{hub.origin, 1})}}});
  EXPECT_EQ(unknown["left"][0]["kind"], "unknown");
}

}  // namespace
}  // namespace duhui::hub::testing
