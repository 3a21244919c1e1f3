#include "shared/sync/frame_codec.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace duhui
