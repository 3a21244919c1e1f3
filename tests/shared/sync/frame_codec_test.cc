#include "shared/sync/frame_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "shared/sync/limits.h"

namespace duhui {
namespace {

TEST(FrameCodec, ReadsBackWhatItWrote) {
  sync::v1::Frame frame;
  frame.mutable_ping()->set_token(42);
  const auto read = decode_frame(encode_frame(frame));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->ping().token(), 42u);
}

TEST(FrameCodec, RefusesALongMessageBeforeParsingIt) {
  sync::v1::Frame frame;
  frame.mutable_batch()->set_payload(std::string(sync_limits::kFrameBytesMax, 'x'));
  const auto read = decode_frame(encode_frame(frame));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::limit_exceeded);
}

TEST(FrameCodec, RefusesAnEmptyMessageAndAKindItDoesNotKnow) {
  for (const std::string& bytes : {std::string(), std::string("\xa2\x06\x00", 3)}) {
    const auto read = decode_frame(bytes);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::invalid_input);
  }
}

TEST(FrameCodec, RefusesEveryTornFrame) {
  sync::v1::Frame frame;
  frame.mutable_welcome()->set_device_name("a school");
  frame.mutable_welcome()->set_epoch(7);
  const std::string whole = encode_frame(frame);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_frame(whole.substr(0, size))) << size;
  }
}

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
  EXPECT_TRUE(is_scope(std::string(sync_limits::kScopeBytesMax, 'a')));
  for (const std::string& bad :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"),
        std::string("a\nb"), std::string("a\x7f"), std::string("a\0b", 3),
        std::string(sync_limits::kScopeBytesMax + 1, 'a')}) {
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
