#include "shared/base/scope.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace duhui {
namespace {

TEST(Scope, ReadsItselfWhatLiesBelowAndItsAncestors) {
  EXPECT_TRUE(scope_readable("city/district", "city/district"));
  EXPECT_TRUE(scope_readable("city/district", "city/district/zone/school"));
  EXPECT_TRUE(scope_readable("city/district", "city"));
  EXPECT_FALSE(scope_readable("city/district", "city/other"));
  EXPECT_FALSE(scope_readable("city/district", "city/district2"));
  EXPECT_FALSE(scope_readable("city/district2", "city/district"));
}

TEST(Scope, WritesItselfAndWhatLiesBelowOnly) {
  EXPECT_TRUE(scope_writable("city/district", "city/district"));
  EXPECT_TRUE(scope_writable("city/district", "city/district/zone"));
  EXPECT_FALSE(scope_writable("city/district", "city"));
  EXPECT_FALSE(scope_writable("city/district", "city/district2"));
}

TEST(Scope, HasNoEmptyPartAndNoControlCharacter) {
  EXPECT_TRUE(is_scope("city"));
  EXPECT_TRUE(is_scope("城区/学校"));
  EXPECT_TRUE(is_scope(std::string(kScopeBytesMax, 'a')));
  for (const std::string& bad : {std::string(), std::string("/a"), std::string("a/"),
                                 std::string("a//b"), std::string("a\nb"), std::string("a\x7f"),
                                 std::string("a\0b", 3), std::string(kScopeBytesMax + 1, 'a')}) {
    EXPECT_FALSE(is_scope(bad)) << bad;
  }
}

RC_GTEST_PROP(Scope, WhatMayBeWrittenMayBeRead, ()) {
  const auto scope = [] {
    std::string text = "c";
    for (const int part : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 3))) {
      text += "/" + std::to_string(part);
      if (text.size() > 8) break;
    }
    return text;
  };
  const std::string granted = scope();
  const std::string other = scope();
  RC_ASSERT((!scope_writable(granted, other) || scope_readable(granted, other)));
  RC_ASSERT(scope_readable(granted, other) == scope_readable(other, granted));
}

}  // namespace
}  // namespace duhui
