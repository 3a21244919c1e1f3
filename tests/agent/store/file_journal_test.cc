#include "agent/store/file_journal.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agent/store/journal_frame.h"
#include "agent/store/stored_value.h"
#include "shared/base/bytes.h"
#include "tests/support/faulty_file_system.h"

namespace duhui::agent {
namespace {

const std::string kChain(32, 'c');

Dot dot(std::uint64_t seq) {
  Origin origin;
  origin.bytes.fill('o');
  return {origin, seq};
}

std::vector<std::uint64_t> seqs_in(std::string_view bytes, std::uint64_t& damaged) {
  std::vector<std::uint64_t> seqs;
  damaged = read_frames(bytes, [&](const Journal::Entry& entry) { seqs.push_back(entry.dot.seq); });
  return seqs;
}

class FileJournalTest : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    journal_.reset();
    auto opened = FileJournal::open(disk_, "journal", reserve_, {.segment_bytes = 300});
    ASSERT_TRUE(opened.has_value());
    journal_ = std::move(*opened);
  }
  Status append(std::uint64_t seq) {
    return journal_->append({{.dot = dot(seq), .op = "an op", .chain = kChain}});
  }
  std::vector<std::uint64_t> replay() {
    std::vector<std::uint64_t> seqs;
    auto damaged =
        journal_->replay([&](const Journal::Entry& entry) { seqs.push_back(entry.dot.seq); });
    damaged_ = damaged ? *damaged : 999;
    return seqs;
  }

  FaultyFileSystem disk_;
  DiskReserve reserve_{disk_, "reserve", 1000};
  std::unique_ptr<FileJournal> journal_;
  std::uint64_t damaged_ = 0;
};

TEST(JournalFrame, HasTheDocumentedBytes) {
  std::string frame;
  append_frame(frame, {.dot = dot(258), .op = "an op", .chain = kChain});
  EXPECT_EQ(to_hex(frame.substr(0, 8)), "d5489a4a0000003d");
  EXPECT_EQ(read_big_endian_32(std::string_view(frame).substr(8)), crc32c(frame.substr(12)));
  EXPECT_EQ(frame.substr(12),
            std::string(16, 'o') + std::string("\0\0\0\0\0\0\1\2", 8) + kChain + "an op");
}

TEST(JournalFrame, OneDamagedByteCostsOneFrame) {
  std::string frames;
  for (std::uint64_t seq = 1; seq <= 3; ++seq) {
    append_frame(frames, {.dot = dot(seq), .op = "an op", .chain = kChain});
  }
  const std::size_t size = frames.size() / 3;
  for (std::size_t at = 0; at < frames.size(); ++at) {
    std::string damaged_frames = frames;
    damaged_frames[at] = static_cast<char>(damaged_frames[at] ^ 1);
    std::vector<std::uint64_t> expected{1, 2, 3};
    expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(at / size));
    std::uint64_t damaged = 0;
    EXPECT_EQ(seqs_in(damaged_frames, damaged), expected) << "byte " << at;
    EXPECT_EQ(damaged, 1u);
  }
}

TEST(JournalFrame, ATornTailIsOneDamagedRange) {
  std::string frames;
  for (std::uint64_t seq = 1; seq <= 3; ++seq) {
    append_frame(frames, {.dot = dot(seq), .op = "an op", .chain = kChain});
  }
  const std::size_t size = frames.size() / 3;
  for (std::size_t kept = 0; kept <= frames.size(); ++kept) {
    std::uint64_t damaged = 0;
    EXPECT_EQ(seqs_in(frames.substr(0, kept), damaged).size(), kept / size);
    EXPECT_EQ(damaged, kept % size == 0 ? 0u : 1u);
  }
}

TEST_F(FileJournalTest, RollsSegmentsAndDropsOnlyWholeOnes) {
  for (std::uint64_t seq = 1; seq <= 20; ++seq) ASSERT_TRUE(append(seq).has_value());
  const std::size_t before = journal_->segment_count();
  EXPECT_GE(before, 4u);
  ASSERT_TRUE(journal_->drop_through(dot(10)).has_value());
  EXPECT_LT(journal_->segment_count(), before);
  const auto left = replay();
  EXPECT_LE(left.front(), 11u);
  EXPECT_EQ(left.back(), 20u);
  EXPECT_EQ(disk_.files_below("journal").size(), journal_->segment_count());
}

TEST_F(FileJournalTest, NeverWritesBehindATornTail) {
  ASSERT_TRUE(append(1).has_value());
  // Half of the frame reaches the file, then the write fails; the journal goes on elsewhere.
  disk_.fail_calls(disk_.calls(), 1, FaultyFileSystem::Effect::first);
  ASSERT_TRUE(append(2).has_value());
  ASSERT_TRUE(append(3).has_value());
  EXPECT_EQ(journal_->segment_count(), 2u);
  EXPECT_EQ(replay(), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(damaged_, 1u);
  open();
  EXPECT_EQ(journal_->damaged_ranges(), 1u);
  EXPECT_EQ(replay(), (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(FileJournalTest, ReportsAFailureThatLastsAndRecovers) {
  disk_.fail_calls(disk_.calls(), 50, FaultyFileSystem::Effect::none);
  const auto failed = append(1);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, ErrorCode::storage_failed);
  disk_.fail_calls(0, 0, FaultyFileSystem::Effect::none);
  ASSERT_TRUE(append(1).has_value());
  EXPECT_EQ(replay(), (std::vector<std::uint64_t>{1}));
}

TEST_F(FileJournalTest, RefusesAnOpThatNoReplayWouldAccept) {
  const std::string huge(kJournalFrameMax, 'x');
  const auto refused = journal_->append({{.dot = dot(1), .op = huge, .chain = kChain}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::limit_exceeded);
  EXPECT_TRUE(replay().empty());
}

TEST(StoredValue, IsWhatWasWrittenUnderThisKeyOrNothing) {
  const std::string stored = wrap_value("key", "value", 7);
  const auto value = unwrap_value("key", stored);
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(value->value, "value");
  EXPECT_EQ(value->commit, 7u);
  EXPECT_FALSE(unwrap_value("kez", stored).has_value());
  for (std::size_t at = 0; at < stored.size(); ++at) {
    std::string damaged = stored;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    EXPECT_FALSE(unwrap_value("key", damaged).has_value());
    EXPECT_FALSE(unwrap_value("key", stored.substr(0, at)).has_value());
  }
}

}  // namespace
}  // namespace duhui::agent
