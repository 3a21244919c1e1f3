#include "shared/crypto/password.h"

#include <gtest/gtest.h>

#include "shared/base/random.h"

namespace duhui {
namespace {

constexpr PasswordCost kCheap{.passes = 1, .memory_kib = 8};

Seed some_seed() {
  Seed seed{};
  for (std::size_t at = 0; at < seed.size(); ++at) seed[at] = static_cast<char>(at * 7);
  return seed;
}

LockedSeed locked_with(std::string_view password) {
  SeededRandom random(1);
  auto locked = lock_seed(some_seed(), password, kCheap, random);
  EXPECT_TRUE(locked.has_value());
  return *locked;
}

TEST(Password, OpensWhatItLocked) {
  const LockedSeed locked = locked_with("丁香 258");
  const auto seed = open_seed(locked, "丁香 258");
  ASSERT_TRUE(seed.has_value());
  EXPECT_EQ(*seed, some_seed());
}

TEST(Password, AnotherOneOpensNothing) {
  const LockedSeed locked = locked_with("dingxiang258");
  for (const char* wrong : {"dingxiang259", "", "Dingxiang258", "dingxiang258 "}) {
    const auto seed = open_seed(locked, wrong);
    ASSERT_FALSE(seed.has_value()) << wrong;
    EXPECT_EQ(seed.error().code, ErrorCode::refused);
  }
}

TEST(Password, EveryChangedBitIsFound) {
  const LockedSeed locked = locked_with("dingxiang258");
  for (std::size_t bit = 0; bit < locked.sealed.size() * 8; bit += 5) {
    LockedSeed changed = locked;
    changed.sealed[bit / 8] = static_cast<char>(changed.sealed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(open_seed(changed, "dingxiang258").has_value()) << bit;
  }
  LockedSeed salted = locked;
  salted.salt[3] = static_cast<char>(salted.salt[3] ^ 1);
  EXPECT_FALSE(open_seed(salted, "dingxiang258").has_value());
}

TEST(Password, OfOddSizesIsRefused) {
  LockedSeed locked = locked_with("dingxiang258");
  locked.sealed.pop_back();
  EXPECT_FALSE(open_seed(locked, "dingxiang258").has_value());
  locked = locked_with("dingxiang258");
  locked.salt += 'x';
  EXPECT_FALSE(open_seed(locked, "dingxiang258").has_value());
  EXPECT_FALSE(open_seed({}, "dingxiang258").has_value());
}

TEST(Password, CannotAskForMoreThanThisMachineGives) {
  for (const PasswordCost cost :
       {PasswordCost{11, 8}, PasswordCost{1, 256 * 1024 + 1}, PasswordCost{0, 8},
        PasswordCost{1, 7}, PasswordCost{4'000'000'000u, 4'000'000'000u}}) {
    LockedSeed locked = locked_with("dingxiang258");
    locked.cost = cost;
    const auto seed = open_seed(locked, "dingxiang258");
    ASSERT_FALSE(seed.has_value());
    EXPECT_EQ(seed.error().code, ErrorCode::limit_exceeded);
  }
}

TEST(Password, TwiceTheSameLooksDifferent) {
  SeededRandom random(2);
  const auto first = lock_seed(some_seed(), "dingxiang258", kCheap, random);
  const auto second = lock_seed(some_seed(), "dingxiang258", kCheap, random);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->salt, second->salt);
  EXPECT_NE(first->sealed, second->sealed);
}

TEST(Password, OfNobodyCostsAsMuchAsOneOfNow) {
  SeededRandom random(3);
  EXPECT_EQ(locked_for_nobody(random).cost, kPasswordCost);
  LockedSeed nobody = locked_for_nobody(random);
  nobody.cost = kCheap;
  const auto seed = open_seed(nobody, "dingxiang258");
  ASSERT_FALSE(seed.has_value());
  EXPECT_EQ(seed.error().code, ErrorCode::refused);
}

TEST(Password, GoodOnesMayBeChosen) {
  for (const char* good :
       {"2580361479", "dingxiang", "督学王样例每月到校", "a b c d e", "Tr0mbone!"}) {
    EXPECT_TRUE(check_new_password(good, "sup.001").has_value()) << good;
  }
  EXPECT_TRUE(check_new_password(std::string(128, 'x') + "", "").has_value() == false);
  EXPECT_TRUE(check_new_password(std::string(127, 'x') + "y", "").has_value());
}

TEST(Password, WhatEverybodyTriesFirstMayNotBeChosen) {
  for (const char* bad :
       {"1234567890", "9876543210", "1111111111", "abcdefgh", "PassWord", "admin123", "sup.001.",
        "xSUP.001x", "", "abc\n12345", "\xff\xfe\xfd\xfc\xfb\xfa\xff\xff"}) {
    const auto checked = check_new_password(bad, "sup.001");
    ASSERT_FALSE(checked.has_value()) << bad;
    EXPECT_EQ(checked.error().code, ErrorCode::invalid_input);
    EXPECT_EQ(checked.error().detail.find("dmin123"), std::string::npos);
  }
  EXPECT_FALSE(check_new_password(std::string(129, 'x') + "y", "").has_value());
}

TEST(Password, HasEightCharactersWhateverTheirBytes) {
  for (const char* bad : {"", "x", "dingxia", "督学王样例到校", "258036147", "20251009"}) {
    const auto checked = check_new_password(bad, "");
    ASSERT_FALSE(checked.has_value()) << bad;
    EXPECT_TRUE(checked.error().detail.starts_with("password_short")) << bad;
  }
  EXPECT_TRUE(check_new_password("督学王样例到学校", ""));
  EXPECT_TRUE(check_new_password("dingxiaa", ""));
}

TEST(Password, DoesNotHoldTheLogin) {
  EXPECT_FALSE(check_new_password("2025-Zhang.Wei", "zhang.wei"));
  EXPECT_TRUE(check_new_password("2025-Zhang.We", "zhang.wei"));
  EXPECT_TRUE(check_new_password("xuexiao-2025", "xu"));  // two letters are in many a word
}

TEST(Password, IsWiped) {
  std::string secret = "dingxiang258";
  wipe(secret);
  EXPECT_TRUE(secret.empty());
  Seed seed = some_seed();
  wipe(seed);
  EXPECT_EQ(seed, Seed{});
}

}  // namespace
}  // namespace duhui
