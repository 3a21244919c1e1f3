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

}  // namespace
}  // namespace duhui::hub
