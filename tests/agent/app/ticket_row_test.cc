#include "agent/app/ticket_row.h"

#include <gtest/gtest.h>

#include "shared/record/base64.h"

namespace duhui::agent {
namespace {

std::string row(const std::string& host, const std::string& ticket) {
  return "sch-001," + host + ",id," + to_base64(ticket) + "\n";
}
const std::string kHead = "school,host,id,ticket\n";

std::string why(const std::string& csv, const std::string& host) {
  const auto found = ticket_of_host(csv, host);
  if (found) return "found " + *found;
  EXPECT_EQ(found.error().code, ErrorCode::invalid_input);
  return found.error().detail;
}

TEST(TicketOfHost, FindsTheRowOfTheHostInWhateverCase) {
  const std::string csv =
      kHead + row("PC-Office", "one") + row(" pc-lab ", "two") + row("", "three");
  for (const char* host : {"pc-office", "PC-OFFICE", "Pc-Office"}) {
    EXPECT_EQ(why(csv, host), "found one");
  }
  EXPECT_EQ(why(csv, "PC-LAB"), "found two");
}

TEST(TicketOfHost, SaysWhatIsWrong) {
  const std::string csv = kHead + row("a", "one") + row("b", "two") + row("A", "three");
  EXPECT_EQ(why(csv, "a"), "init: host a is in line 2 and in line 4: one must be another");
  EXPECT_EQ(why(csv, "c"), "init: no row for host c: add one, or say which with --host");
  EXPECT_EQ(why(csv, "b"), "found two") << "what is wrong with others does not matter";
  EXPECT_EQ(why(kHead + row("", "one"), ""),
            "init: this machine has no name: say which row with --host");
  EXPECT_EQ(why("school,ticket\nx,y\n", "a"), "init: the file has no column host");
  EXPECT_EQ(why("school,host\nx,a\n", "a"), "init: the file has no column ticket");
  EXPECT_EQ(why(kHead + "sch-001,a,id,\n", "a"), "init: line 2: the column ticket is damaged");
  EXPECT_EQ(why(kHead + "sch-001,a,id,%%%%\n", "a"), "init: line 2: the column ticket is damaged");
  EXPECT_EQ(why(kHead + "sch-001,a\n", "a"), "line 2: 2 cells, the header has 4");
}

TEST(HostName, IsKnown) { EXPECT_FALSE(host_name().empty()); }

}  // namespace
}  // namespace duhui::agent
