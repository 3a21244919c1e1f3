#include "shared/record/record_edit.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "duhui/record/v1/notice.pb.h"
#include "duhui/record/v1/problem.pb.h"
#include "duhui/record/v1/visit.pb.h"
#include "shared/record/record_json.h"

namespace duhui {
namespace {

using Json = nlohmann::json;
using record::v1::VisitRecord;

const EditAuthor kWang{.person = "u-sup-001", .at = "2025-10-09T10:05:00+08:00"};

const RecordSchema& schema_of(const char* name) { return *Schema::instance().find(name); }

/// {path: value} of the writes; a removal is null.
Json as_json(const RecordSchema& schema, const Result<RecordEdit>& edit) {
  if (!edit) return to_string(edit.error());
  Json out = Json::object();
  for (const auto& write : edit->writes) {
    if (write.value) {
      EXPECT_TRUE(check_fragment(schema, write.key, *write.value)) << path_of(schema, write.key);
    }
    out[path_of(schema, write.key)] =
        write.value ? fragment_json(schema, write.key, *write.value) : Json();
  }
  return out;
}

Json set_in(const VisitRecord& shown, const char* path, const Json& value) {
  const auto& schema = schema_of("visit_record");
  return as_json(schema, edit_set(schema, path, value, shown, kWang));
}

VisitRecord visit(const char* text) {
  VisitRecord message;
  const auto status = RecordJson::instance().read(Json::parse(text), &message);
  EXPECT_TRUE(status) << to_string(status.error());
  return message;
}

TEST(EditCreate, WritesEveryRegisterOfTheRecordOnce) {
  const auto& schema = schema_of("visit_record");
  const auto edit = edit_create(schema, Json::parse(R"({"school_id":"sch-001",
      "template_id":"TPL_CANTEEN","template_version":1,
      "participants":{"lead":"sup-001","supervisor_ids":["sup-001","sup-002"]},
      "methods":[{"method":"interview","count":2}],
      "scores":{"K1.1":{"u-exp-1":82}}})"),
                                kWang);
  EXPECT_EQ(as_json(schema, edit), Json::parse(R"({"school_id":"sch-001",
      "template_id":{"template_id":"TPL_CANTEEN","template_version":1},
      "participants/lead":"sup-001","participants/supervisor_ids/sup-001":"sup-001",
      "participants/supervisor_ids/sup-002":"sup-002",
      "methods/interview":{"method":"interview","count":2},"scores/K1.1/u-exp-1":82})"));
}

TEST(EditCreate, TurnsAStateIntoTheFirstEvent) {
  const auto& schema = schema_of("problem");
  const auto edit = edit_create(schema, Json{{"title", "t"}, {"state", "notice_issued"}}, kWang);
  EXPECT_EQ(as_json(schema, edit), Json::parse(R"({"title":"t","timeline":[
      {"event":"notice_issued","by":"u-sup-001","at":"2025-10-09T10:05:00+08:00"}]})"));
}

TEST(EditCreate, TakesABareNameForAFile) {
  const auto& schema = schema_of("rectification_response");
  const auto edit = edit_create(schema, Json{{"files", {"1.jpg"}}}, kWang);
  EXPECT_EQ(as_json(schema, edit), Json::parse(R"({"files/1.jpg":{"file_name":"1.jpg"}})"));
}

TEST(EditCreate, RefusesAFieldTheTypeDoesNotHave) {
  const auto edit = edit_create(schema_of("problem"), Json{{"colour", "red"}}, kWang);
  ASSERT_FALSE(edit);
  EXPECT_EQ(edit.error().detail, "unknown_field: colour");
}

TEST(EditSet, WritesOneMapEntryWithItsAuthor) {
  EXPECT_EQ(set_in({}, "item_answers/C6", {{"value", "yes"}}),
            Json::parse(R"({"item_answers/C6":{"value":"yes","by":"u-sup-001"}})"));
  EXPECT_EQ(set_in({}, "narrative/u-sup-001", "text"), Json({{"narrative/u-sup-001", "text"}}));
  EXPECT_EQ(set_in({}, "item_answers/C6", nullptr), Json({{"item_answers/C6", nullptr}}));
}

TEST(EditSet, KeepsTheOtherPartsOfAnElement) {
  const auto shown = visit(R"({"attachments":[{"id":"ph2"},{"id":"ph1","by":"u-sup-001"}],
      "item_answers":{"C6":{"value":"no","remark":"r","by":"u-sup-002"}}})");
  EXPECT_EQ(set_in(shown, "attachments/ph1/caption", "gate"),
            Json::parse(R"({"attachments/ph1":{"id":"ph1","by":"u-sup-001","caption":"gate"}})"));
  EXPECT_EQ(set_in(shown, "item_answers/C6/remark", "new"),
            Json::parse(R"({"item_answers/C6":{"value":"no","remark":"new","by":"u-sup-002"}})"));
}

TEST(EditSet, WritesAGroupAsAWhole) {
  const auto shown = visit(R"({"template_id":"A","template_version":1,"school_id":"s"})");
  EXPECT_EQ(set_in(shown, "template_version", 2),
            Json::parse(R"({"template_id":{"template_id":"A","template_version":2}})"));
}

TEST(EditSet, ClearsAFieldWithNull) {
  EXPECT_EQ(set_in(visit(R"({"term":"t"})"), "term", nullptr), Json({{"term", nullptr}}));
}

TEST(EditSet, FindsElementsByEnumeratorsAndByTwoKeys) {
  const auto shown = visit(R"({"methods":[{"method":"interview","count":2}],
                               "scores":{"K1.1":{"u-exp-1":82,"u-exp-2":91}}})");
  EXPECT_EQ(set_in(shown, "methods/interview/count", 3),
            Json::parse(R"({"methods/interview":{"method":"interview","count":3}})"));
  EXPECT_EQ(set_in(shown, "scores/K1.1/u-exp-2", 90.5), Json({{"scores/K1.1/u-exp-2", 90.5}}));
  EXPECT_EQ(set_in(shown, "scores/K1.2/u-exp-2", 70), Json({{"scores/K1.2/u-exp-2", 70}}));
}

TEST(EditSet, RefusesPathsThatNameNothingWritable) {
  for (const char* path : {"colour", "participants", "item_answers", "methods", "status", "id",
                           "signatures", "item_answers/C6/colour", "attachments/ph1/colour/x",
                           "methods/dancing", "visit_date/x", "narrative/u-sup-001/x", ""}) {
    const auto edit = edit_set(schema_of("visit_record"), path, "x", VisitRecord(), kWang);
    ASSERT_FALSE(edit) << path;
    EXPECT_EQ(edit.error().code, ErrorCode::invalid_input) << path;
  }
}

TEST(EditSets, AddAndRemoveByKey) {
  const auto& schema = schema_of("visit_record");
  const Json method = {{"method", "interview"}, {"count", 6}};
  EXPECT_EQ(as_json(schema, edit_add(schema, "methods", method)),
            Json({{"methods/interview", method}}));
  const Json removed = {{"methods/interview", nullptr}};
  EXPECT_EQ(as_json(schema, edit_remove(schema, "methods", "interview")), removed);
  EXPECT_EQ(as_json(schema, edit_remove(schema, "methods", method)), removed);
  EXPECT_EQ(as_json(schema, edit_remove(schema, "methods/interview", nullptr)), removed);
  EXPECT_EQ(as_json(schema, edit_add(schema, "participants/supervisor_ids", "sup-009")),
            Json({{"participants/supervisor_ids/sup-009", "sup-009"}}));
  EXPECT_FALSE(edit_add(schema, "signatures", Json::object()));
  EXPECT_FALSE(edit_remove(schema, "term", nullptr));
}

TEST(EditAppend, FillsInAuthorAndTime) {
  const auto& notice = schema_of("rectification_notice");
  const auto acknowledged = edit_append(notice, "acknowledgements", Json::object(), kWang);
  EXPECT_EQ(
      as_json(notice, acknowledged),
      Json::parse(R"({"acknowledgements":[{"by":"u-sup-001","at":"2025-10-09T10:05:00+08:00"}]})"));
  EXPECT_FALSE(acknowledged->sees_all);
  const auto& visits = schema_of("visit_record");
  const auto signed_sheet = edit_append(visits, "signatures", {{"signer", "u-pri-001"}}, kWang);
  EXPECT_EQ(
      as_json(visits, signed_sheet),
      Json::parse(
          R"({"signatures":[{"signer":"u-pri-001","signed_at":"2025-10-09T10:05:00+08:00"}]})"));
  EXPECT_TRUE(signed_sheet->sees_all);
}

TEST(EditTransition, AppendsAnEventThatNamesWhatWasSeen) {
  const auto& visits = schema_of("visit_record");
  const auto edit = edit_transition(visits, "returned", Json{{"reason", "why"}}, kWang);
  EXPECT_EQ(as_json(visits, edit), Json::parse(R"({"status_log":[{"status":"returned",
      "reason":"why","by":"u-sup-001","at":"2025-10-09T10:05:00+08:00"}]})"));
  EXPECT_TRUE(edit->sees_all);
  const auto& problems = schema_of("problem");
  EXPECT_EQ(as_json(problems, edit_transition(problems, "waived", Json{{"reason", "why"}}, kWang)),
            Json::parse(R"({"timeline":[{"event":"waived","note":"why","by":"u-sup-001",
                            "at":"2025-10-09T10:05:00+08:00"}]})"));
  EXPECT_FALSE(edit_transition(visits, "flying", nullptr, kWang));
  EXPECT_FALSE(edit_transition(schema_of("school"), "closed", nullptr, kWang));
}

TEST(EditDelete, WritesTheDeletionRegisterAndNamesWhatWasSeen) {
  const auto edit = edit_delete();
  ASSERT_EQ(edit.writes.size(), 1u);
  EXPECT_EQ(edit.writes[0].key.field, kDeletedField);
  EXPECT_TRUE(check_fragment(schema_of("visit_record"), edit.writes[0].key, *edit.writes[0].value));
  EXPECT_TRUE(edit.sees_all);
}

TEST(RegisterOf, NamesTheSameRegisterAsTheEdit) {
  const auto& schema = schema_of("visit_record");
  for (const char* path : {"item_answers/C6", "participants/lead", "methods/interview",
                           "attachments/ph1", "scores/K1.1/u-exp-1", "signatures"}) {
    const auto key = register_of(schema, path);
    ASSERT_TRUE(key) << path;
    EXPECT_EQ(path_of(schema, *key), path);
  }
  EXPECT_EQ(path_of(schema, *register_of(schema, "attachments/ph1/caption")), "attachments/ph1");
}

}  // namespace
}  // namespace duhui
