#include "hub/core/ticket_guard.h"

#include <string>

#include <gtest/gtest.h>

namespace duhui::hub {
namespace {

constexpr TicketGuardLimits kLimits;

MonotonicTime at(Duration since_start) { return MonotonicTime{since_start.ms}; }

TEST(TicketGuard, ForgivesAFewWrongTriesThenDoublesThePauseUpToAMinute) {
  TicketGuard guard;
  MonotonicTime now = at(seconds(1));
  for (std::uint32_t n = 0; n < kLimits.source_free; ++n) guard.wrong("192.0.2.7", now);
  EXPECT_EQ(guard.wait("192.0.2.7", now).ms, 0);
  for (const std::int64_t expected : {2, 4, 8, 16, 32, 60, 60, 60}) {
    guard.wrong("192.0.2.7", now);
    EXPECT_EQ(guard.wait("192.0.2.7", now), seconds(expected));
    now = now + seconds(expected);
    EXPECT_LE(guard.wait("192.0.2.7", now).ms, 0) << "the pause ends";
  }
}

TEST(TicketGuard, KeepsNobodyOutForWhatAnotherAddressDoes) {
  TicketGuard guard;
  MonotonicTime now;
  for (int n = 0; n < 36'000; ++n) {  // an hour of ten tries a second, none of them held back
    now = now + milliseconds(100);
    guard.wrong("192.0.2.7", now);
    ASSERT_LE(guard.wait("192.0.2.8", now).ms, 0) << n;
  }
  EXPECT_GT(guard.wait("192.0.2.7", now).ms, 0);
}

TEST(TicketGuard, LetsAnHonestDeviceBehindTheSameAddressInAfterAMinute) {
  TicketGuard guard;
  MonotonicTime now;
  for (int n = 0; n < 1000; ++n) {  // an attacker who tries whenever it may
    guard.wrong("192.0.2.7", now);
    const Duration wait = guard.wait("192.0.2.7", now);
    ASSERT_LE(wait, kLimits.source_pause_max);
    if (wait.ms > 0) now = now + wait;
    ASSERT_LE(guard.wait("192.0.2.7", now).ms, 0);
  }
}

TEST(TicketGuard, LimitsManyAddressesTogetherOnceTheyHaveBeenWrong) {
  TicketGuard guard;
  const MonotonicTime now = at(seconds(1));
  for (std::uint32_t n = 0; n < kLimits.overall_free; ++n) {
    guard.wrong("192.0.2." + std::to_string(n), now);
    EXPECT_LE(guard.wait("192.0.2.0", now).ms, 0);
  }
  Duration longest;
  for (int n = 0; n < 20; ++n) {
    guard.wrong("198.51.100." + std::to_string(n), now);
    longest = std::max(longest, guard.wait("192.0.2.0", now));
    EXPECT_LE(guard.wait("203.0.113.1", now).ms, 0) << "it has not been wrong";
  }
  EXPECT_EQ(longest, kLimits.overall_pause_max);
}

TEST(TicketGuard, LimitsTriesOfUnknownAddressesTogether) {
  TicketGuard guard;
  const MonotonicTime now = at(seconds(1));
  for (std::uint32_t n = 0; n <= kLimits.overall_free; ++n) guard.wrong("", now);
  EXPECT_EQ(guard.wait("", now), kLimits.overall_pause_first);
  EXPECT_LE(guard.wait("192.0.2.7", now).ms, 0);
}

TEST(TicketGuard, ForgetsAfterAQuarterOfAnHour) {
  TicketGuard guard;
  MonotonicTime now = at(seconds(1));
  for (std::uint32_t n = 0; n < 20; ++n) guard.wrong("192.0.2.7", now);
  now = now + kLimits.forget_after;
  guard.wrong("192.0.2.7", now);
  EXPECT_EQ(guard.wait("192.0.2.7", now).ms, 0) << "the first one again";
}

TEST(TicketGuard, TakesNoMoreMemoryThanItSays) {
  TicketGuard guard({.source_free = 5,
                     .source_pause_first = seconds(2),
                     .source_pause_max = minutes(1),
                     .overall_free = 5,
                     .overall_pause_first = seconds(1),
                     .overall_pause_max = seconds(10),
                     .forget_after = minutes(15),
                     .sources_max = 10});
  MonotonicTime now = at(seconds(1));
  for (int n = 0; n < 100; ++n) guard.wrong("s" + std::to_string(n), now);
  EXPECT_EQ(guard.sources(), 10u);
  EXPECT_GT(guard.wait("another", now).ms, 0) << "nobody can be told from the others any more";
  now = now + minutes(15);
  guard.wrong("another", now);
  EXPECT_EQ(guard.sources(), 1u);
}

}  // namespace
}  // namespace duhui::hub
