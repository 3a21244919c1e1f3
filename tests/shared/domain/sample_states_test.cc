#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "shared/base/random.h"
#include "shared/domain/record_events.h"
#include "shared/record/record_edit.h"
#include "tests/shared/record/sample_data.h"

namespace duhui {
namespace {

/// A record that one creating op made of this JSON.
RecordState created(const RecordSchema& schema, const nlohmann::json& record) {
  const auto edit = edit_create(schema, record, {.person = "u-off", .at = ""});
  EXPECT_TRUE(edit) << to_string(edit.error());
  sync::v1::Op op;
  op.set_record_id(std::string(16, 'r'));
  op.set_record_type(schema.rule.type());
  op.set_creates(true);
  op.set_scope("city/district/zone/school");
  for (const auto& write : edit->writes) {
    auto* out = op.add_writes();
    out->set_field(write.key.field);
    out->set_key(write.key.key);
    out->set_value(*write.value);
  }
  RecordState state;
  Dot dot{.origin = {}, .seq = 1};
  dot.origin.bytes.fill('o');
  const auto applied = state.apply(dot, op, OpStamp{});
  EXPECT_TRUE(applied) << to_string(applied.error());
  return state;
}

TEST(SampleStates, FollowFromTheEventsOfEveryRecord) {
  std::size_t records = 0;
  for (const auto& file : testing::sample_files()) {
    const auto& schema = *Schema::instance().find(file.type);
    if (schema.rule.state().empty() || file.type == "template") continue;
    for (const auto& record : testing::sample_records(file)) {
      const auto state = created(schema, record);
      const auto events = events_of(schema, state);
      const auto folded = fold(machine_of(schema), events);
      ASSERT_EQ(state_name(schema, folded.state), record.at(schema.rule.state()).get<std::string>())
          << record.dump();
      for (std::size_t i = 0; i < events.size(); ++i) {
        EXPECT_TRUE(folded.verdicts[i].effective)
            << record["id"] << ' ' << event_name(schema, events[i].to) << ' '
            << folded.verdicts[i].reason;
      }
      ++records;
    }
  }
  EXPECT_GT(records, 1200u);
}

}  // namespace
}  // namespace duhui
