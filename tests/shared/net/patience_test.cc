#include "shared/net/patience.h"

#include <gtest/gtest.h>

namespace duhui::net {
namespace {

const Error kTaken{ErrorCode::unavailable, "taken"};

TEST(Patience, EndsWhenItsLimitIsOver) {
  EXPECT_FALSE(Patience(milliseconds(0)).wait());
  Patience patience(milliseconds(50));
  int moments = 0;
  while (patience.wait()) ++moments;
  EXPECT_GE(moments, 1);
  EXPECT_LE(moments, 3);
}

TEST(Patience, TriesAgainWhileSomebodyElseHasIt) {
  int tries = 0;
  const auto outcome = patiently([&]() -> Result<int> {
    if (++tries < 3) return kTaken;
    return 7;
  });
  ASSERT_TRUE(outcome);
  EXPECT_EQ(*outcome, 7);
  EXPECT_EQ(tries, 3);
}

TEST(Patience, DoesNotWaitForWhatWillNotChange) {
  int tries = 0;
  const auto outcome = patiently([&]() -> Status {
    ++tries;
    return Error{ErrorCode::not_found, "none"};
  });
  EXPECT_FALSE(outcome);
  EXPECT_EQ(tries, 1);
}

TEST(Patience, SaysAtLastWhatWasInTheWay) {
  int tries = 0;
  const auto outcome = patiently([&]() -> Status {
    ++tries;
    return kTaken;
  });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().detail, "taken");
  EXPECT_GT(tries, 2);
}

}  // namespace
}  // namespace duhui::net
