#include "shared/base/ids.h"

#include <gtest/gtest.h>

namespace duhui {
namespace {

TEST(Ids, RecordIdsAreVersionSevenAndOrderedByTime) {
  SeededRandom random(1);
  const RecordId early = mint_record_id(WallTime{1'000}, random);
  const RecordId late = mint_record_id(WallTime{2'000}, random);
  EXPECT_LT(early, late);
  const std::string text = to_uuid_text(early.view());
  EXPECT_EQ(text.size(), 36u);
  EXPECT_EQ(text[14], '7');
  EXPECT_EQ(from_uuid_text(text), early.str());
}

TEST(Ids, RecordIdsSortAsUnsignedBytes) {
  RecordId low, high;
  low.bytes[0] = 0x7f;
  high.bytes[0] = static_cast<char>(0x80);
  EXPECT_LT(low, high);
}

TEST(Ids, UuidTextRefusesMisplacedDashes) {
  EXPECT_EQ(from_uuid_text("0199027cd700-7867-b438-4bb4a48f4cf7-"), std::nullopt);
}

TEST(Ids, SeededRandomRepeatsItself) {
  SeededRandom a(42), b(42), c(43);
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
}

}  // namespace
}  // namespace duhui
