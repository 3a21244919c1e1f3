#include "shared/domain/present.h"

#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include "shared/domain/check_edit.h"
#include "shared/domain/follow_ups.h"
#include "shared/domain/hub_rules.h"
#include "tests/shared/domain/replica.h"

namespace duhui {
namespace {

using Json = nlohmann::json;
using record::v1::WRITER_CITY;
using record::v1::WRITER_DISTRICT;
using record::v1::WRITER_SCHOOL;
using record::v1::WRITER_SUPERVISOR;
using testing::Replica;

const Replica::Author kWang{.person = "u-sup-001"};
const Replica::Author kLi{.person = "u-sup-002"};
const Replica::Author kSchool{.person = "u-con-001", .rank = WRITER_SCHOOL};
const Replica::Author kOffice{.person = "u-off-1", .rank = WRITER_DISTRICT, .at_hub = true};
const Replica::Author kCity{.person = "u-city-1", .rank = WRITER_CITY, .at_hub = true};

EditAuthor at(const Replica::Author& author, const char* time) {
  return {.person = author.person, .at = time};
}

Json photo(const char* id, const Replica::Author& by) { return {{"id", id}, {"by", by.person}}; }

/// A joint draft that both replicas hold.
struct Joint {
  Joint() {
    a.create(kWang, {{"school_id", "sch-001"},
                     {"visit_date", "2025-10-09"},
                     {"participants", {{"lead", "sup-001"}, {"supervisor_ids", {"sup-001"}}}},
                     {"methods", Json::array({{{"method", "walkthrough"}, {"count", 2}}})},
                     {"unsigned_reason", "test"}});
    b.take(a);
  }
  void exchange() {
    a.take(b);
    b.take(a);
  }
  Replica a{"visit_record", 'a'};
  Replica b{"visit_record", 'b'};
};

Status submit(const Replica& replica, const Replica::Author& author) {
  const auto edit = edit_transition(replica.schema(), "submitted", nullptr, at(author, "t"));
  return check_edit(replica.presented(), *edit, author.person, author.rank);
}

TEST(Present, AsksWhenTwoPeopleAnswerTheSameItemDifferently) {
  Joint visit;
  visit.a.set(kWang, "item_answers/C6", {{"value", "yes"}});
  visit.b.set(kLi, "item_answers/C6", {{"value", "no"}});
  EXPECT_TRUE(submit(visit.a, kWang));
  visit.exchange();
  for (const Replica* replica : {&visit.a, &visit.b}) {
    const auto field = replica->field("item_answers/C6");
    EXPECT_TRUE(field["shown"].is_null());
    EXPECT_EQ(field["siblings"].size(), 2u);
    EXPECT_EQ(replica->presented().conflicts, std::vector<std::string>{"item_answers/C6"});
    const auto status = submit(*replica, kWang);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().detail.rfind("open_conflict:", 0), 0u) << status.error().detail;
  }
  visit.a.set(kWang, "item_answers/C6", {{"value", "no"}, {"remark", "both looked again"}});
  visit.exchange();
  EXPECT_EQ(visit.b.field("item_answers/C6")["shown"]["value"], "no");
  EXPECT_EQ(visit.b.field("item_answers/C6")["history"].size(), 2u);
  EXPECT_TRUE(visit.b.presented().conflicts.empty());
  EXPECT_TRUE(submit(visit.a, kWang));
}

TEST(Present, KeepsAPhotoThatAColleagueCaptionedWhileItsAuthorRemovedIt) {
  Joint visit;
  visit.a.save(kWang, edit_add(visit.a.schema(), "attachments", photo("ph1", kWang)));
  visit.a.save(kWang, edit_add(visit.a.schema(), "attachments", photo("ph2", kWang)));
  visit.exchange();
  const auto remove = edit_remove(visit.b.schema(), "attachments", "ph2");
  const auto status = check_edit(visit.b.presented(), *remove, kLi.person, kLi.rank);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().detail.rfind("not_author:", 0), 0u);
  EXPECT_TRUE(check_edit(visit.a.presented(), *remove, kWang.person, kWang.rank));

  visit.a.save(kWang, edit_remove(visit.a.schema(), "attachments", "ph1"));
  visit.a.save(kWang, remove);
  visit.b.set(kLi, "attachments/ph1/caption", "desks");
  visit.exchange();
  for (const Replica* replica : {&visit.a, &visit.b}) {
    const auto presented = replica->presented();
    ASSERT_EQ(presented.record["attachments"].size(), 1u);
    EXPECT_EQ(presented.record["attachments"][0]["id"], "ph1");
    EXPECT_EQ(replica->field("attachments/ph1/caption")["shown"], "desks");
    EXPECT_TRUE(presented.has_flag("kept_after_concurrent_edit"));
  }
}

TEST(Present, LetsWhatArrivesAfterSubmissionWaitAsAnAmendment) {
  Joint visit;
  const Json signature = {{"signer", "u-sup-001"}, {"role", "supervisor"}};
  visit.a.save(kWang, edit_append(visit.a.schema(), "signatures", signature, at(kWang, "t")));
  visit.a.save(kWang, edit_transition(visit.a.schema(), "submitted", nullptr, at(kWang, "t")));
  visit.b.save(kLi, edit_add(visit.b.schema(), "attachments", photo("ph2", kLi)));
  visit.b.set(kLi, "narrative/u-sup-002", "late");
  visit.exchange();
  for (const Replica* replica : {&visit.a, &visit.b}) {
    const auto presented = replica->presented();
    EXPECT_EQ(presented.state, "submitted");
    EXPECT_TRUE(presented.has_flag("amendment_pending"));
    EXPECT_FALSE(presented.record.contains("attachments"));
    EXPECT_TRUE(replica->field("narrative/u-sup-002")["shown"].is_null());
    EXPECT_EQ(presented.record["signatures"][0]["stale"], false);
    EXPECT_EQ(presented.record["amendments"].size(), 1u);  // one for each author
    EXPECT_EQ(presented.record["amendments"][0]["contains"],
              Json({"attachments/ph2", "narrative/u-sup-002"}));
    EXPECT_EQ(presented.record["amendments"][0]["by"], "u-sup-002");
    EXPECT_EQ(presented.record["amendments"][0]["status"], "pending");
  }
  visit.a.save(kWang, edit_transition(visit.a.schema(), "amended", nullptr, at(kWang, "t")));
  const auto presented = visit.a.presented();
  EXPECT_EQ(presented.state, "amended");
  EXPECT_EQ(presented.record["version"], 2);
  EXPECT_FALSE(presented.has_flag("amendment_pending"));
  EXPECT_EQ(visit.a.field("narrative/u-sup-002")["shown"], "late");
  EXPECT_EQ(presented.record["signatures"][0]["stale"], true);
}

TEST(Present, BringsADeletedDraftBackWhenSomebodyEditedItUnseen) {
  Joint visit;
  visit.a.save(kWang, edit_delete());
  EXPECT_EQ(visit.a.presented().state, "discarded");
  visit.b.set(kLi, "narrative/u-sup-002", "more");
  visit.exchange();
  for (const Replica* replica : {&visit.a, &visit.b}) {
    EXPECT_EQ(replica->presented().state, "draft");
    EXPECT_TRUE(replica->presented().has_flag("restored"));
    EXPECT_EQ(replica->presented().restored_because, "u-sup-002");
  }
}

TEST(Present, LetsTheOfficeOverruleTheSeverityAndTheHigherOneWinElsewhere) {
  Replica a("problem", 'a');
  Replica hub("problem", 'h');
  Replica b("problem", 'b');
  a.create(kWang, {{"severity", "minor"}, {"state", "found"}});
  hub.take(a);
  b.take(a);
  a.set(kWang, "severity", "general");
  b.set(kLi, "severity", "serious");
  a.take(b);
  EXPECT_EQ(a.field("severity")["shown"], "serious");
  hub.set(kOffice, "severity", "general");
  a.take(hub);
  EXPECT_EQ(a.field("severity")["shown"], "general");
  EXPECT_EQ(a.field("severity")["conflict"], false);
}

TEST(Rules, CarryTheWayOfAProblemFromRecordToRecord) {
  const auto state = [](const char* name) {
    FollowUpContext context;
    context.problem_state = [name](const std::string&) { return std::optional<std::string>(name); };
    context.problems_of_notice = [](const std::string&) { return std::vector<std::string>{"p1"}; };
    return context;
  };
  const auto event = [](const std::vector<FollowUp>& out) -> std::string {
    if (out.size() != 1) return std::to_string(out.size()) + " follow-ups";
    const auto& problem = *Schema::instance().find(out[0].type);
    const auto& write = out[0].edit.writes.at(0);
    return fragment_json(problem, write.key, *write.value).at(0).at("event");
  };
  const auto run = [&](const char* type, const Json& after, const Result<RecordEdit>& edit,
                       const char* from) {
    return event(follow_ups(*Schema::instance().find(type), "r1", after, *edit,
                            {.person = "u", .at = "2025-10-09T10:30:00+08:00"}, state(from)));
  };
  const auto& response = *Schema::instance().find("rectification_response");
  const auto& notice = *Schema::instance().find("rectification_notice");
  const auto& recheck = *Schema::instance().find("recheck");
  const auto& escalation = *Schema::instance().find("escalation");
  const EditAuthor who{.person = "u", .at = "t"};
  const Json of_notice = {{"notice_id", "n1"}};
  const Json of_problem = {{"problem_ids", {"p1"}}};
  EXPECT_EQ(run("rectification_response", of_notice, edit_transition(response, "sent", {}, who),
                "notice_issued"),
            "answered");
  EXPECT_EQ(run("rectification_response", of_notice, edit_transition(response, "sent", {}, who),
                "withdrawn"),
            "0 follow-ups");
  EXPECT_EQ(
      run("rectification_notice", of_problem, edit_transition(notice, "issued", {}, who), "found"),
      "notice_issued");
  EXPECT_EQ(run("rectification_notice", of_problem,
                edit_append(notice, "acknowledgements", Json::object(), who), "notice_issued"),
            "acknowledged");
  EXPECT_EQ(run("rectification_notice", of_problem, edit_transition(notice, "withdrawn", {}, who),
                "answered"),
            "withdrawn");
  const Json passed = {{"problem_id", "p1"}, {"verdict", "passed"}, {"level", "district"}};
  const Json failed = {{"problem_id", "p1"}, {"verdict", "failed"}, {"level", "city"}};
  EXPECT_EQ(run("recheck", passed, edit_create(recheck, passed, who), "answered"), "closed");
  EXPECT_EQ(run("recheck", failed, edit_create(recheck, failed, who), "answered"), "returned");
  EXPECT_EQ(run("recheck", failed, edit_create(recheck, failed, who), "closed"), "reopened");
  const Json talk = {{"kind", "admonition_talk"}, {"problem_ids", {"p1"}}};
  EXPECT_EQ(run("escalation", talk, edit_create(escalation, talk, who), "answered"), "talked");
}

TEST(Rules, ClosesOnTheDayOfTheRecheckAndCancelsTheLaterEscalation) {
  Replica a("problem", 'a');
  Replica hub("problem", 'h');
  hub.create(kOffice, {{"state", "notice_issued"}});
  hub.save(kSchool, edit_transition(hub.schema(), "answered", {}, at(kSchool, "2025-10-08")));
  a.take(hub);
  const Json closing = {{"effective_on", "2025-10-09"},
                        {"level", "district"},
                        {"cause_id", "rc1"},
                        {"evidence_at", "2025-10-09T10:18:00+08:00"}};
  a.save(kWang, edit_transition(a.schema(), "closed", closing, at(kWang, "2025-10-09T10:30")));
  hub.save(kOffice,
           edit_transition(hub.schema(), "escalated", {}, at(kOffice, "2025-10-16T09:00")));
  hub.take(a);
  hub.context.now = "2025-10-17T12:00:00+08:00";
  hub.context.notice_of_problem = [](const std::string&) {
    return NoticeFacts{.id = "n1", .state = "open", .due_at = "2025-10-10T23:59:59+08:00"};
  };
  const auto problem = hub.presented();
  EXPECT_EQ(problem.state, "closed");
  EXPECT_EQ(problem.record["closed_effective_on"], "2025-10-09");
  EXPECT_EQ(problem.effective_recheck, "rc1");
  EXPECT_TRUE(problem.has_flag("on_time_confirmed"));
  EXPECT_FALSE(problem.has_flag("overdue"));
  const auto cancelled =
      cancel_escalations(problem, {{"e1", "2025-10-16T09:00"}}, at(kOffice, "t"));
  ASSERT_EQ(cancelled.size(), 1u);
  const auto& write = cancelled[0].edit.writes[0];
  const auto& escalation = *Schema::instance().find("escalation");
  EXPECT_EQ(fragment_json(escalation, write.key, *write.value)[0]["result"], "已于9日整改到位");
  EXPECT_TRUE(cancel_escalations(problem, {{"e2", "2025-10-01T09:00"}}, at(kOffice, "t")).empty());
}

TEST(Rules, RefuseWhatIsNotTheWritersToWrite) {
  Joint visit;
  const auto& schema = visit.a.schema();
  const auto before = visit.a.presented();
  const auto text = edit_set(schema, "narrative/u-sup-001", "x", *before.message, at(kLi, "t"));
  EXPECT_EQ(check_edit(before, *text, kLi.person, WRITER_SUPERVISOR).error().detail,
            "not_author: narrative/u-sup-001");
  const auto answer =
      edit_set(schema, "item_answers/R1", {{"value", "good"}}, *before.message, at(kSchool, "t"));
  EXPECT_EQ(check_edit(before, *answer, kSchool.person, WRITER_SCHOOL).error().detail,
            "not_permitted: item_answers/R1");
  const auto accept = edit_transition(schema, "accepted", {}, at(kWang, "t"));
  EXPECT_FALSE(check_edit(before, *accept, kWang.person, WRITER_SUPERVISOR));
}

TEST(HubRules, NumberNoticesPerDistrictAndNeverTwice) {
  EXPECT_EQ(official_number("天元区", "2025-10-09T11:04:00+08:00", 7), "天督整〔2025〕第7号");
  EXPECT_EQ(provisional_number("9430202001", 1), "临-9430202001-1");
  Replica notice("rectification_notice", 'a');
  notice.create(kWang, {{"school_id", "sch-001"}, {"state", "draft"}});
  EXPECT_FALSE(needs_number(notice.presented()));
  notice.save(kWang, edit_transition(notice.schema(), "issued", {}, at(kWang, "2025-10-09")));
  ASSERT_TRUE(needs_number(notice.presented()));
  notice.save(kOffice, assign_number(notice.presented(), "天督整〔2025〕第7号", "2025-10-09"));
  EXPECT_EQ(notice.presented().record["number"], "天督整〔2025〕第7号");
  EXPECT_FALSE(assign_number(notice.presented(), "天督整〔2025〕第8号", "2025-10-10"));
}

}  // namespace
}  // namespace duhui
