#include "shared/domain/school_part.h"

#include <gtest/gtest.h>

#include "duhui/record/v1/visit.pb.h"
#include "shared/domain/authority.h"

namespace duhui {
namespace {

using record::v1::VisitRecord;

const RecordSchema& visit() { return *Schema::instance().find("visit_record"); }

sync::v1::Op op_of(const VisitRecord& content) {
  sync::v1::Op op;
  op.set_record_id(std::string(16, 'v'));
  op.set_record_type(visit().rule.type());
  op.set_person("wang");
  const auto fragments = split(visit(), content);
  EXPECT_TRUE(fragments);
  for (const Fragment& one : *fragments) {
    sync::v1::Write* write = op.add_writes();
    write->set_field(one.key.field);
    write->set_key(one.key.key);
    write->set_value(one.value);
  }
  return op;
}

/// Every type, every state it can be shown in: whoever reads as the school's principal reads
/// exactly the records that are open to the school.
TEST(SchoolPartTest, AgreesWithTheAuthority) {
  Subject principal{.kind = Subject::Kind::person,
                    .person = "u-p",
                    .school_id = "sch",
                    .grants = {{record::v1::ROLE_PRINCIPAL, "city/sch"}},
                    .today = "2025-10-09"};
  for (const auto& [type, schema] : Schema::instance().types()) {
    std::vector<std::string> states{"", "draft", "no such state"};
    states.insert(states.end(), schema.rule.school_states().begin(),
                  schema.rule.school_states().end());
    for (const std::string& state : states) {
      for (const bool presented : {false, true}) {
        const RecordFacts facts{.schema = &schema,
                                .scope = "city/sch",
                                .school_id = "sch",
                                .state = state,
                                .presented = presented};
        if (authorize(principal, Verb::read, facts)) {
          EXPECT_TRUE(!is_lockable(&schema) || open_to_school(schema, state, presented))
              << schema.rule.name() << " " << state;
        }
      }
    }
  }
}

TEST(SchoolPartTest, LocksWhatSupervisorsAndOfficesReadOnly) {
  const auto lockable = [](std::string_view type) {
    return is_lockable(Schema::instance().find(type));
  };
  EXPECT_TRUE(lockable("visit_record"));
  EXPECT_TRUE(lockable("problem"));
  EXPECT_TRUE(lockable("evaluation"));
  EXPECT_TRUE(lockable("sample_draw"));
  EXPECT_TRUE(is_lockable(nullptr));  // of a newer program
  // Without these nobody could sign in, or fill in anything.
  for (const char* type : {"user", "credential", "org", "school", "template", "assignment"}) {
    EXPECT_FALSE(lockable(type)) << type;
  }
}

TEST(SchoolPartTest, NothingOfADraft) {
  VisitRecord content;
  content.set_visit_date("2025-10-09");
  sync::v1::Op part;
  EXPECT_EQ(school_part(&visit(), false, op_of(content), &part), SchoolPart::nothing);
  EXPECT_EQ(school_part(nullptr, true, op_of(content), &part), SchoolPart::nothing);
}

TEST(SchoolPartTest, ScoresStayHiddenInASubmittedVisit) {
  VisitRecord content;
  content.set_visit_date("2025-10-09");
  (*content.mutable_narrative())["wang"] = "seen";
  auto* score = content.add_scores();
  score->set_item_code("R1");
  score->set_author("wang");
  score->mutable_value()->set_number(61.5);
  const sync::v1::Op op = op_of(content);
  sync::v1::Op part;
  ASSERT_EQ(school_part(&visit(), true, op, &part), SchoolPart::some);
  ASSERT_EQ(part.writes_size(), 2);
  for (const sync::v1::Write& write : part.writes()) {
    EXPECT_NE(static_cast<int>(write.field()), VisitRecord::kScoresFieldNumber);
  }
  EXPECT_EQ(part.person(), op.person());
}

TEST(SchoolPartTest, AllOfAnOpWithNothingToHide) {
  VisitRecord content;
  (*content.mutable_narrative())["wang"] = "seen";
  sync::v1::Op part;
  EXPECT_EQ(school_part(&visit(), true, op_of(content), &part), SchoolPart::all);
}

TEST(SchoolPartTest, NotesBesideStepsAreNotForTheSchool) {
  VisitRecord content;
  auto* step = content.add_status_events();
  step->set_to(record::v1::VISIT_STATUS_RETURNED);
  step->set_reason("between us: write this otherwise");
  sync::v1::Op part;
  ASSERT_EQ(school_part(&visit(), true, op_of(content), &part), SchoolPart::some);
  EXPECT_EQ(part.SerializeAsString().find("between us"), std::string::npos);
  VisitRecord shown;
  ASSERT_TRUE(shown.ParseFromString(part.writes(0).value()));
  EXPECT_EQ(shown.status_events(0).to(), record::v1::VISIT_STATUS_RETURNED);

  sync::v1::Op with_reason = op_of(VisitRecord());
  with_reason.set_reason("between us");
  ASSERT_EQ(school_part(&visit(), true, with_reason, &part), SchoolPart::some);
  EXPECT_TRUE(part.reason().empty());
}

}  // namespace
}  // namespace duhui
