#include "tests/shared/record/sample_data.h"

#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include "shared/merge/schema.h"
#include "shared/record/record_json.h"

namespace duhui {
namespace {

using testing::SampleFile;

/// Numbers must keep their kind too: json compares 5 and 5.0 as equal. A field of type double is
/// the exception (it has one kind), so the comparison there is by value.
void expect_same_text_where_scalar(const nlohmann::json& in, const nlohmann::json& out) {
  EXPECT_EQ(in.dump(), out.dump());
}

class SampleRecords : public ::testing::TestWithParam<SampleFile> {};

TEST_P(SampleRecords, ReadAndWrittenBackAreEqualFieldByField) {
  const auto* schema = Schema::instance().find(GetParam().type);
  ASSERT_NE(schema, nullptr);
  const auto records = testing::sample_records(GetParam());
  ASSERT_FALSE(records.empty());
  for (const auto& record : records) {
    const auto message = new_message(*schema->descriptor);
    const auto status = RecordJson::instance().read(record, message.get());
    ASSERT_TRUE(status) << to_string(status.error()) << " in " << record.dump();
    const auto written = RecordJson::instance().write(*message);
    ASSERT_EQ(testing::without_unset(record), written);
    expect_same_text_where_scalar(testing::without_unset(record), written);
  }
}

TEST_P(SampleRecords, SplitIntoRegistersAndPutTogetherAgainLoseNothingThatTravels) {
  const auto* schema = Schema::instance().find(GetParam().type);
  for (const auto& record : testing::sample_records(GetParam())) {
    const auto message = new_message(*schema->descriptor);
    ASSERT_TRUE(RecordJson::instance().read(record, message.get()));
    const auto fragments = split(*schema, *message);
    ASSERT_TRUE(fragments) << to_string(fragments.error()) << " in " << record.dump();
    std::string bytes;
    for (const auto& fragment : *fragments) {
      ASSERT_TRUE(check_fragment(*schema, fragment.key, fragment.value));
      bytes += fragment.value;
    }
    const auto joined = new_message(*schema->descriptor);
    ASSERT_TRUE(joined->ParseFromString(bytes));
    auto expected = RecordJson::instance().write(*message);
    for (const auto& [number, field] : schema->fields) {
      if (field.rule.policy() != record::v1::POLICY_DERIVED) continue;
      expected.erase(json_path_of(*field.field));
    }
    auto written = RecordJson::instance().write(*joined);
    // Elements of a set come back in the order of their keys.
    for (auto* json : {&expected, &written}) {
      for (auto& value : *json) {
        if (value.is_array()) std::sort(value.begin(), value.end());
      }
      for (const char* list : {"supervisor_ids", "companions"}) {
        if (!json->contains("participants") || !(*json)["participants"].contains(list)) continue;
        auto& value = (*json)["participants"][list];
        std::sort(value.begin(), value.end());
      }
    }
    ASSERT_EQ(expected, written);
  }
}

std::string file_name(const ::testing::TestParamInfo<SampleFile>& info) {
  std::string name;
  for (const char c : info.param.file) {
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(AllFiles,
                         SampleRecords,
                         ::testing::ValuesIn(testing::sample_files()),
                         file_name);

}  // namespace
}  // namespace duhui
