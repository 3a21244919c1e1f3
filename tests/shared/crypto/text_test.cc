#include "shared/crypto/text.h"

#include <string>

#include <gtest/gtest.h>

namespace duhui {
namespace {

// RFC 4648 section 10, without the padding.
TEST(Base64Url, HasTheVectorsOfItsRfc) {
  EXPECT_EQ(to_base64url(""), "");
  EXPECT_EQ(to_base64url("f"), "Zg");
  EXPECT_EQ(to_base64url("fo"), "Zm8");
  EXPECT_EQ(to_base64url("foobar"), "Zm9vYmFy");
  EXPECT_EQ(to_base64url("\xff\xef"), "_-8");
}

TEST(Text, ComesBackForEveryLength) {
  std::string bytes;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
    EXPECT_EQ(from_base32(to_base32(bytes)), bytes);
    bytes += static_cast<char>(i * 37 + 200);
  }
}

TEST(Text, EveryByteStringHasOneText) {
  EXPECT_FALSE(from_base64url("Zh").has_value());  // loose bit
  EXPECT_FALSE(from_base64url("Z").has_value());   // no such length
  EXPECT_FALSE(from_base64url("Zg==").has_value());
  EXPECT_FALSE(from_base32("CR0").has_value());  // no such length
  EXPECT_FALSE(from_base32("CS").has_value());   // loose bit
  EXPECT_FALSE(from_base32("C!").has_value());
}

TEST(Base32, ForgivesHowPeopleType) {
  const std::string text = to_base32(std::string("\x00\x42\x1f\xff\x80", 5));
  EXPECT_EQ(text.size(), 8u);
  EXPECT_EQ(from_base32("01-o0 il"), from_base32("010011"));
  EXPECT_EQ(from_base32("abcdefgh"), from_base32("ABCD-EFGH"));
  EXPECT_FALSE(from_base32("UUUU").has_value());
}

}  // namespace
}  // namespace duhui
