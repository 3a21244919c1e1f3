#include "shared/sync/payload_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <zstd.h>

#include "shared/base/bytes.h"
#include "shared/base/random.h"
#include "shared/sync/limits.h"

namespace duhui {
namespace {

using sync::v1::Batch;

std::vector<std::string_view> views_of(const std::vector<std::string>& ops) {
  return {ops.begin(), ops.end()};
}

/// The ops of a batch as a receiver would read them.
Result<std::vector<std::string>> unpacked(PayloadCodec& codec, const Batch& batch) {
  DUHUI_TRY(raw, codec.unpack(packed_ops(batch)));
  DUHUI_TRY(ops, PayloadCodec::split(raw, batch.count()));
  return std::vector<std::string>(ops.begin(), ops.end());
}

ErrorCode refusal(const Result<std::string>& result) {
  EXPECT_FALSE(result);
  return result ? ErrorCode::not_found : result.error().code;
}

Batch packed(PayloadCodec& codec, const std::vector<std::string>& ops, bool dictionary_known) {
  Batch batch;
  codec.pack(views_of(ops), {.dictionary = dictionary_known, .columns = false}, &batch);
  return batch;
}

RC_GTEST_PROP(PayloadCodec, GivesBackTheOpsItPacked, ()) {
  PayloadCodec codec;
  auto ops = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(
      rc::gen::container<std::string>(rc::gen::inRange<char>('a', 'e'))));
  const bool dictionary_known = *rc::gen::arbitrary<bool>();
  const Batch batch = packed(codec, ops, dictionary_known);
  const auto read = unpacked(codec, batch);
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == ops);
}

TEST(PayloadCodec, CompressesWhatRepeats) {
  PayloadCodec codec;
  const std::vector<std::string> ops(40, "school-001 school-002 school-003");
  for (const bool dictionary_known : {false, true}) {
    const Batch batch = packed(codec, ops, dictionary_known);
    EXPECT_LT(batch.payload().size(), batch.raw_bytes() / 5);
    EXPECT_NE(batch.encoding(), sync::v1::ENCODING_PLAIN);
    EXPECT_EQ(*unpacked(codec, batch), ops);
  }
}

TEST(PayloadCodec, SendsPlainWhatDoesNotShrink) {
  PayloadCodec codec;
  SeededRandom random(5);
  std::string noise(400, '\0');
  random.fill(noise.data(), noise.size());
  const Batch batch = packed(codec, {noise}, true);
  EXPECT_EQ(batch.encoding(), sync::v1::ENCODING_PLAIN);
  EXPECT_EQ(*unpacked(codec, batch), std::vector<std::string>{noise});
}

TEST(PayloadCodec, NamesTheDictionaryOnlyToAPeerThatHasIt) {
  PayloadCodec codec;
  const std::vector<std::string> ops(20, "a record of supervision, again and again");
  EXPECT_EQ(packed(codec, ops, false).encoding(), sync::v1::ENCODING_ZSTD);
  EXPECT_EQ(packed(codec, ops, false).dictionary(), 0u);
  EXPECT_EQ(packed(codec, ops, true).encoding(), sync::v1::ENCODING_ZSTD_DICTIONARY);
  EXPECT_EQ(packed(codec, ops, true).dictionary(), PayloadCodec::dictionary_id());
}

TEST(PayloadCodec, KnowsTheWordsOfSupervisionFromTheDictionary) {
  PayloadCodec codec;
  const std::vector<std::string> op = {
      "org-430200/org-430202 u-sup-012 good 现场看与记录看能对上。"};
  EXPECT_EQ(*unpacked(codec, packed(codec, op, true)), op);
  EXPECT_LT(packed(codec, op, true).payload().size() * 3,
            packed(codec, op, false).payload().size() * 2);
}

TEST(PayloadCodec, RefusesAnUnknownEncodingOrDictionary) {
  PayloadCodec codec;
  EXPECT_EQ(refusal(codec.unpack({sync::v1::ENCODING_UNSPECIFIED, 0, 1, 3, "abc"})),
            ErrorCode::invalid_input);
  EXPECT_EQ(refusal(codec.unpack({77, 0, 1, 3, "abc"})), ErrorCode::invalid_input);
  EXPECT_EQ(refusal(codec.unpack({sync::v1::ENCODING_ZSTD_DICTIONARY,
                                  PayloadCodec::dictionary_id() + 1, 1, 3, "abc"})),
            ErrorCode::invalid_input);
}

TEST(PayloadCodec, RefusesAPayloadThatUnfoldsToMoreThanItSays) {
  // A bomb: a few kilobytes that claim to be small and unfold to 64 MiB.
  const std::string zeros(64 << 20, '\0');
  std::string bomb(ZSTD_compressBound(zeros.size()), '\0');
  const std::size_t size = ZSTD_compress(bomb.data(), bomb.size(), zeros.data(), zeros.size(), 3);
  ASSERT_EQ(ZSTD_isError(size), 0u);
  bomb.resize(size);
  ASSERT_LT(bomb.size(), 16u << 10);
  PayloadCodec codec;
  EXPECT_EQ(refusal(codec.unpack({sync::v1::ENCODING_ZSTD, 0, 1, 100, bomb})),
            ErrorCode::corrupt_data);
  EXPECT_EQ(
      refusal(codec.unpack({sync::v1::ENCODING_ZSTD, 0, 1, sync_limits::kBatchRawBytesMax, bomb})),
      ErrorCode::corrupt_data);
  EXPECT_EQ(refusal(codec.unpack(
                {sync::v1::ENCODING_ZSTD, 0, 1, sync_limits::kBatchRawBytesMax + 1, bomb})),
            ErrorCode::limit_exceeded);
}

TEST(PayloadCodec, RefusesALengthThatDoesNotMatch) {
  PayloadCodec codec;
  const Batch batch = packed(codec, std::vector<std::string>(20, "the same words"), false);
  for (const int off : {-1, 1, 1000}) {
    const auto raw_bytes = static_cast<std::uint32_t>(static_cast<int>(batch.raw_bytes()) + off);
    EXPECT_EQ(refusal(codec.unpack({batch.encoding(), 0, 20, raw_bytes, batch.payload()})),
              ErrorCode::corrupt_data);
  }
  EXPECT_EQ(refusal(codec.unpack({sync::v1::ENCODING_PLAIN, 0, 1, 4, "abc"})),
            ErrorCode::corrupt_data);
}

TEST(PayloadCodec, RefusesEveryTornPayloadAndGoesOnWorking) {
  PayloadCodec codec;
  const std::vector<std::string> ops(20, "the same words once more");
  const Batch batch = packed(codec, ops, false);
  for (std::size_t size = 0; size < batch.payload().size(); ++size) {
    EXPECT_FALSE(codec.unpack({batch.encoding(), 0, 20, batch.raw_bytes(),
                               std::string_view(batch.payload()).substr(0, size)}));
  }
  EXPECT_EQ(*unpacked(codec, batch), ops);
}

TEST(PayloadCodec, SplitsIntoExactlyTheAnnouncedNumberOfOps) {
  std::string raw;
  for (const std::string_view op : {"one", "two", "three"}) {
    append_varint(raw, op.size());
    raw.append(op);
  }
  EXPECT_TRUE(PayloadCodec::split(raw, 3));
  for (const std::uint32_t count :
       {0u, 1u, 2u, 4u, sync_limits::kBatchOpsMax, sync_limits::kBatchOpsMax + 1}) {
    EXPECT_FALSE(PayloadCodec::split(raw, count)) << count;
  }
  for (std::size_t size = 0; size < raw.size(); ++size) {
    EXPECT_FALSE(PayloadCodec::split(std::string_view(raw).substr(0, size), 3)) << size;
  }
}

TEST(PayloadCodec, RefusesAnOpOverItsLimit) {
  std::string raw;
  append_varint(raw, sync_limits::kOpBytesMax + 1);
  raw.append(sync_limits::kOpBytesMax + 1, 'x');
  const auto ops = PayloadCodec::split(raw, 1);
  ASSERT_FALSE(ops);
  EXPECT_EQ(ops.error().code, ErrorCode::corrupt_data);
}

RC_GTEST_PROP(PayloadCodec, SurvivesAnyBytes, ()) {
  PayloadCodec codec;
  const auto payload = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  const int encoding = *rc::gen::inRange(0, 6);
  const auto count = *rc::gen::inRange<std::uint32_t>(0, 10);
  const auto raw_bytes = *rc::gen::inRange<std::uint32_t>(0, 4096);
  const auto raw =
      codec.unpack({encoding, PayloadCodec::dictionary_id(), count, raw_bytes, payload});
  RC_ASSERT((!raw || raw->size() == raw_bytes));
  const auto ops = PayloadCodec::split(payload, count);
  RC_ASSERT((!ops || ops->size() <= payload.size()));
}

}  // namespace
}  // namespace duhui
