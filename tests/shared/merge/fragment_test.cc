#include "sample_record.h"
#include "shared/merge/wire_field.h"

namespace duhui {
namespace {

std::vector<RegisterKey> keys_of(const Sheet& sheet) {
  std::vector<RegisterKey> keys;
  const auto fragments = split(sheet_schema(), sheet);
  EXPECT_TRUE(fragments);
  for (const Fragment& fragment : *fragments) keys.push_back(fragment.key);
  return keys;
}

bool is_accepted(const RegisterKey& key, std::string_view value) {
  return check_fragment(sheet_schema(), key, value).has_value();
}

Sheet full_sheet() {
  Sheet sheet = answered("A1", true, "seen");
  sheet.set_title("t");
  sheet.set_place("p");
  sheet.set_floor(3);
  (*sheet.mutable_answers())["A2"].mutable_value()->set_text("good");
  auto* tool = sheet.add_tools();
  tool->set_kind("a/b");
  tool->set_part("50%");
  sheet.add_tools()->set_kind("c");
  sheet.add_events()->set_to("draft");
  sheet.add_events()->set_to("submitted");
  sheet.add_levels(merge_sample::LEVEL_MINOR);
  sheet.add_levels(merge_sample::LEVEL_SERIOUS);
  sheet.add_tags("one");
  sheet.add_tags("two");
  return sheet;
}

TEST(Split, MakesOneFragmentPerRegister) {
  EXPECT_EQ(keys_of(full_sheet()), (std::vector<RegisterKey>{{1, ""},
                                                             {2, ""},
                                                             {4, "A1"},
                                                             {4, "A2"},
                                                             {5, "a%2Fb/50%25"},
                                                             {5, "c/"},
                                                             {6, ""},
                                                             {16, "1"},
                                                             {16, "2"},
                                                             {17, ""}}));
}

TEST(Split, TogetherItsFragmentsAreTheRecordAgain) {
  const auto fragments = split(sheet_schema(), full_sheet());
  ASSERT_TRUE(fragments);
  std::string together;
  for (const Fragment& fragment : *fragments) {
    EXPECT_TRUE(is_accepted(fragment.key, fragment.value)) << fragment.key.field;
    together += fragment.value;
  }
  Sheet again;
  ASSERT_TRUE(again.ParseFromString(together));
  EXPECT_EQ(again.ShortDebugString(), full_sheet().ShortDebugString());
}

TEST(Split, GivesUnknownFieldsRegistersOfTheirOwn) {
  Sheet sheet;
  ASSERT_TRUE(sheet.ParseFromString(std::string("\xe2\x2b\x02hi", 5)));
  EXPECT_EQ(keys_of(sheet), (std::vector<RegisterKey>{{700, ""}}));
}

TEST(Split, RefusesElementsWithoutAKeyOrWithTheSame) {
  Sheet nameless;
  nameless.add_tools();
  EXPECT_FALSE(split(sheet_schema(), nameless));
  Sheet twice;
  twice.add_tools()->set_kind("a");
  twice.add_tools()->set_kind("a");
  EXPECT_FALSE(split(sheet_schema(), twice));
  Sheet no_code;
  (*no_code.mutable_answers())[""].set_remark("x");
  EXPECT_FALSE(split(sheet_schema(), no_code));
}

TEST(CheckFragment, RefusesFieldsOfAnotherRegister) {
  const std::string title = titled("x").SerializeAsString();
  EXPECT_TRUE(is_accepted({1, ""}, title));
  EXPECT_FALSE(is_accepted({11, ""}, title));
  EXPECT_FALSE(is_accepted({1, ""}, title + noted("smuggled").SerializeAsString()));
  EXPECT_FALSE(is_accepted({700, ""}, title));
}

TEST(CheckFragment, RefusesElementsOfAnotherKeyAndTwoInOne) {
  const std::string answer = answered("A1", true).SerializeAsString();
  EXPECT_TRUE(is_accepted({4, "A1"}, answer));
  EXPECT_FALSE(is_accepted({4, "A2"}, answer));
  EXPECT_FALSE(is_accepted({4, ""}, answer));
  EXPECT_FALSE(is_accepted({4, "A1"}, answer + answer));
  EXPECT_FALSE(is_accepted({1, "key"}, titled("x").SerializeAsString()));
}

TEST(CheckFragment, KnowsGroupsByTheirFirstField) {
  Sheet grouped;
  grouped.set_place("p");
  grouped.set_floor(1);
  EXPECT_TRUE(is_accepted({2, ""}, grouped.SerializeAsString()));
  EXPECT_FALSE(is_accepted({3, ""}, grouped.SerializeAsString()));
}

TEST(CheckFragment, RefusesWhatAParserCouldNotRead) {
  EXPECT_FALSE(is_accepted({1, ""}, "\x0a\x05x"));         // truncated
  EXPECT_FALSE(is_accepted({1, ""}, "\x0a\x02\xc0\x80"));  // overlong UTF-8
  EXPECT_FALSE(is_accepted({1, ""}, "\x08\x01"));          // a number in a text field
  EXPECT_FALSE(is_accepted({1, ""}, "\x0b\x0c"));          // group
  EXPECT_FALSE(
      is_accepted({1, ""}, titled("x").SerializeAsString() + titled("y").SerializeAsString()));
  EXPECT_FALSE(is_accepted({4, "A"}, std::string("\x22\x07\x0a\x01"
                                                 "A\x12\x02\x12\x01",
                                                 9)));  // broken inside the answer
}

TEST(CheckFragment, RefusesDerivedFields) {
  EXPECT_FALSE(is_accepted({14, ""}, std::string("\x72\x01x", 3)));
}

TEST(CheckFragment, AcceptsThePackedAndTheUnpackedForm) {
  EXPECT_TRUE(is_accepted({16, "1"}, std::string("\x80\x01\x01", 3)));
  EXPECT_TRUE(is_accepted({16, "1"}, std::string("\x82\x01\x01\x01", 4)));
  EXPECT_FALSE(is_accepted({16, "1"}, std::string("\x82\x01\x02\x01\x02", 5)));
}

TEST(Schema, KnowsEveryLinkedRecordTypeByNumberAndName) {
  const Schema& schema = Schema::instance();
  const RecordSchema* visit = schema.find("visit_record");
  ASSERT_NE(visit, nullptr);
  EXPECT_EQ(schema.find(visit->rule.type()), visit);
  EXPECT_EQ(schema.find(std::uint32_t{987'654}), nullptr);
  EXPECT_EQ(schema.find("no such record"), nullptr);
}

TEST(Utf8, IsCheckedAsUnicodeDefinesIt) {
  EXPECT_TRUE(is_valid_utf8("督导 visit \xf0\x9f\x8f\xab"));
  for (const char* wrong : {"\x80", "\xc1\x81", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                            "\xf0\x80\x80\x80", "\xe7\x9d", "\xff"}) {
    EXPECT_FALSE(is_valid_utf8(wrong));
  }
}

}  // namespace
}  // namespace duhui
