#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "agent/store/file_shelf.h"
#include "agent/store/posix_file_system.h"
#include "shared/base/bytes.h"
#include "shared/base/random.h"
#include "shared/crypto/digest.h"
#include "tests/agent/store/temporary_folder.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/memory_shelf.h"

namespace duhui::agent {
namespace {

using Copy = BlobShelf::Copy;

const std::string kToken(32, 'a');
const std::string kOther(32, 'b');

std::string hash_of(const std::string& bytes) { return to_hex(sha256(bytes).view()); }

class Place {
 public:
  virtual ~Place() = default;
  virtual BlobShelf& shelf() = 0;
};

class MemoryPlace final : public Place {
 public:
  BlobShelf& shelf() override { return shelf_; }

 private:
  MemoryShelf shelf_;
};

class FilePlace final : public Place {
 public:
  BlobShelf& shelf() override { return *shelf_; }

 private:
  TemporaryFolder folder_;
  PosixFileSystem files_;
  std::unique_ptr<FileShelf> shelf_ = FileShelf::open(files_, folder_.path() + "/files").value();
};

struct Kind {
  const char* name;
  std::function<std::unique_ptr<Place>()> make;
};

class BlobShelfContract : public testing::TestWithParam<Kind> {
 protected:
  BlobShelf& shelf() { return place_->shelf(); }
  static std::string all(const Result<std::unique_ptr<BlobReader>>& reader) {
    return reader ? (*reader)->read(0, 1 << 20).value() : "nothing";
  }

  std::unique_ptr<Place> place_ = GetParam().make();
};

TEST_P(BlobShelfContract, KeepsUnderItsHashWhatCameInPieces) {
  ASSERT_TRUE(shelf().begin(kToken, 10));
  EXPECT_EQ(shelf().begin(kToken, 10).error().code, ErrorCode::conflict);
  ASSERT_TRUE(shelf().append(kToken, "hello "));
  EXPECT_EQ(shelf().look(kToken).value()->size(), 6u);
  ASSERT_TRUE(shelf().append(kToken, "world"));
  EXPECT_EQ(shelf().open(hash_of("hello world"), Copy::shown).error().code, ErrorCode::not_found);
  const ShelvedBlob blob = shelf().finish(kToken).value();
  EXPECT_EQ(blob.sha256, hash_of("hello world"));
  EXPECT_EQ(blob.size, 11u);
  const auto reader = shelf().open(blob.sha256, Copy::shown).value();
  EXPECT_EQ(reader->size(), 11u);
  EXPECT_EQ(reader->read(6, 3).value(), "wor");
  EXPECT_EQ(reader->read(6, 300).value(), "world");
  EXPECT_EQ(reader->read(11, 3).value(), "");
  EXPECT_EQ(shelf().look(kToken).error().code, ErrorCode::not_found);
  EXPECT_TRUE(shelf().begin(kToken, 1));  // the token is free again
}

TEST_P(BlobShelfContract, KeepsTheSameContentOnce) {
  for (const std::string& token : {kToken, kOther}) {
    ASSERT_TRUE(shelf().begin(token, 4));
    ASSERT_TRUE(shelf().append(token, "same"));
  }
  const std::string first = shelf().finish(kToken).value().sha256;
  EXPECT_EQ(shelf().finish(kOther).value().sha256, first);
  EXPECT_EQ(all(shelf().open(first, Copy::shown)), "same");
}

TEST_P(BlobShelfContract, KeepsAnOriginalBesideWhatIsShown) {
  ASSERT_TRUE(shelf().begin(kToken, 5));
  ASSERT_TRUE(shelf().append(kToken, "small"));
  const std::string small = shelf().finish(kToken).value().sha256;
  EXPECT_EQ(shelf().open(small, Copy::original).error().code, ErrorCode::not_found);
  ASSERT_TRUE(shelf().begin(kToken, 5));
  ASSERT_TRUE(shelf().append(kToken, "large"));
  EXPECT_FALSE(shelf().keep_original(kToken, hash_of("nobody")));
  ASSERT_TRUE(shelf().keep_original(kToken, small));
  EXPECT_EQ(all(shelf().open(small, Copy::original)), "large");
  EXPECT_EQ(all(shelf().open(small, Copy::shown)), "small");
}

TEST_P(BlobShelfContract, DropsWhatHasBegunAndNothingElse) {
  ASSERT_TRUE(shelf().begin(kToken, 5));
  ASSERT_TRUE(shelf().drop(kToken));
  EXPECT_TRUE(shelf().drop(kToken));
  EXPECT_EQ(shelf().append(kToken, "x").error().code, ErrorCode::not_found);
  EXPECT_EQ(shelf().finish(kToken).error().code, ErrorCode::not_found);
}

TEST_P(BlobShelfContract, TakesNamesThatAreHashesAndTokensOnly) {
  for (const std::string& name :
       {std::string("../../etc/passwd"), std::string(32, 'A'), std::string(31, 'a'), std::string(),
        "../" + std::string(29, 'a'), std::string(31, 'a') + "/"}) {
    EXPECT_EQ(shelf().begin(name, 1).error().code, ErrorCode::invalid_input) << name;
    EXPECT_EQ(shelf().drop(name).error().code, ErrorCode::invalid_input) << name;
    EXPECT_EQ(shelf().open(name, Copy::shown).error().code, ErrorCode::invalid_input) << name;
    EXPECT_FALSE(shelf().look(name)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shelves,
    BlobShelfContract,
    testing::Values(Kind{"Memory", [] { return std::make_unique<MemoryPlace>(); }},
                    Kind{"Files", [] { return std::make_unique<FilePlace>(); }}),
    [](const auto& kind) { return std::string(kind.param.name); });

// What only files have.

TEST(FileShelf, LaysFilesInTwoLevelsAndWritesNowhereElse) {
  const TemporaryFolder folder;
  PosixFileSystem files;
  const auto shelf = FileShelf::open(files, folder.path() + "/files").value();
  ASSERT_TRUE(shelf->begin(kToken, 1));
  ASSERT_TRUE(shelf->append(kToken, "x"));
  const std::string hash = shelf->finish(kToken).value().sha256;
  EXPECT_TRUE(std::filesystem::exists(folder.path() + "/files/" + hash.substr(0, 2) + "/" +
                                      hash.substr(2, 2) + "/" + hash));
  EXPECT_FALSE(shelf->begin("../" + std::string(29, 'a'), 1));
  std::size_t outside = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    if (entry.path().filename() != "files") ++outside;
  }
  EXPECT_EQ(outside, 0u);
}

TEST(FileShelf, LeavesRoomForRecords) {
  FaultyFileSystem disk;
  ASSERT_TRUE(disk.make_folder("/data"));
  disk.set_capacity(300ull << 20);
  const auto shelf = FileShelf::open(disk, "/data/files").value();
  EXPECT_TRUE(shelf->begin(kToken, 20ull << 20));
  EXPECT_EQ(shelf->begin(kOther, 60ull << 20).error().code, ErrorCode::limit_exceeded);
}

/// What a file shelf does for one file, as far as it gets.
Status take(BlobShelf& shelf) {
  DUHUI_CHECK_OK(shelf.begin(kToken, 11));
  DUHUI_CHECK_OK(shelf.append(kToken, "hello "));
  DUHUI_CHECK_OK(shelf.append(kToken, "world"));
  DUHUI_TRY(blob, shelf.finish(kToken));
  static_cast<void>(blob);
  return Done{};
}

TEST(FileShelf, HasAWholeFileOrNoneAfterAPowerCutAtAnyCall) {
  SeededRandom random(5);
  bool whole = false;
  for (std::uint64_t call = 0; !whole; ++call) {
    for (const auto effect : {FaultyFileSystem::Effect::none, FaultyFileSystem::Effect::first}) {
      FaultyFileSystem disk;
      ASSERT_TRUE(disk.make_folder("/data"));
      ASSERT_TRUE(disk.sync_folder("/"));
      auto shelf = FileShelf::open(disk, "/data/files").value();
      disk.cut_power_at(disk.calls() + call, effect);
      const bool told = take(*shelf).has_value();
      disk.restore_power(random);
      shelf = FileShelf::open(disk, "/data/files").value();
      const auto reader = shelf->open(hash_of("hello world"), Copy::shown);
      if (told) ASSERT_TRUE(reader) << call;
      if (reader) {
        ASSERT_EQ((*reader)->read(0, 100).value(), "hello world") << call;
      }
      ASSERT_TRUE(shelf->drop(kToken));
      ASSERT_TRUE(take(*shelf)) << "it can be sent again";
      whole = told;
    }
    ASSERT_LT(call, 200u);
  }
}

}  // namespace
}  // namespace duhui::agent
