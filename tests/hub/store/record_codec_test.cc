#include "hub/store/sqlite/record_codec.h"

#include <gtest/gtest.h>

#include "hub/store/sqlite/schema.h"
#include "tests/hub/store/store_fixture.h"

namespace duhui::hub {
namespace {

class RecordCodec : public testing::Test {
 protected:
  RecordCodec() {
    EXPECT_TRUE(create_database(folder_.path() + "/codec.db", 4096));
    connection_ = value(Connection::open(folder_.path() + "/codec.db", {.writable = true}));
    database_ = std::make_unique<Database>(*connection_);
  }
  TemporaryFolder folder_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Database> database_;
};

TEST_F(RecordCodec, GivesOpsBackWhateverTheirStamps) {
  SeededRandom random(7);
  for (int round = 0; round < 2000; ++round) {
    const RecordId id = round % 2 == 0 ? mint_record_id(WallTime{1'757'000'000'000}, random)
                                       : RecordId::random(random);
    std::vector<OpRef> ops(random.below(6));
    for (OpRef& op : ops) {
      op.dot.origin = origin(static_cast<std::uint32_t>(1 + random.below(3)));
      op.dot.seq = random.next() >> random.below(64);
      op.stamp.effective_ms = static_cast<std::int64_t>(random.next() >> random.below(64));
      op.stamp.quality = static_cast<sync::v1::TimeQuality>(
          random.below(9) == 0 ? random.below(1u << 31) : random.below(6));
      op.stamp.rank = static_cast<std::uint32_t>(random.next() >> (32 + random.below(32)));
      op.stamp.at_hub = random.below(2) == 0;
    }
    const std::string bytes = value(encode_ops(id, ops, database_->origins));
    EXPECT_EQ(value(decode_ops(id, bytes, database_->origins)), ops);
  }
}

TEST_F(RecordCodec, NeedsTwelveBytesForAUsualOp) {
  SeededRandom random(1);
  const WallTime now{1'757'000'000'000};
  const RecordId id = mint_record_id(now, random);
  const std::vector<OpRef> ops{
      {{origin(1), 300}, {now.ms + 90'000, sync::v1::TIME_QUALITY_GOOD, 2, false}}};
  EXPECT_LE(value(encode_ops(id, ops, database_->origins)).size(), 12u);
}

TEST_F(RecordCodec, ReportsDamageInsteadOfGuessing) {
  const RecordId id = record_id(1);
  std::vector<OpRef> ops{{{origin(1), 300}, {99, sync::v1::TIME_QUALITY_GOOD, 2, false}},
                         {{origin(2), 1ull << 50}, {-4, sync::v1::TIME_QUALITY_OFFSET, 9, true}}};
  const std::string bytes = value(encode_ops(id, ops, database_->origins));
  int refused = 0;
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    const auto read = decode_ops(id, bytes.substr(0, size), database_->origins);
    if (read) continue;  // the first op alone is a valid list
    EXPECT_EQ(read.error().code, ErrorCode::corrupt_data);
    ++refused;
  }
  EXPECT_EQ(refused, static_cast<int>(bytes.size()) - 2);
  for (const char* damaged : {"\x08\x01\x01", "\x00\x01", "\x01\x63\x01", "\x01\x00\x01"})
    EXPECT_FALSE(decode_ops(id, std::string_view(damaged, 3), database_->origins));
}

TEST(BusinessDates, AreDayNumbersOnlyWhenTheyAreExactlyPlainDates) {
  EXPECT_EQ(to_day("2000-01-01"), 0);
  EXPECT_EQ(to_day("2000-03-01"), 60);
  EXPECT_EQ(to_day("1999-12-31"), -1);
  EXPECT_EQ(to_day("0000-01-01"), -730'485);
  EXPECT_EQ(to_day("9999-12-31"), 2'921'939);
  for (const char* odd : {"", "2025-9-01", "2025-02-29", "1900-02-29", "2025-13-01", "2025-00-10",
                          "2025-01-00", "2025-09-01 ", "2025/09/01", "-025-09-01"})
    EXPECT_EQ(to_day(odd), std::nullopt) << odd;
}

TEST(BusinessDates, EveryDayHasItsOwnTextInOrder) {
  std::string before;
  for (std::int32_t day = -730'485; day <= 2'921'939; day += day % 7 == 0 ? 1 : 5) {
    const std::string text = from_day(day);
    ASSERT_EQ(to_day(text), day) << text;
    ASSERT_LT(before, text);
    before = text;
  }
  EXPECT_EQ(from_day(2'921'940), "");
  EXPECT_EQ(from_day(-730'486), "");
}

TEST(BusinessDates, BoundsMayBeAnyText) {
  EXPECT_EQ(first_day_from("2025-09-01"), to_day("2025-09-01"));
  EXPECT_EQ(first_day_from("2025-09"), to_day("2025-09-01"));
  EXPECT_EQ(first_day_from("2025-09-01T"), to_day("2025-09-02"));
  EXPECT_EQ(last_day_to("2025-09-30"), to_day("2025-09-30"));
  EXPECT_EQ(last_day_to("2025-09"), to_day("2025-08-31"));
  EXPECT_EQ(last_day_to("x"), to_day("9999-12-31"));
  EXPECT_LT(last_day_to(""), first_day_from(""));
}

}  // namespace
}  // namespace duhui::hub
