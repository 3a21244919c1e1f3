#include "agent/core/byte_budget.h"

#include <gtest/gtest.h>

namespace duhui::agent {
namespace {

constexpr WallTime kNovember{1'763'000'000'000};  // 2025-11-13
constexpr Duration kMonth = days(31);

TEST(ByteBudget, NamesMonthsByChineseTime) {
  EXPECT_EQ(ByteBudget::month_of(kNovember), 202511u);
  // 2025-11-30 16:00 UTC is the first of December there.
  EXPECT_EQ(ByteBudget::month_of({1'764'518'400'000 - 1}), 202511u);
  EXPECT_EQ(ByteBudget::month_of({1'764'518'400'000}), 202512u);
}

TEST(ByteBudget, WithoutALimitFilesAlwaysGo) {
  ByteBudget budget;
  budget.hub_time(kNovember);
  budget.count(ByteKind::file, 1'000'000'000'000);
  EXPECT_TRUE(budget.files_may_go());
}

TEST(ByteBudget, TextLeavesLessForFilesAndIsNeverKeptBack) {
  ByteBudget budget;
  budget.set_limit(1000);
  budget.hub_time(kNovember);
  budget.count(ByteKind::text, 600);
  budget.count(ByteKind::thumbnail, 200);
  budget.count(ByteKind::carrying, 100);
  EXPECT_TRUE(budget.files_may_go());
  budget.count(ByteKind::file, 100);
  EXPECT_FALSE(budget.files_may_go());
  budget.count(ByteKind::text, 5000);  // nobody asked whether it may
  EXPECT_EQ(budget.used().total(), 6000u);
}

TEST(ByteBudget, BeginsAnewWithTheMonth) {
  ByteBudget budget;
  budget.set_limit(1000);
  budget.hub_time(kNovember);
  budget.count(ByteKind::file, 1000);
  budget.hub_time(kNovember + days(10));
  EXPECT_FALSE(budget.files_may_go());
  budget.hub_time(kNovember + kMonth);
  EXPECT_TRUE(budget.files_may_go());
  EXPECT_EQ(budget.used().total(), 0u);
}

TEST(ByteBudget, AClockThatJumpsAndComesBackGivesNothingAndTakesNothing) {
  ByteBudget budget;
  budget.set_limit(1000);
  budget.hub_time(kNovember);
  budget.count(ByteKind::file, 1000);
  budget.hub_time(kNovember + days(365 * 70));
  EXPECT_TRUE(budget.files_may_go());
  budget.count(ByteKind::file, 10);
  budget.hub_time({1});  // 1970
  budget.hub_time(kNovember);
  EXPECT_FALSE(budget.files_may_go());
  EXPECT_EQ(budget.used().files, 1000u);
  budget.hub_time(kNovember + kMonth);
  EXPECT_EQ(budget.used().total(), 0u);
}

TEST(ByteBudget, WhatWasCountedBeforeTheHubWasHeardIsOfTheMonthItTells) {
  ByteBudget budget;
  budget.count(ByteKind::text, 70);
  EXPECT_EQ(budget.month(), 0u);
  EXPECT_EQ(budget.used().text, 70u);
  budget.hub_time(kNovember);
  budget.count(ByteKind::text, 7);
  EXPECT_EQ(budget.used().text, 77u);
}

TEST(ByteBudget, AFreeRoadCountsNothingAndLetsFilesGo) {
  ByteBudget budget;
  budget.set_limit(10);
  budget.hub_time(kNovember);
  budget.count(ByteKind::file, 10);
  ASSERT_FALSE(budget.files_may_go());
  budget.set_free(true);
  EXPECT_TRUE(budget.files_may_go());
  budget.count(ByteKind::file, 500);
  EXPECT_EQ(budget.free_bytes().files, 500u);
  budget.set_free(false);
  EXPECT_FALSE(budget.files_may_go());
  EXPECT_EQ(budget.used().total(), 10u);
}

TEST(ByteBudget, GoesOnAfterARestartAndForgetsNothingInACrash) {
  ByteBudget before;
  before.hub_time(kNovember);
  before.count(ByteKind::file, 300);
  before.count(ByteKind::text, 5);
  const store::v1::Traffic kept = before.save(100);
  EXPECT_EQ(before.unsaved(), 0u);
  before.count(ByteKind::file, 90);  // and then it crashed

  ByteBudget after;
  after.set_limit(405);
  after.load(kept);
  EXPECT_EQ(after.month(), 202511u);
  EXPECT_EQ(after.used().files, 300u);
  EXPECT_GE(after.used().total(), before.used().total());
  EXPECT_FALSE(after.files_may_go());
  // Ended in order, nothing is counted ahead.
  after.load(before.save(0));
  EXPECT_EQ(after.used().total(), before.used().total());
}

TEST(ByteBudget, KeepsABoundedNumberOfMonths) {
  ByteBudget budget;
  for (int n = 0; n < 200; ++n) {
    budget.hub_time(kNovember + kMonth * n);
    budget.count(ByteKind::text, 1);
  }
  const std::uint32_t last = budget.month();
  EXPECT_LE(budget.save(0).months_size(), static_cast<int>(ByteBudget::kMonthsMax));
  budget.hub_time(kNovember);
  EXPECT_EQ(budget.month(), 202511u);
  budget.hub_time(kNovember + kMonth * 199);
  EXPECT_EQ(budget.month(), last);
  EXPECT_EQ(budget.used().text, 1u);
}

}  // namespace
}  // namespace duhui::agent
