#include "shared/api/subjects.h"

#include <gtest/gtest.h>

#include "people_records.h"

namespace duhui::api {
namespace {

using record::v1::ROLE_DISTRICT_OFFICER;
using record::v1::ROLE_RESPONSIBLE_SUPERVISOR;
using record::v1::ROLE_SCHOOL_CONTACT;

class SubjectsTest : public testing::Test {
 protected:
  const KnownPerson* find(const std::string& id) {
    now_ = now_ + kPersonKnownFor + milliseconds(1);
    auto found = subjects_.find(id, now_);
    EXPECT_TRUE(found.has_value());
    return *found;
  }

  PeopleRecords people_;
  Subjects subjects_{people_.records, Subject::Place::agent};
  MonotonicTime now_{1000};
};

TEST_F(SubjectsTest, ASupervisorHasAZoneAndPostings) {
  const KnownPerson* wang = find("u-sup-001");
  ASSERT_NE(wang, nullptr);
  EXPECT_EQ(wang->subject.kind, Subject::Kind::person);
  EXPECT_EQ(wang->subject.supervisor_id, "sup-001");
  EXPECT_EQ(wang->subject.today, "2025-10-09");
  EXPECT_EQ(
      wang->subject.grants,
      (std::vector<Grant>{{ROLE_RESPONSIBLE_SUPERVISOR, "org-430200/org-430202/zone-430202-1"}}));
  EXPECT_EQ(wang->subject.postings, (std::vector<Posting>{{"sch-001", "2024-09-01", ""}}));
}

TEST_F(SubjectsTest, AnOfficerHasTheDistrictAndASchoolItsOwnPlace) {
  EXPECT_EQ(find("u-off-1")->subject.grants,
            (std::vector<Grant>{{ROLE_DISTRICT_OFFICER, "org-430200/org-430202"}}));
  const Subject contact = find("u-con-001")->subject;
  EXPECT_EQ(contact.grants, (std::vector<Grant>{{ROLE_SCHOOL_CONTACT, kPlace}}));
  EXPECT_EQ(contact.school_id, "sch-001");
}

TEST_F(SubjectsTest, ARoleOutsideItsTimeIsNone) {
  people_.put("user", {{"id", "u-off-1"},
                       {"login", "off.1"},
                       {"role", "district_officer"},
                       {"scope_org_id", "org-430202"},
                       {"valid_to", "2025-10-08"},
                       {"status", "active"}});
  EXPECT_FALSE(find("u-off-1")->active);
  EXPECT_EQ(find("u-off-1")->subject.kind, Subject::Kind::nobody);
  people_.put("user", {{"id", "u-off-1"},
                       {"login", "off.1"},
                       {"role", "district_officer"},
                       {"scope_org_id", "org-430202"},
                       {"valid_to", "2025-10-09"},
                       {"status", "active"}});
  EXPECT_TRUE(find("u-off-1")->active);
}

TEST_F(SubjectsTest, FurtherRolesCountInTheirTime) {
  people_.put(
      "user",
      {{"id", "u-lead"},
       {"login", "lead"},
       {"role", "leader"},
       {"scope_org_id", "org-430202"},
       {"status", "active"},
       {"grants",
        {{{"role", "auditor"}, {"scope_org_id", "org-430200"}},
         {{"role", "it_admin"}, {"scope_org_id", "org-430200"}, {"valid_from", "2026-01-01"}}}}});
  EXPECT_EQ(find("u-lead")->subject.grants,
            (std::vector<Grant>{{record::v1::ROLE_LEADER, "org-430200/org-430202"},
                                {record::v1::ROLE_AUDITOR, "org-430200"}}));
}

TEST_F(SubjectsTest, ADeadClockTakesNobodysRole) {
  people_.put("user", {{"id", "u-off-1"},
                       {"login", "off.1"},
                       {"role", "district_officer"},
                       {"scope_org_id", "org-430202"},
                       {"valid_from", "2024-09-01"},
                       {"status", "active"}});
  people_.records.now = WallTime{0};
  EXPECT_FALSE(find("u-off-1")->active);
  Subjects repaired(people_.records, Subject::Place::agent,
                    [] { return WallTime{1'760'000'000'000}; });
  EXPECT_TRUE((*repaired.find("u-off-1", now_))->active);
}

TEST_F(SubjectsTest, WhoIsNotActiveIsNobody) {
  for (const char* status : {"disabled", "ended"}) {
    people_.put("user", {{"id", "u-off-1"},
                         {"login", "off.1"},
                         {"role", "district_officer"},
                         {"scope_org_id", "org-430202"},
                         {"status", status}});
    EXPECT_FALSE(find("u-off-1")->active);
    EXPECT_TRUE(find("u-off-1")->subject.grants.empty());
  }
  EXPECT_EQ(find("u-nobody"), nullptr);
}

TEST_F(SubjectsTest, AreRememberedForAMomentOnly) {
  const MonotonicTime now{50'000};
  ASSERT_TRUE((*subjects_.find("u-off-1", now))->active);
  people_.put("user", {{"id", "u-off-1"},
                       {"login", "off.1"},
                       {"role", "district_officer"},
                       {"scope_org_id", "org-430202"},
                       {"status", "disabled"}});
  EXPECT_TRUE((*subjects_.find("u-off-1", now + kPersonKnownFor))->active);
  EXPECT_FALSE((*subjects_.find("u-off-1", now + kPersonKnownFor + milliseconds(1)))->active);
  EXPECT_LE(kPersonKnownFor, seconds(5));
}

TEST_F(SubjectsTest, AreFoundByIdAndByLogin) {
  EXPECT_EQ(*subjects_.id_of("u-sup-001"), "u-sup-001");
  EXPECT_EQ(*subjects_.id_of("sup.001"), "u-sup-001");
  EXPECT_EQ(*subjects_.id_of("sup.999"), "");
  EXPECT_EQ(*subjects_.id_of(""), "");
  people_.user("u-twin", "sup.001", "auditor", "org-430200");
  EXPECT_EQ(*subjects_.id_of("sup.001"), "");  // whose password would it be?
}

TEST_F(SubjectsTest, ANameThatCouldMeanTwoPeopleMeansNobody) {
  people_.user("u-imitator", "u-off-1", "auditor", "org-430200");
  EXPECT_EQ(*subjects_.id_of("u-off-1"), "");
  EXPECT_EQ(*subjects_.id_of("off.1"), "u-off-1");
  EXPECT_EQ(*subjects_.id_of("u-imitator"), "u-imitator");
  people_.user("u-plain", "u-plain", "auditor", "org-430200");
  EXPECT_EQ(*subjects_.id_of("u-plain"), "u-plain");
}

TEST_F(SubjectsTest, TheNewestPasswordOfAllPlacesCounts) {
  EXPECT_FALSE(*subjects_.any_account());
  people_.give_password("u-sup-001", "dingxiang258");
  people_.give_password("u-sup-001", "dingxiang258", kOtherPlace);
  EXPECT_TRUE(*subjects_.any_account());
  people_.save(change_credential("u-sup-001", kOtherPlace,
                                 {.secret = people_.secret("u-sup-001", "bailian369", 2)}));
  EXPECT_EQ(find("u-sup-001")->account->secret->serial(), 2u);
  people_.save(change_credential("u-sup-001", kOtherPlace, {.disabled = true}));
  EXPECT_EQ(find("u-sup-001")->account->secret->serial(), 1u);
  people_.save(change_credential("u-sup-001", kPlace, {.disabled = true}));
  EXPECT_FALSE(find("u-sup-001")->account.has_value());
  EXPECT_EQ(subjects_.accounts_of("u-sup-001")->size(), 2u);
}

TEST_F(SubjectsTest, ACredentialUnderAForeignNameIsNobodys) {
  people_.give_password("u-con-001", "schoolpc1");
  // A record that says it is of the supervisor, under the id of another.
  Intent intent =
      create_credential("u-sup-001", kPlace, {.key = PeopleRecords::key_of("u-con-001")});
  intent.record = credential_id("u-elsewhere", kPlace);
  people_.save(std::move(intent));
  EXPECT_TRUE(subjects_.accounts_of("u-sup-001")->empty());
}

}  // namespace
}  // namespace duhui::api
