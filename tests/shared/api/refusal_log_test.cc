#include "shared/api/refusal_log.h"

#include <vector>

#include <gtest/gtest.h>

#include "tests/support/subjects.h"

namespace duhui::api {
namespace {

constexpr const char* kRecord = "01890000-0000-7000-8000-000000000001";

class RefusalLogTest : public testing::Test {
 protected:
  RefusalLogTest() {
    const ApiHandler as_somebody = [](const ApiRequest&) {
      return Result<ApiResponse>(Error{ErrorCode::forbidden, "as: u-off-1 is signed in"});
    };
    const ApiHandler never = [](const ApiRequest&) { return Result<ApiResponse>(ApiResponse{}); };
    router_.add("GET", "/accounts/{id}", {Verb::manage, Thing::accounts}, never);
    router_.add("POST", "/tickets", {Verb::manage, Thing::tickets}, never);
    router_.add("POST", "/records", {Verb::create, Thing::records}, as_somebody);
    router_.add("GET", "/health", {Verb::read, Thing::health}, never);
    router_.on_refused(
        [this](const ApiRequest& request, const Router::Route& route, const ApiResponse& answer) {
          log_.refused(request, route, answer, now_);
        });
  }
  int ask(std::string_view method, const std::string& path, const Subject& subject) {
    const std::string target = "/api/v1" + path;
    return router_.dispatch({.method = method, .target = target, .subject = subject}).status;
  }
  static Subject contact(const std::string& person = "u-con-001") {
    return {.kind = Subject::Kind::person,
            .person = person,
            .grants = {{record::v1::ROLE_SCHOOL_CONTACT, "city/district/school"}}};
  }

  Router router_;
  std::vector<AuditEntry> told_;
  RefusalLog log_{[this](AuditEntry entry) { told_.push_back(std::move(entry)); }};
  MonotonicTime now_{1'000'000};
};

TEST_F(RefusalLogTest, TellsWhoWasRefusedWhatAndWhy) {
  EXPECT_EQ(ask("POST", "/tickets", contact()), 403);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0], (AuditEntry{.actor = "u-con-001",
                                  .action = "request.refused",
                                  .target_type = "tickets",
                                  .outcome = "refused",
                                  .detail = "POST /tickets, role, times=1"}));
}

TEST_F(RefusalLogTest, WhatAHandlerRefusesIsToldWithoutWhatWasTyped) {
  EXPECT_EQ(ask("POST", "/records", contact()), 403);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].detail, "POST /records, as, times=1");
}

TEST_F(RefusalLogTest, NamesARecordByItsIdAndNothingThatSomebodyTyped) {
  ask("GET", std::string("/accounts/") + kRecord, contact());
  ask("GET", "/accounts/geheim%20123", contact("u-con-002"));
  ASSERT_EQ(told_.size(), 2u);
  EXPECT_EQ(told_[0].target_id, kRecord);
  EXPECT_EQ(told_[1].target_id, "");
  EXPECT_EQ(told_[1].detail.find("geheim"), std::string::npos);
}

TEST_F(RefusalLogTest, IsAboutPeopleWhoAreSignedInAndWereRefused) {
  EXPECT_EQ(ask("POST", "/tickets", Subject{}), 401);
  EXPECT_EQ(ask("POST", "/tickets", kHubOperator), 200);
  EXPECT_EQ(ask("POST", "/records", kHubOperator), 403);
  EXPECT_EQ(ask("GET", "/health", contact()), 200);
  EXPECT_EQ(ask("GET", "/nothing", contact()), 404);
  EXPECT_TRUE(told_.empty());
}

TEST_F(RefusalLogTest, TellsOnceAMinuteHowManyTheyWere) {
  for (int n = 0; n < 500; ++n) ask("POST", "/tickets", contact());
  EXPECT_EQ(told_.size(), 1u);
  now_ = now_ + RefusalLog::kTogether;
  ask("POST", "/tickets", contact());
  ASSERT_EQ(told_.size(), 2u);
  EXPECT_EQ(told_[1].detail, "POST /tickets, role, times=499");
  now_ = now_ + RefusalLog::kTogether;
  ask("POST", "/tickets", contact());
  ASSERT_EQ(told_.size(), 3u);
  EXPECT_EQ(told_[2].detail, "POST /tickets, role, times=1");
}

TEST_F(RefusalLogTest, AfterAQuietMinuteTheNextIsToldAtOnce) {
  ask("POST", "/tickets", contact());
  now_ = now_ + RefusalLog::kTogether;
  ask("POST", "/tickets", contact());
  ASSERT_EQ(told_.size(), 2u);
  EXPECT_EQ(told_[1].detail, "POST /tickets, role, times=1");
}

TEST_F(RefusalLogTest, WhoStoppedIsToldWithTheNextOfSomebodyElse) {
  for (int n = 0; n < 3; ++n) ask("POST", "/tickets", contact());
  now_ = now_ + RefusalLog::kTogether;
  ask("GET", "/accounts/x", contact("u-con-002"));
  ASSERT_EQ(told_.size(), 3u);
  EXPECT_EQ(told_[1].actor, "u-con-001");
  EXPECT_EQ(told_[1].detail, "POST /tickets, role, times=2");
  EXPECT_EQ(told_[2].actor, "u-con-002");
}

TEST_F(RefusalLogTest, ManyPeopleAtATimeAreToldAsOne) {
  for (std::size_t n = 0; n < RefusalLog::kSeriesMax * 3; ++n) {
    ask("POST", "/tickets", contact("u-" + std::to_string(n)));
  }
  EXPECT_EQ(told_.size(), RefusalLog::kSeriesMax + 1);
  EXPECT_EQ(told_.back().actor, "many");
}

}  // namespace
}  // namespace duhui::api
