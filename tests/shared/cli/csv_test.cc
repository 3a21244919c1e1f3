#include "shared/cli/csv.h"

#include <gtest/gtest.h>

namespace duhui::cli {
namespace {

TEST(Csv, ReadsQuotedCellsWithCommasQuotesAndLineBreaks) {
  const auto rows = parse_csv("id,note\r\n1,\"a, \"\"b\"\"\nc\"\r\n2,\r\n");
  ASSERT_TRUE(rows) << rows.error().detail;
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].cells.at("note"), "a, \"b\"\nc");
  EXPECT_EQ((*rows)[0].line, 2u);
  EXPECT_EQ((*rows)[1].cells.at("note"), "");
  EXPECT_EQ((*rows)[1].line, 4u);  // the row before took two lines
}

TEST(Csv, SkipsAByteOrderMarkAndBlankLines) {
  const auto rows = parse_csv("\xef\xbb\xbfid\n\n1\n\n");
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ((*rows)[0].cells.at("id"), "1");
}

TEST(Csv, ReadsAFileWithoutALastLineEnd) {
  const auto rows = parse_csv("id,name\n1,王");
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->at(0).cells.at("name"), "王");
}

TEST(Csv, NamesTheLineThatIsWrong) {
  EXPECT_TRUE(parse_csv("a,b\n1,2\n3\n").error().detail.starts_with("line 3: 1 cells"));
  EXPECT_TRUE(parse_csv("a\n\"open\n").error().detail.starts_with("line 2: a quote"));
  EXPECT_TRUE(parse_csv("a\n\"x\"y\n").error().detail.starts_with("line 2: something"));
  EXPECT_TRUE(parse_csv("a,a\n1,2\n").error().detail.starts_with("line 1: a column"));
}

TEST(Csv, TakesNothingFromNothing) {
  EXPECT_TRUE(parse_csv("")->empty());
  EXPECT_TRUE(parse_csv("id,name\n")->empty());
}

TEST(Csv, KeepsTheOrderOfTheColumns) {
  const auto table = parse_csv_table("school,host\nsch-001,PC-1\n");
  ASSERT_TRUE(table);
  EXPECT_EQ(table->columns, (std::vector<std::string>{"school", "host"}));
  EXPECT_EQ(table->rows.at(0).cells.at("host"), "PC-1");
}

TEST(Csv, ReadsBackWhatItWrites) {
  const std::vector<std::string> cells = {"a", "b, \"c\"\nd", "", "王"};
  EXPECT_EQ(csv_line({"a", "b"}), "a,b\n");
  const auto rows = parse_csv("1,2,3,4\n" + csv_line(cells));
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->at(0).cells.at("2"), cells[1]);
  EXPECT_EQ(rows->at(0).cells.at("3"), "");
  EXPECT_EQ(rows->at(0).cells.at("4"), cells[3]);
}

}  // namespace
}  // namespace duhui::cli
