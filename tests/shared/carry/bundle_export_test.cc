#include "shared/carry/bundle_export.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "shared/carry/carried_file.h"
#include "shared/carry/carried_list.h"
#include "shared/sync/bundle_limits.h"

namespace duhui {
namespace {

namespace fs = std::filesystem;
constexpr auto kToHub = sync::v1::BUNDLE_DIRECTION_TO_HUB;

/// Frames that can be made again and again, or change in between.
class Frames final : public FrameSource {
 public:
  Frames(const PublicKey& from, std::vector<std::string> frames) : frames_(std::move(frames)) {
    opening_.set_public_key(from.str());
  }
  /// The frames of one file: the first says what the others are about.
  Frames(const PublicKey& from, const std::string& about, std::vector<std::string> pieces)
      : Frames(from, std::move(pieces)) {
    frames_.insert(frames_.begin(), about);
    about_ = about;
  }
  const sync::v1::BundleOpening& opening() const override { return opening_; }
  const std::vector<std::string>& greeting() const override { return greeting_; }
  Result<std::optional<CarriedFrame>> next() override {
    if (at_ == frames_.size()) return std::optional<CarriedFrame>{};
    if (!about_.empty()) {
      const bool first = at_ == 0;
      return std::optional<CarriedFrame>(CarriedFrame{.bytes = frames_[at_++],
                                                      .files = first ? 1u : 0u,
                                                      .behind = first ? std::string() : about_});
    }
    return std::optional<CarriedFrame>(CarriedFrame{.bytes = frames_[at_++], .ops = 2});
  }
  void rewind() override { at_ = 0; }
  void change(std::vector<std::string> frames) { frames_ = std::move(frames); }

 private:
  sync::v1::BundleOpening opening_;
  std::vector<std::string> greeting_{"hello"};
  std::vector<std::string> frames_;
  std::string about_;
  std::size_t at_ = 0;
};

class BundleExportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "bundles-" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  BundleExport::Order order(std::string target) {
    BundleExport::Order order;
    order.head.set_direction(kToHub);
    order.head.set_bundle_id(std::string(16, 'b'));
    order.head.set_device_id(std::string(16, 'd'));
    order.to = hub_.public_key();
    order.part_bytes = bundle_limits::kPartBytesMin;
    order.names = {.target = std::move(target),
                   .name = "荷塘区 样例/小学",
                   .made_at = {1'760'000'000'000},
                   .bundle_id = std::string(16, 'b')};
    return order;
  }
  std::unique_ptr<BundleExport> begin(Frames& frames, std::string target) {
    auto begun = BundleExport::begin(frames, order(std::move(target)), device_, random_);
    EXPECT_TRUE(begun);
    return std::move(*begun);
  }
  static Status run(BundleExport& work) {
    for (;;) {
      auto done = work.step();
      if (!done) return done.error();
      if (*done) return Done{};
    }
  }
  std::vector<std::string> read(const std::string& path) {
    std::vector<std::string> frames;
    auto file = CarriedFile::open(path, hub_, kToHub);
    EXPECT_TRUE(file);
    for (bool proven = false; !proven;) {
      auto more = (*file)->prove_more();
      EXPECT_TRUE(more) << to_string(more.error());
      if (!more) return frames;
      proven = *more;
    }
    for (auto frame = (*file)->next_frame(); frame && *frame; frame = (*file)->next_frame()) {
      frames.push_back(**frame);
    }
    return frames;
  }
  std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_))
      all.push_back(entry.path().filename());
    std::sort(all.begin(), all.end());
    return all;
  }

  SeededRandom random_{3};
  SigningKey hub_ = SigningKey::generate(random_);
  SigningKey device_ = SigningKey::generate(random_);
  std::string folder_;
};

TEST_F(BundleExportTest, PartsAreNamedForPeopleAndEachIsWhole) {
  std::vector<std::string> wanted;
  for (char c = 'a'; c <= 'e'; ++c) wanted.emplace_back(30'000, c);
  Frames frames(device_.public_key(), wanted);
  auto work = begin(frames, folder_);
  ASSERT_TRUE(run(*work));
  EXPECT_EQ(names(),
            (std::vector<std::string>{"duhui-荷塘区_样例_小学-20251009-62626262-p1of3.dhb",
                                      "duhui-荷塘区_样例_小学-20251009-62626262-p2of3.dhb",
                                      "duhui-荷塘区_样例_小学-20251009-62626262-p3of3.dhb"}));
  std::vector<std::string> found;
  for (const BundleExport::Part& part : work->parts()) {
    EXPECT_LE(part.bytes, bundle_limits::kPartBytesMin);
    EXPECT_EQ(part.bytes, fs::file_size(part.path));
    auto frames_of_part = read(part.path);
    ASSERT_FALSE(frames_of_part.empty());
    EXPECT_EQ(frames_of_part.front(), "hello");
    found.insert(found.end(), frames_of_part.begin() + 1, frames_of_part.end());
  }
  EXPECT_EQ(found, wanted);
}

TEST_F(BundleExportTest, EachPartSaysWhatItsFramesAreAbout) {
  const std::vector<std::string> pieces{std::string(40'000, '1'), std::string(40'000, '2'),
                                        std::string(40'000, '3')};
  Frames frames(device_.public_key(), "a file", pieces);
  auto work = begin(frames, folder_);
  ASSERT_TRUE(run(*work));
  ASSERT_EQ(work->parts().size(), 3u);
  for (std::size_t n = 0; n < 3; ++n) {
    const BundleExport::Part& part = work->parts()[n];
    EXPECT_EQ(part.files, 1u);
    EXPECT_EQ(read(part.path), (std::vector<std::string>{"hello", "a file", pieces[n]}));
    const auto listed = list_carried({part.path}, hub_.public_key(), kToHub);
    ASSERT_TRUE(listed);
    EXPECT_EQ(listed->at(0).header.files(), 1u) << "readable by whoever finds it";
  }
}

TEST_F(BundleExportTest, GathersBeforeItWaitsForTheMedium) {
  Frames frames(device_.public_key(), std::vector<std::string>(40, std::string(100'000, 'x')));
  auto large = order(folder_ + "/mine.dhb");
  large.part_bytes = 100 << 20;
  auto work = BundleExport::begin(frames, std::move(large), device_, random_);
  ASSERT_TRUE(work);
  std::size_t waits = 0;
  for (Result<bool> done = false; done && !*done; done = (*work)->step()) {
    waits += (*work)->waits_for_disk() ? 1 : 0;
  }
  EXPECT_GE(waits, 4u);
  EXPECT_LE(waits, 6u) << "four megabytes in pieces of one, and the end";
  EXPECT_EQ(read(folder_ + "/mine.dhb").size(), 41u);
}

TEST_F(BundleExportTest, WhatIsInterruptedLeavesFinishedPartsAndNothingElse) {
  Frames frames(device_.public_key(), {std::string(50'000, 'a'), std::string(50'000, 'b')});
  {
    auto work = begin(frames, folder_);
    while (work->parts().empty()) ASSERT_TRUE(work->step());
    ASSERT_TRUE(work->step());  // the second part has begun
    EXPECT_EQ(names().size(), 2u);
  }
  ASSERT_EQ(names().size(), 1u);
  EXPECT_EQ(read(folder_ + "/" + names()[0]).size(), 2u);
  // Of a stick that was pulled out.
  std::ofstream(folder_ + "/duhui-荷塘区_样例_小学-20251009-00000000-p1of1.dhb.tmp") << "torn";
  std::ofstream(folder_ + "/duhui-another-20251009-00000000-p1of1.dhb.tmp") << "torn";
  frames.rewind();
  auto again = begin(frames, folder_);
  ASSERT_TRUE(run(*again));
  EXPECT_EQ(names().size(), 3u);
}

TEST_F(BundleExportTest, ContentThatChangesMeanwhileIsNotWritten) {
  Frames frames(device_.public_key(), {"one", "two"});
  auto work = begin(frames, folder_);
  for (int n = 0; n < 3; ++n) ASSERT_TRUE(work->step());
  frames.change({"one", "something longer"});
  const Status done = run(*work);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::unavailable);
  work.reset();
  EXPECT_TRUE(names().empty());
}

TEST_F(BundleExportTest, OneFileIsWrittenAsNamed) {
  Frames frames(device_.public_key(), {"one"});
  auto work = begin(frames, folder_ + "/mine.dhb");
  ASSERT_TRUE(run(*work));
  EXPECT_EQ(names(), std::vector<std::string>{"mine.dhb"});
  auto nowhere = begin(frames, folder_ + "/no/such/folder.dhb");
  const Status failed = run(*nowhere);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::not_found);
}

TEST_F(BundleExportTest, AFileThatChangesBetweenItsReadingsIsNotBelieved) {
  Frames frames(device_.public_key(), {std::string(200'000, 'a')});
  auto order_of_all = order(folder_ + "/mine.dhb");
  order_of_all.part_bytes = 1 << 20;
  auto work = BundleExport::begin(frames, std::move(order_of_all), device_, random_);
  ASSERT_TRUE(work);
  ASSERT_TRUE(run(**work));
  auto file = CarriedFile::open(folder_ + "/mine.dhb", hub_, kToHub);
  ASSERT_TRUE(file);
  for (bool proven = false; !proven;) {
    auto more = (*file)->prove_more();
    ASSERT_TRUE(more);
    proven = *more;
  }
  {
    std::fstream bent(folder_ + "/mine.dhb", std::ios::in | std::ios::out | std::ios::binary);
    bent.seekp(100'000);
    bent << "other";
  }
  auto hello = (*file)->next_frame();
  ASSERT_TRUE(hello && *hello);
  const auto next = (*file)->next_frame();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, ErrorCode::corrupt_data);
}

TEST_F(BundleExportTest, ListsWhatIsForUsInOrderAndNamesTheRest) {
  for (const char* name : {"b.dhb", "a.dhb"}) {
    Frames frames(device_.public_key(), {"one"});
    auto one = order(folder_ + "/" + name);
    one.head.set_made_at_ms(name[0] == 'b' ? 1 : 2);
    auto work = BundleExport::begin(frames, std::move(one), device_, random_);
    ASSERT_TRUE(run(**work));
  }
  Frames frames(device_.public_key(), {"one"});
  auto elsewhere = order(folder_ + "/c.dhb");
  elsewhere.to = device_.public_key();
  auto work = BundleExport::begin(frames, std::move(elsewhere), device_, random_);
  ASSERT_TRUE(run(**work));
  std::ofstream(folder_ + "/d.dhb") << "a letter";
  std::ofstream(folder_ + "/._a.dhb") << "not looked at";
  std::ofstream(folder_ + "/notes.txt") << "not looked at";
  const auto listed = list_carried({folder_}, hub_.public_key(), kToHub);
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->size(), 4u);
  EXPECT_EQ((*listed)[0].skipped->detail, "bundle: not a bundle file");
  EXPECT_EQ((*listed)[1].skipped->detail, "bundle: for another hub");
  EXPECT_EQ((*listed)[2].path, folder_ + "/b.dhb");
  EXPECT_EQ((*listed)[3].path, folder_ + "/a.dhb");
  EXPECT_EQ(list_carried({folder_ + "/no"}, hub_.public_key(), kToHub).error().code,
            ErrorCode::not_found);
}

}  // namespace
}  // namespace duhui
