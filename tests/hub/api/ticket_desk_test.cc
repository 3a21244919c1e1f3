#include "hub/api/ticket_desk.h"

#include "hub/core/tickets.h"
#include "shared/crypto/ticket.h"
#include "tests/hub/api/memory_access.h"

namespace duhui::hub {
namespace {

using testing::Json;
using testing::TestHub;

TEST(TicketDesk, MakesATicketForASchoolThatADeviceCanRedeemOnce) {
  TestHub hub;
  hub.furnish();
  const Json made = hub.posted("/tickets", {{"school", "sch-001"}});
  const auto ticket = parse_ticket(made["file"].get<std::string>());
  ASSERT_TRUE(ticket) << ticket.error().detail;
  EXPECT_EQ(ticket->scopes,
            std::vector<std::string>{"org-430200/org-430202/zone-430202-1/sch-001"});
  EXPECT_EQ(ticket->host, "127.0.0.1");
  EXPECT_EQ(ticket->port, 7443);
  EXPECT_EQ(ticket->hub_pin, hub.access.facts().pin);
  EXPECT_EQ(ticket->hub_key, hub.access.key().public_key().view());
  const auto code = parse_ticket(made["code"].get<std::string>());
  ASSERT_TRUE(code);
  EXPECT_EQ(code->id, ticket->id);

  const std::string shown = ticket_presentation(ticket->id, ticket->secret_view());
  const auto redeem = [&] {
    return hub.access.change([&](HubTransaction& tx) -> Status {
      DUHUI_TRY(judged, judge_ticket(tx, shown, hub.access.now()));
      if (!judged.refused.empty()) return Error{ErrorCode::refused, judged.refused};
      EXPECT_EQ(judged.ticket.name, "小学sch-001");
      return take_use(tx, judged.ticket, hub.access.now());
    });
  };
  EXPECT_TRUE(redeem());
  EXPECT_FALSE(redeem());
  EXPECT_EQ(hub.got("/tickets")["tickets"][0]["state"], "used");
}

TEST(TicketDesk, KeepsTheSecretNowhere) {
  TestHub hub;
  hub.furnish();
  const Json made = hub.posted("/tickets", {{"school", "sch-001"}});
  const auto ticket = parse_ticket(made["file"].get<std::string>());
  ASSERT_TRUE(ticket);
  const std::string secret(ticket->secret_view());
  for (const auto& [key, value] : hub.access.store().state().settings) {
    EXPECT_EQ(value.find(secret), std::string::npos) << key;
  }
  EXPECT_EQ(hub.got("/tickets").dump().find("secret"), std::string::npos);
}

TEST(TicketDesk, RefusesWhatItCannotMake) {
  TestHub hub;
  hub.furnish();
  EXPECT_EQ(hub.post("/tickets", {{"school", "sch-999"}}).status, 400);
  EXPECT_EQ(hub.post("/tickets", Json::object()).status, 400);
  EXPECT_EQ(hub.post("/tickets", {{"school", "sch-001"}, {"uses", 0}}).status, 400);
  EXPECT_EQ(hub.post("/tickets", {{"scopes", {"a//b"}}}).status, 400);
  EXPECT_EQ(hub.post("/tickets", {{"scopes", {"hub"}}}).status, 409);
}

TEST(TicketDesk, NeedsToKnowWhereDevicesReachTheHub) {
  TestHub hub;
  hub.furnish();
  hub.access.set_addresses({.devices_host = "0.0.0.0", .devices_port = 7443});
  EXPECT_EQ(hub.post("/tickets", {{"school", "sch-001"}}).status, 409);
  const Json named = hub.posted("/tickets", {{"school", "sch-001"}, {"address", "hub.example"}});
  EXPECT_EQ(named["address"], "hub.example:7443");
  hub.access.set_addresses({.devices_host = "0.0.0.0", .public_address = "hub.example:9000"});
  EXPECT_EQ(hub.posted("/tickets", {{"school", "sch-001"}})["address"], "hub.example:9000");
}

TEST(TicketDesk, TakesASchoolByItsTenDigitCode) {
  TestHub hub;
  hub.furnish();
  hub.import("schools", {{{"id", "sch-003"},
                          {"name", "小学三"},
                          {"code", "9430202003"},
                          {"district_id", "org-430202"},
                          {"zone_id", "zone-430202-1"}}});
  const Json made = hub.posted("/tickets", {{"school", "9430202003"}});
  EXPECT_EQ(made["scopes"], Json({"org-430200/org-430202/zone-430202-1/sch-003"}));
  EXPECT_EQ(made["name"], "小学三");
  EXPECT_EQ(hub.post("/tickets", {{"school", "9430202999"}}).status, 400);
}

TEST(TicketDesk, GivesALaptopTheSchoolsOfTodaysPostingsAndWhereUnannouncedTasksWait) {
  TestHub hub;
  hub.furnish();
  hub.import("supervisors",
             {{{"id", "sup-001"}, {"name", "王样例"}}, {{"id", "sup-002"}, {"name", "李示例"}}});
  const auto posting = [](const char* id, const char* school, const char* from, const char* to) {
    return Json{{"id", id},
                {"supervisor_id", "sup-001"},
                {"school_id", school},
                {"role", "responsible_supervisor"},
                {"valid_from", from},
                {"valid_to", to}};
  };
  Json over = posting("asg-1", "sch-001", "2024-09-01", "2025-10-08");
  Json ends_today = posting("asg-2", "sch-002", "2024-09-01", "2025-10-09");
  Json begins_tomorrow = posting("asg-3", "sch-001", "2025-10-10", "");
  begins_tomorrow.erase("valid_to");
  hub.import("assignments", {over, ends_today, begins_tomorrow});
  const Json made = hub.posted("/tickets", {{"supervisor", "sup-001"}});
  EXPECT_EQ(made["scopes"],
            Json({"org-430200/org-430202/zone-430202-1/sch-002", "org-430200/org-430202/sup-001",
                  "org-430200/org-430202/supervisors"}));
  EXPECT_EQ(made["name"], "王样例");
  EXPECT_EQ(hub.post("/tickets", {{"supervisor", "sup-002"}}).status, 409) << "no posting";
  EXPECT_EQ(hub.post("/tickets", {{"supervisor", "sup-999"}}).status, 400);
  EXPECT_EQ(hub.post("/tickets", {{"supervisor", "sup-001"}, {"school", "sch-001"}}).status, 400);
}

TEST(TicketDesk, RevokesATicket) {
  TestHub hub;
  hub.furnish();
  const Json made = hub.posted("/tickets", {{"school", "sch-001"}});
  const std::string path = "/tickets/" + made["id"].get<std::string>() + "/revoke";
  EXPECT_EQ(hub.posted(path, Json::object())["state"], "revoked");
  EXPECT_EQ(hub.posted(path, Json::object())["state"], "revoked");
  EXPECT_EQ(hub.got("/tickets")["tickets"][0]["state"], "revoked");
  const auto ticket = parse_ticket(made["file"].get<std::string>());
  ASSERT_TRUE(ticket);
  ASSERT_TRUE(hub.access.change([&](HubTransaction& tx) -> Status {
    DUHUI_TRY(judged, judge_ticket(tx, ticket_presentation(ticket->id, ticket->secret_view()), {}));
    EXPECT_EQ(judged.refused, "ticket: revoked");
    return Done{};
  }));
  EXPECT_EQ(hub.post("/tickets/nosuchid/revoke", Json::object()).status, 404);
}

}  // namespace
}  // namespace duhui::hub
