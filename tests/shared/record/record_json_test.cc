#include "shared/record/record_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "duhui/record/v1/visit.pb.h"
#include "shared/merge/schema.h"
#include "shared/record/base64.h"
#include "shared/record/json_text.h"
#include "shared/record/limits.h"

namespace duhui {
namespace {

using Json = nlohmann::json;
using record::v1::VisitRecord;

Status read_visit(const char* text, VisitRecord* out) {
  return RecordJson::instance().read(Json::parse(text), out);
}

TEST(RecordJson, KeepsWholeNumbersWholeAndOthersAsTheyAre) {
  VisitRecord visit;
  const char* text =
      R"({"item_answers":{"D4":{"value":52},"D9":{"value":73.0},"D1":{"value":"yes"}}})";
  ASSERT_TRUE(read_visit(text, &visit));
  EXPECT_EQ(visit.item_answers().at("D4").value().integer(), 52);
  EXPECT_EQ(visit.item_answers().at("D9").value().number(), 73.0);
  EXPECT_EQ(RecordJson::instance().write(visit).dump(), Json::parse(text).dump());
}

TEST(RecordJson, PutsFieldsWithAPathInsideTheirObject) {
  VisitRecord visit;
  const char* text = R"({"participants":{"lead":"sup-001","supervisor_ids":["sup-001"]}})";
  ASSERT_TRUE(read_visit(text, &visit));
  EXPECT_EQ(visit.lead(), "sup-001");
  EXPECT_EQ(RecordJson::instance().write(visit), Json::parse(text));
}

TEST(RecordJson, NestsScoresByItemAndAuthor) {
  VisitRecord visit;
  const char* text = R"({"scores":{"K1.1":{"u-exp-1":82,"u-exp-2":91.5}}})";
  ASSERT_TRUE(read_visit(text, &visit));
  ASSERT_EQ(visit.scores_size(), 2);
  EXPECT_EQ(visit.scores(0).item_code(), "K1.1");
  EXPECT_EQ(RecordJson::instance().write(visit), Json::parse(text));
}

TEST(RecordJson, TellsEmptyTextZeroAndFalseFromNotSet) {
  VisitRecord visit;
  ASSERT_TRUE(read_visit(R"({"unannounced":false,"term":"","ref":null,"methods":[]})", &visit));
  EXPECT_EQ(RecordJson::instance().write(visit), Json::parse(R"({"unannounced":false,"term":""})"));
}

TEST(RecordJson, NamesTheFieldItDoesNotKnow) {
  VisitRecord visit;
  const auto status = read_visit(R"({"participants":{"leader":"sup-001"}})", &visit);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::invalid_input);
  EXPECT_EQ(status.error().detail, "unknown_field: participants.leader");
}

TEST(RecordJson, NamesTheFieldWhoseTypeIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"visit_date":20251009})", "wrong_type: visit_date: wants text"},
      {R"({"visit_kind":"Routine"})", "wrong_type: visit_kind: wants an identifier of VisitKind"},
      {R"({"visit_kind":"unspecified"})",
       "wrong_type: visit_kind: wants an identifier of VisitKind"},
      {R"({"template_version":1.5})", "wrong_type: template_version: wants a whole number"},
      {R"({"template_version":-1})", "wrong_type: template_version: wants a whole number"},
      {R"({"unannounced":"yes"})", "wrong_type: unannounced: wants true or false"},
      {R"({"methods":{"method":"interview"}})", "wrong_type: methods: wants an array"},
      {R"({"item_answers":{"C6":{"value":[1]}}})",
       "wrong_type: item_answers.C6.value: wants text or a number"},
      {R"({"narrative":{"u-sup-001":7}})", "wrong_type: narrative.u-sup-001: wants text"},
      {R"({"participants":["sup-001"]})", "wrong_type: participants: wants an object"},
      {R"([])", "wrong_type: : wants an object"},
  };
  for (const auto& [text, detail] : cases) {
    VisitRecord visit;
    const auto status = read_visit(text, &visit);
    ASSERT_FALSE(status) << text;
    EXPECT_EQ(status.error().detail, detail);
  }
}

TEST(RecordJson, RefusesTextOverTheLimit) {
  VisitRecord visit;
  const Json value = {{"term", std::string(kJsonStringBytesMax + 1, 'x')}};
  const auto status = RecordJson::instance().read(value, &visit);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::limit_exceeded);
}

TEST(RecordJson, CarriesThumbnailsAsBase64) {
  VisitRecord visit;
  ASSERT_TRUE(read_visit(R"({"attachments":[{"id":"ph1","thumbnail":"AP8Q"}]})", &visit));
  EXPECT_EQ(visit.attachments(0).thumbnail(), std::string("\0\xff\x10", 3));
  EXPECT_EQ(RecordJson::instance().write(visit)["attachments"][0]["thumbnail"], "AP8Q");
  EXPECT_FALSE(read_visit(R"({"attachments":[{"id":"ph1","thumbnail":"AP8"}]})", &visit));
}

TEST(Base64, TurnsEveryLengthAround) {
  std::string bytes;
  for (int length = 0; length < 70; ++length) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    bytes += static_cast<char>(length * 37);
  }
  EXPECT_EQ(to_base64("foob"), "Zm9vYg==");
  EXPECT_FALSE(from_base64("Zm=v"));
  EXPECT_FALSE(from_base64("Zm9vYg==Zm9v"));
}

TEST(JsonText, RefusesWhatIsTooDeepTooLongOrNotJson) {
  EXPECT_EQ(parse_json(std::string(kJsonBytesMax + 1, ' ')).error().code,
            ErrorCode::limit_exceeded);
  EXPECT_EQ(parse_json(std::string(1000, '[')).error().code, ErrorCode::limit_exceeded);
  EXPECT_EQ(parse_json("{\"a\":}").error().code, ErrorCode::invalid_input);
  EXPECT_EQ(parse_json("\"\xff\"").error().code, ErrorCode::invalid_input);
  const auto value = parse_json(R"({"brackets in text do not count": "[[[[[[[[[[[[[[[[[[[[[["})");
  EXPECT_TRUE(value);
}

TEST(RecordJson, NeverWritesNorReadsWhatIsSecret) {
  const auto* type = Schema::instance().find("credential");
  const auto message = new_message(*type->descriptor);
  const auto* field = type->descriptor->FindFieldByName("secret");
  message->GetReflection()->SetString(message.get(), field, "sealed...");
  EXPECT_EQ(RecordJson::instance().write(*message), Json::object());
  EXPECT_FALSE(RecordJson::instance().read(Json{{"secret", "x"}}, message.get()));
}

TEST(RegistryRow, RefusesAColumnTheTypeDoesNotHave) {
  const auto& type = *Schema::instance().find("school")->descriptor;
  const auto row = RecordJson::instance().registry_row(type, {{"id", "sch-1"}, {"colour", "red"}});
  ASSERT_FALSE(row);
  EXPECT_EQ(row.error().detail, "unknown_field: colour");
}

TEST(RegistryRow, TakesNumbersTruthAndListsByTheFieldsType) {
  const auto& type = *Schema::instance().find("school")->descriptor;
  const auto row = RecordJson::instance().registry_row(type, {{"id", "sch-1"},
                                                              {"code", "0012"},
                                                              {"students", "612"},
                                                              {"boarding", "no"},
                                                              {"flags", "community_kg;unlicensed"},
                                                              {"lat", "27.5"},
                                                              {"note", ""}});
  ASSERT_TRUE(row);
  EXPECT_EQ(*row, Json::parse(R"({"id":"sch-1","code":"0012","students":612,"boarding":false,
                                  "flags":["community_kg","unlicensed"],"lat":27.5})"));
}

}  // namespace
}  // namespace duhui
