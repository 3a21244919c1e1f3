#include "shared/api/sign_in_audit.h"

#include <vector>

#include <gtest/gtest.h>

namespace duhui::api {
namespace {

using What = SignInEvent::What;

constexpr const char* kWang = "u-sup-001";

class SignInAuditTest : public testing::Test {
 protected:
  std::optional<AuditEntry> tell(What what, const std::string& person = kWang) {
    return audit_.entry_of({what, person, sync::v1::SIGN_IN_AT_DEVICE}, now_);
  }
  /// The numbers of the tries that were told.
  std::vector<std::string> told(std::size_t tries, What what, const std::string& person = kWang) {
    std::vector<std::string> all;
    for (std::size_t n = 0; n < tries; ++n) {
      if (auto entry = tell(what, person)) all.push_back(entry->detail);
    }
    return all;
  }

  SignInAudit audit_;
  MonotonicTime now_{5'000'000};
};

TEST_F(SignInAuditTest, TellsWhoSignedInChangedThePasswordAndLeft) {
  for (const auto& [what, action] :
       {std::pair{What::signed_in, "session.signed_in"},
        std::pair{What::password_changed, "session.password_changed"},
        std::pair{What::locked, "session.locked"}, std::pair{What::unlocked, "session.unlocked"},
        std::pair{What::signed_out, "session.signed_out"}}) {
    const auto entry = tell(what);
    ASSERT_TRUE(entry) << action;
    EXPECT_EQ(entry->action, action);
    EXPECT_EQ(entry->actor, kWang);
    EXPECT_EQ(entry->target_id, kWang);
    EXPECT_EQ(entry->outcome, "done");
    EXPECT_EQ(entry->detail, "");
  }
}

TEST_F(SignInAuditTest, SaysWhoeverCameByNameOnly) {
  const auto entry = audit_.entry_of({What::signed_in, kWang, sync::v1::SIGN_IN_PROVISIONAL}, now_);
  EXPECT_EQ(entry->detail, "provisional");
}

TEST_F(SignInAuditTest, OfWrongPasswordsTellsTheFirstTheFifthAndThenEachDoubling) {
  const auto first = tell(What::wrong_password);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->actor, "nobody");
  EXPECT_EQ(first->target_type, "user");
  EXPECT_EQ(first->target_id, kWang);
  EXPECT_EQ(first->outcome, "refused");
  EXPECT_EQ(first->detail, "tries=1");
  EXPECT_EQ(told(99, What::wrong_password),
            (std::vector<std::string>{"tries=5", "tries=10", "tries=20", "tries=40", "tries=80"}));
}

TEST_F(SignInAuditTest, WhoIsLockedOutIsToldTheSameWay) {
  EXPECT_EQ(told(12, What::throttled),
            (std::vector<std::string>{"tries=1", "tries=5", "tries=10"}));
}

TEST_F(SignInAuditTest, AccountsAreCountedOneByOneAndNamesOfNobodyTogether) {
  EXPECT_EQ(told(2, What::wrong_password), std::vector<std::string>{"tries=1"});
  EXPECT_EQ(told(2, What::wrong_password, "u-sup-002"), std::vector<std::string>{"tries=1"});
  EXPECT_EQ(told(5, What::wrong_password, ""), (std::vector<std::string>{"tries=1", "tries=5"}));
}

TEST_F(SignInAuditTest, TheRightPasswordTellsHowManyWereWrongAndBeginsAnew) {
  told(7, What::wrong_password);
  EXPECT_EQ(tell(What::signed_in)->detail, "wrong_tries=7");
  EXPECT_EQ(tell(What::signed_in)->detail, "");
  EXPECT_EQ(told(1, What::wrong_password), std::vector<std::string>{"tries=1"});
}

TEST_F(SignInAuditTest, AfterADayOfQuietAWrongPasswordIsTheFirstAgain) {
  told(6, What::wrong_password);
  now_ = now_ + SignInAudit::kQuiet;
  EXPECT_TRUE(told(1, What::wrong_password).empty()) << "7, no quiet day";
  now_ = now_ + SignInAudit::kQuiet + milliseconds(1);
  EXPECT_EQ(told(1, What::wrong_password), std::vector<std::string>{"tries=1"});
}

TEST_F(SignInAuditTest, AFloodOfManyAccountsFillsNoDisk) {
  std::size_t entries = 0;
  for (int n = 0; n < 100'000; ++n) {
    entries += told(1, What::wrong_password, "u-" + std::to_string(n % 5000)).size();
    now_ = now_ + milliseconds(10);
  }
  // 60, and one for each of the 16 minutes and a half.
  EXPECT_EQ(entries, 76u);
}

TEST_F(SignInAuditTest, WhatHadNoTurnIsInTheNextNumber) {
  for (int n = 0; n < SignInAudit::kAtOnceMax; ++n) {
    tell(What::wrong_password, "u-" + std::to_string(n));
  }
  EXPECT_TRUE(told(3, What::wrong_password).empty());
  now_ = now_ + SignInAudit::kPause;
  EXPECT_EQ(told(2, What::wrong_password), std::vector<std::string>{"tries=4"});
}

}  // namespace
}  // namespace duhui::api
