#include "shared/base/bytes.h"

#include <gtest/gtest.h>

namespace duhui {
namespace {

TEST(Bytes, Crc32cMatchesTheStandardVectors) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);            // RFC 3720
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720 B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c("6789", crc32c("12345")), crc32c("123456789"));
}

TEST(Bytes, Crc32cIsTheSameWithAndWithoutTheInstruction) {
  std::string bytes;
  for (std::size_t size = 0; size < 70; ++size) {
    EXPECT_EQ(crc32c(bytes, 7), crc32c_without_instruction(bytes, 7)) << size;
    bytes += static_cast<char>(size * 37 + 11);
  }
}

TEST(Bytes, VarintsComeBackAndTruncatedOnesAreRefused) {
  for (const std::uint64_t value : {0ull, 1ull, 127ull, 128ull, 300ull, 1ull << 63, ~0ull}) {
    std::string bytes;
    append_varint(bytes, value);
    std::string_view rest = bytes;
    EXPECT_EQ(take_varint(rest), value);
    EXPECT_TRUE(rest.empty());
    std::string_view torn(bytes.data(), bytes.size() - 1);
    EXPECT_EQ(take_varint(torn), std::nullopt);
  }
  std::string_view too_long("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10);
  EXPECT_EQ(take_varint(too_long), std::nullopt);
}

TEST(Bytes, BigEndianKeepsNumberOrderInByteOrder) {
  std::string small, large;
  append_big_endian_64(small, 255);
  append_big_endian_64(large, 256);
  EXPECT_LT(small, large);
  EXPECT_EQ(read_big_endian_64(large), 256u);
}

TEST(Bytes, HexRefusesWhatIsNotHex) {
  EXPECT_EQ(from_hex("00ff"), std::string("\x00\xff", 2));
  EXPECT_EQ(from_hex("0"), std::nullopt);
  EXPECT_EQ(from_hex("0g"), std::nullopt);
}

}  // namespace
}  // namespace duhui
