#include "hub/app/ticket_sheet.h"

#include <gtest/gtest.h>

#include "shared/record/base64.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

TEST(TicketSheet, AsksForATicketForEachRowWithItsOwnUsesAndExpiry) {
  const auto sheet = TicketSheet::read(
      "note,school,host,uses,expires,name\n"
      "x,sch-001,PC-1,,,\n"
      "y,9430202002,PC-2,3,30d,前台\n",
      {.uses = 2, .expires_hours = 5, .address = "hub.example:7443"});
  ASSERT_TRUE(sheet) << sheet.error().detail;
  ASSERT_EQ(sheet->size(), 2u);
  EXPECT_EQ(sheet->order(0), (Json{{"school", "sch-001"},
                                   {"uses", 2},
                                   {"expires_hours", 5},
                                   {"address", "hub.example:7443"}}));
  EXPECT_EQ(sheet->order(1)["uses"], 3);
  EXPECT_EQ(sheet->order(1)["expires_hours"], 720);
  EXPECT_EQ(sheet->order(1)["name"], "前台");
}

TEST(TicketSheet, WritesTheSameColumnsAndTheTickets) {
  const auto sheet = TicketSheet::read("host,school\nPC-1,sch-001\n", {});
  ASSERT_TRUE(sheet);
  EXPECT_EQ(sheet->written({Json{{"id", "abcdefgh"}, {"file", "duhui-ticket 1\nid abc\n"}}}),
            "host,school,id,ticket\nPC-1,sch-001,abcdefgh," +
                to_base64("duhui-ticket 1\nid abc\n") + "\n");
}

TEST(TicketSheet, RefusesASheetThatIsWrongAnywhereBeforeAnythingIsMade) {
  const auto why = [](const char* text) {
    const auto sheet = TicketSheet::read(text, {});
    return sheet ? std::string() : sheet.error().detail;
  };
  EXPECT_EQ(why("host\nPC-1\n"), "the column school is missing");
  EXPECT_EQ(why("school,ticket\nsch-001,x\n"), "the column ticket is for the result");
  EXPECT_EQ(why("school\n"), "no rows");
  EXPECT_EQ(why("school,host\nsch-001,PC-1\n,PC-2\n"), "line 3: school: empty");
  EXPECT_EQ(why("school,host\nsch-001,PC-1\nsch-002,pc-1\n"),
            "line 3: host pc-1 is in line 2 already");
  EXPECT_TRUE(why("school,uses\nsch-001,0\n").starts_with("line 2: not a number"));
  EXPECT_TRUE(why("school,uses\nsch-001,1001\n").starts_with("line 2: uses"));
  EXPECT_TRUE(why("school,expires\nsch-001,30\n").starts_with("line 2: expires"));
  EXPECT_EQ(why("school,host\nsch-001,\nsch-002,\n"), "") << "a host may be missing";
}

TEST(ParseExpiry, TakesHoursAndDaysUpToAYear) {
  EXPECT_EQ(*parse_expiry("72h"), 72u);
  EXPECT_EQ(*parse_expiry("30d"), 720u);
  EXPECT_EQ(*parse_expiry("366d"), 8784u);
  for (const char* wrong :
       {"", "h", "0h", "-1h", "72", "72m", "7 d", "367d", "8785h", "4294967295d", "99999999999h"}) {
    EXPECT_FALSE(parse_expiry(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace duhui::hub
