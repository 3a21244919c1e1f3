#include "shared/sync/bundle_format.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "shared/base/bytes.h"
#include "shared/base/random.h"
#include "shared/sync/bundle_limits.h"
#include "shared/sync/bundle_plan.h"
#include "shared/sync/limits.h"

namespace duhui {
namespace {

struct Keys {
  SeededRandom random{7};
  SigningKey hub = SigningKey::generate(random);
  SigningKey device = SigningKey::generate(random);
  SigningKey other = SigningKey::generate(random);
};

Keys& keys() {
  static Keys made;
  return made;
}

constexpr auto kToHub = sync::v1::BUNDLE_DIRECTION_TO_HUB;

std::uint64_t content_of(const sync::v1::BundleOpening& opening,
                         const std::vector<std::string>& frames) {
  std::uint64_t bytes = bundle_item_bytes(opening.ByteSizeLong());
  for (const std::string& frame : frames) bytes += bundle_item_bytes(frame.size());
  return bytes;
}

sync::v1::BundleOpening opening() {
  sync::v1::BundleOpening opening;
  opening.set_public_key(keys().device.public_key().str());
  opening.set_name("荷塘区样例小学1");
  return opening;
}

std::string write(const std::vector<std::string>& frames, const PublicKey& to) {
  sync::v1::BundleHeader head;
  head.set_direction(kToHub);
  head.set_bundle_id(std::string(16, 'b'));
  head.set_part(1);
  head.set_parts(1);
  head.set_device_id(std::string(16, 'd'));
  head.set_ops(3);
  head.set_bytes(content_of(opening(), frames));
  auto writer = BundleWriter::begin(head, opening(), to, keys().device, keys().random);
  EXPECT_TRUE(writer) << to_string(writer.error());
  std::string file = (*writer)->take();
  for (const std::string& frame : frames) {
    (*writer)->add(frame);
    file += (*writer)->take();
  }
  (*writer)->finish();
  file += (*writer)->take();
  return file;
}

struct Reading {
  std::vector<std::string> frames;
  std::optional<Error> failed;
  std::size_t kept_most = 0;
};

Reading read(std::string_view file, const SigningKey& receiver, std::size_t step = 1 << 20) {
  Reading reading;
  BundleReader reader(receiver, kToHub);
  const auto keep = [&](std::string_view frame) -> Status {
    reading.frames.emplace_back(frame);
    return Done{};
  };
  for (; !file.empty(); file.remove_prefix(std::min(step, file.size()))) {
    if (auto fed = reader.feed(file.substr(0, step), keep); !fed) {
      reading.failed = fed.error();
      return reading;
    }
  }
  Status ended = reader.end();
  if (ended) ended = reader.signed_by(keys().device.public_key());
  if (!ended) reading.failed = ended.error();
  return reading;
}

std::vector<std::string> some_frames() {
  return {"hello", std::string(100'000, 'x'), "", std::string(70'000, 'y'), "end"};
}

TEST(BundleFormat, WhatWasWrittenIsReadHoweverTheFileComes) {
  const std::string file = write(some_frames(), keys().hub.public_key());
  for (const std::size_t step : {1u, 7u, 65'536u, 1u << 20}) {
    const Reading reading = read(file, keys().hub, step);
    EXPECT_FALSE(reading.failed) << to_string(*reading.failed);
    EXPECT_EQ(reading.frames, some_frames());
  }
  EXPECT_LE(file.size(), bundle_file_bytes(content_of(opening(), some_frames())));
}

TEST(BundleFormat, EveryChangedByteIsFound) {
  const std::string file =
      write({"hello", "a frame", std::string(300, 'z')}, keys().hub.public_key());
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (const int bit : {0, 4, 7}) {
      std::string changed = file;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      EXPECT_TRUE(read(changed, keys().hub).failed) << "byte " << at << " bit " << bit;
    }
  }
}

TEST(BundleFormat, EveryLengthButTheWholeOneIsFound) {
  const std::string file =
      write({"hello", "a frame", std::string(300, 'z')}, keys().hub.public_key());
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_TRUE(read(file.substr(0, size), keys().hub).failed) << size << " bytes";
  }
  EXPECT_TRUE(read(file + "x", keys().hub).failed);
}

TEST(BundleFormat, ReorderedAndDroppedPiecesAreFound) {
  const std::string file = write({std::string(200'000, 'a')}, keys().hub.public_key());
  const std::size_t head = 12 + read_big_endian_32(std::string_view(file).substr(8));
  constexpr std::size_t kPiece = 4 + bundle_limits::kPieceBytes + kPieceOverhead;
  const std::string first = file.substr(head, kPiece);
  const std::string second = file.substr(head + kPiece, kPiece);
  const std::string rest = file.substr(head + 2 * kPiece);
  ASSERT_FALSE(read(file.substr(0, head) + first + second + rest, keys().hub).failed);
  EXPECT_TRUE(read(file.substr(0, head) + second + first + rest, keys().hub).failed);
  EXPECT_TRUE(read(file.substr(0, head) + first + rest, keys().hub).failed);
  EXPECT_TRUE(read(file.substr(0, head) + first + first + second + rest, keys().hub).failed);
}

TEST(BundleFormat, IsReadByItsReceiverOnlyAndShowsNothingElse) {
  const std::string secret = "安全隐患：消防通道堵塞";
  const std::string file = write({secret}, keys().hub.public_key());
  EXPECT_EQ(file.find(secret), std::string::npos);
  EXPECT_EQ(file.find("样例小学"), std::string::npos);
  const Reading other = read(file, keys().other);
  ASSERT_TRUE(other.failed);
  EXPECT_EQ(other.failed->code, ErrorCode::refused);
  EXPECT_EQ(other.failed->detail, "bundle: for another hub");
  const auto shown = peek_bundle(file);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->ops(), 3u);
  EXPECT_EQ(shown->device_id(), std::string(16, 'd'));
}

TEST(BundleFormat, NamesWhatIsWrong) {
  EXPECT_EQ(read("not a bundle at all, but a letter", keys().hub).failed->detail,
            "bundle: not a bundle file");
  EXPECT_EQ(read("", keys().hub).failed->detail, "bundle: an empty file");
  const std::string file = write({"hello"}, keys().hub.public_key());
  EXPECT_EQ(read(file.substr(0, file.size() - 20), keys().hub).failed->detail,
            "bundle: it ends in the middle");
  BundleReader reader(keys().hub, sync::v1::BUNDLE_DIRECTION_TO_DEVICE);
  EXPECT_EQ(reader.feed(file, [](std::string_view) { return Status(Done{}); }).error().detail,
            "bundle: for a hub, not for a device");
}

TEST(BundleFormat, AnotherSendersSignatureDoesNotHold) {
  const std::string file = write({"hello"}, keys().hub.public_key());
  BundleReader reader(keys().hub, kToHub);
  ASSERT_TRUE(reader.feed(file, [](std::string_view) { return Status(Done{}); }));
  EXPECT_FALSE(reader.signed_by(keys().other.public_key()));
  EXPECT_TRUE(reader.signed_by(keys().device.public_key()));
}

TEST(BundleFormat, FramesOverTheLimitAreRefusedBeforeTheyAreKept) {
  const std::string file =
      write({std::string(sync_limits::kFrameBytesMax + 1, 'x')}, keys().hub.public_key());
  const Reading reading = read(file, keys().hub);
  ASSERT_TRUE(reading.failed);
  EXPECT_EQ(reading.failed->code, ErrorCode::limit_exceeded);
}

RC_GTEST_PROP(BundleFormat,
              AnyFramesComeBack,
              (std::vector<std::string> frames, std::uint16_t step)) {
  const std::string file = write(frames, keys().hub.public_key());
  const Reading reading = read(file, keys().hub, step + 1u);
  RC_ASSERT(!reading.failed);
  RC_ASSERT(reading.frames == frames);
}

/// Frames of given sizes.
class Sizes final : public FrameSource {
 public:
  explicit Sizes(std::vector<std::size_t> sizes) : sizes_(std::move(sizes)) {}
  const sync::v1::BundleOpening& opening() const override { return opening_; }
  const std::vector<std::string>& greeting() const override { return greeting_; }
  Result<std::optional<CarriedFrame>> next() override {
    if (at_ == sizes_.size()) return std::optional<CarriedFrame>{};
    return std::optional<CarriedFrame>(
        CarriedFrame{.bytes = std::string(sizes_[at_++], 'f'), .ops = 1});
  }
  void rewind() override { at_ = 0; }

 private:
  const std::vector<std::size_t> sizes_;
  const sync::v1::BundleOpening opening_{};
  const std::vector<std::string> greeting_{"hello"};
  std::size_t at_ = 0;
};

RC_GTEST_PROP(BundlePlan, PartsHoldEverythingAndKeepToTheirSize, ()) {
  const auto sizes =
      *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 5'000));
  const std::uint64_t part_bytes = *rc::gen::inRange<std::uint64_t>(2'000, 50'000);
  Sizes source(sizes);
  BundlePlan plan(source, part_bytes);
  for (auto frame = source.next(); *frame; frame = source.next()) plan.add(**frame);
  std::uint64_t frames = 0;
  for (const PartPlan& part : plan.parts()) {
    frames += part.frames;
    RC_ASSERT(part.frames == part.ops);
    RC_ASSERT(part.frames <= 1 || bundle_file_bytes(part.bytes) <= part_bytes);
    RC_ASSERT(part.frames >= 1 || sizes.empty());
  }
  RC_ASSERT(frames == sizes.size());
}

}  // namespace
}  // namespace duhui
