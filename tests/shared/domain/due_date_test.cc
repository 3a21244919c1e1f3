#include "shared/domain/due_date.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "shared/record/record_json.h"
#include "tests/shared/record/sample_data.h"

namespace duhui {
namespace {

record::v1::Calendar sample_calendar() {
  record::v1::Calendar calendar;
  const auto json = testing::sample_records({"calendar.json", "calendar"}).front();
  EXPECT_TRUE(RecordJson::instance().read(json, &calendar));
  return calendar;
}

TEST(DueDate, AgreesWithEveryNoticeOfTheSampleTerm) {
  const auto calendar = sample_calendar();
  std::size_t notices = 0;
  for (const auto& notice : testing::sample_records({"notices.jsonl", "rectification_notice"})) {
    record::v1::DueRule rule;
    ASSERT_TRUE(RecordJson::instance().read(notice.at("due_rule"), &rule));
    const auto due = due_at(notice.at("issued_at"), rule, calendar);
    ASSERT_TRUE(due);
    EXPECT_EQ(*due, notice.at("due_at_original").get<std::string>()) << notice["ref"];
    ++notices;
  }
  EXPECT_EQ(notices, 141u);
}

TEST(DueDate, RefusesWhatIsNoDate) {
  record::v1::DueRule rule;
  rule.set_n(3);
  for (const char* text : {"", "2025-13-01", "2025-02-30", "yesterday!", "2025/10/09"}) {
    EXPECT_FALSE(due_at(text, rule, {})) << text;
  }
}

}  // namespace
}  // namespace duhui
