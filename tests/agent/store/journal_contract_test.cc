#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "agent/store/file_journal.h"
#include "agent/store/posix_file_system.h"
#include "tests/agent/store/temporary_folder.h"
#include "tests/support/memory_store.h"

namespace duhui::agent {
namespace {

/// One place where a journal lives on, however often it is closed and opened again.
class JournalPlace {
 public:
  virtual ~JournalPlace() = default;
  virtual std::unique_ptr<Journal> open() = 0;
};

class MemoryPlace final : public JournalPlace {
 public:
  std::unique_ptr<Journal> open() override { return std::make_unique<MemoryJournal>(disk_); }

 private:
  MemoryDisk disk_;
};

class FilePlace final : public JournalPlace {
 public:
  explicit FilePlace(std::uint64_t segment_bytes) : segment_bytes_(segment_bytes) {}
  std::unique_ptr<Journal> open() override {
    auto journal = FileJournal::open(files_, folder_.path() + "/journal", reserve_,
                                     {.segment_bytes = segment_bytes_});
    if (!journal) ADD_FAILURE() << to_string(journal.error());
    return journal ? std::move(*journal) : nullptr;
  }

 private:
  const std::uint64_t segment_bytes_;
  TemporaryFolder folder_;
  PosixFileSystem files_;
  DiskReserve reserve_{files_, folder_.path() + "/reserve", 4096};
};

struct Kind {
  const char* name;
  std::function<std::unique_ptr<JournalPlace>()> make;
};

struct Found {
  Dot dot;
  std::string op;
  std::string chain;
  friend bool operator==(const Found&, const Found&) = default;
};

Origin origin(char name) {
  Origin origin;
  origin.bytes.fill(name);
  return origin;
}

Found entry(char name, std::uint64_t seq) {
  return {.dot = {origin(name), seq},
          .op = "op " + std::string(1, name) + std::to_string(seq),
          .chain = std::string(32, static_cast<char>(seq))};
}

class JournalContract : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    place_ = GetParam().make();
    reopen();
  }
  void reopen() {
    journal_.reset();
    journal_ = place_->open();
    ASSERT_NE(journal_, nullptr);
  }
  void append(const std::vector<Found>& entries) {
    std::vector<Journal::Entry> views;
    for (const Found& one : entries) {
      views.push_back({.dot = one.dot, .op = one.op, .chain = one.chain});
    }
    const auto done = journal_->append(views);
    ASSERT_TRUE(done.has_value()) << to_string(done.error());
  }
  std::vector<Found> replay() {
    std::vector<Found> found;
    const auto damaged = journal_->replay([&](const Journal::Entry& one) {
      found.push_back({one.dot, std::string(one.op), std::string(one.chain)});
    });
    EXPECT_TRUE(damaged.has_value() && *damaged == 0);
    return found;
  }

  std::unique_ptr<JournalPlace> place_;
  std::unique_ptr<Journal> journal_;
};

TEST_P(JournalContract, BeginsEmpty) { EXPECT_TRUE(replay().empty()); }

TEST_P(JournalContract, ReplaysWhatWasAppendedInOrder) {
  append({entry('a', 1), entry('a', 2)});
  append({entry('b', 1)});
  EXPECT_EQ(replay(), (std::vector<Found>{entry('a', 1), entry('a', 2), entry('b', 1)}));
}

TEST_P(JournalContract, KeepsEverythingOverReopening) {
  append({entry('a', 1)});
  reopen();
  append({entry('a', 2)});
  reopen();
  EXPECT_EQ(replay(), (std::vector<Found>{entry('a', 1), entry('a', 2)}));
}

TEST_P(JournalContract, KeepsEveryByteOfAnOp) {
  Found odd = entry('a', 1);
  odd.op = std::string("\0\xff\xd5\x48\x9a\x4a", 6);
  Found empty = entry('a', 2);
  empty.op.clear();
  append({odd, empty, entry('a', 3)});
  reopen();
  EXPECT_EQ(replay(), (std::vector<Found>{odd, empty, entry('a', 3)}));
}

TEST_P(JournalContract, AcceptsNothingToAppend) {
  append({});
  EXPECT_TRUE(replay().empty());
}

TEST_P(JournalContract, KeepsWhatIsNewerThanTheDrop) {
  for (std::uint64_t seq = 1; seq <= 60; ++seq) append({entry('a', seq), entry('b', seq)});
  ASSERT_TRUE(journal_->drop_through({origin('a'), 40}).has_value());
  reopen();
  std::uint64_t newer_a = 0;
  std::uint64_t all_b = 0;
  for (const Found& one : replay()) {
    newer_a += one.dot.origin == origin('a') && one.dot.seq > 40;
    all_b += one.dot.origin == origin('b');
  }
  EXPECT_EQ(newer_a, 20u);
  EXPECT_EQ(all_b, 60u);
}

TEST_P(JournalContract, GoesOnAfterEverythingWasDropped) {
  append({entry('a', 1), entry('a', 2)});
  ASSERT_TRUE(journal_->drop_through({origin('a'), 2}).has_value());
  append({entry('a', 3)});
  reopen();
  const auto found = replay();
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.back(), entry('a', 3));
}

INSTANTIATE_TEST_SUITE_P(
    Journals,
    JournalContract,
    testing::Values(Kind{"Memory", [] { return std::make_unique<MemoryPlace>(); }},
                    Kind{"File", [] { return std::make_unique<FilePlace>(1 << 20); }},
                    Kind{"FileOfSmallSegments", [] { return std::make_unique<FilePlace>(500); }}),
    [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace duhui::agent
