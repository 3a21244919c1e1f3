#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "agent/store/posix_file_system.h"
#include "agent/store/upload_shelf.h"
#include "shared/base/bytes.h"
#include "shared/crypto/digest.h"
#include "shared/crypto/system_random.h"
#include "tests/agent/store/temporary_folder.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/memory_shelf.h"

namespace duhui::agent {
namespace {

const std::string kToken(32, 'a');
const std::string kOther(32, 'b');

std::string hash_of(const std::string& bytes) { return to_hex(sha256(bytes).view()); }

class Place {
 public:
  virtual ~Place() = default;
  virtual BlobShelf& shelf() = 0;
  virtual bool hidden() const { return false; }
};

class MemoryPlace final : public Place {
 public:
  BlobShelf& shelf() override { return shelf_; }

 private:
  MemoryShelf shelf_;
};

/// A device whose vault is open: `hidden` what it takes.
class FilePlace final : public Place {
 public:
  explicit FilePlace(bool hidden) : hidden_(hidden) {
    shelf_->set_key(VaultKey::from_bytes(std::string(32, 'k')));
  }
  BlobShelf& shelf() override { return *shelf_; }
  bool hidden() const override { return hidden_; }
  std::string path() const { return folder_.path(); }
  UploadShelf& upload_shelf() { return *shelf_; }

 private:
  const bool hidden_;
  TemporaryFolder folder_;
  PosixFileSystem files_;
  SystemRandom random_;
  std::unique_ptr<FileBlobStore> shown_ = FileBlobStore::open(folder_.path() + "/blobs").value();
  std::unique_ptr<FileBlobStore> locked_ =
      FileBlobStore::open(folder_.path() + "/locked", FileBlobStore::Names::hash_of_unlocked)
          .value();
  std::unique_ptr<UploadShelf> shelf_ =
      UploadShelf::open({files_, *shown_, *locked_, random_}, folder_.path() + "/files").value();
};

struct Kind {
  const char* name;
  std::function<std::unique_ptr<Place>()> make;
};

class BlobShelfContract : public testing::TestWithParam<Kind> {
 protected:
  BlobShelf& shelf() { return place_->shelf(); }
  Status begin(const std::string& token, std::uint64_t size) {
    return shelf().begin(token, size, place_->hidden());
  }
  static std::string all(const Result<std::unique_ptr<BlobReader>>& reader) {
    return reader ? (*reader)->read(0, 1 << 20).value() : "nothing";
  }

  std::unique_ptr<Place> place_ = GetParam().make();
};

TEST_P(BlobShelfContract, KeepsUnderItsHashWhatCameInPieces) {
  ASSERT_TRUE(begin(kToken, 10));
  EXPECT_EQ(begin(kToken, 10).error().code, ErrorCode::conflict);
  ASSERT_TRUE(shelf().append(kToken, "hello "));
  EXPECT_EQ(shelf().look(kToken).value()->size(), 6u);
  ASSERT_TRUE(shelf().append(kToken, "world"));
  EXPECT_EQ(shelf().open(hash_of("hello world")).error().code, ErrorCode::not_found);
  const ShelvedBlob blob = shelf().finish(kToken).value();
  EXPECT_EQ(blob.sha256, hash_of("hello world"));
  EXPECT_EQ(blob.size, 11u);
  const auto reader = shelf().open(blob.sha256).value();
  EXPECT_EQ(reader->size(), 11u);
  EXPECT_EQ(reader->read(6, 3).value(), "wor");
  EXPECT_EQ(reader->read(6, 300).value(), "world");
  EXPECT_EQ(reader->read(11, 3).value(), "");
  EXPECT_EQ(shelf().look(kToken).error().code, ErrorCode::not_found);
  EXPECT_TRUE(begin(kToken, 1));  // the token is free again
}

TEST_P(BlobShelfContract, KeepsTheSameContentOnce) {
  for (const std::string& token : {kToken, kOther}) {
    ASSERT_TRUE(begin(token, 4));
    ASSERT_TRUE(shelf().append(token, "same"));
  }
  const std::string first = shelf().finish(kToken).value().sha256;
  EXPECT_EQ(shelf().finish(kOther).value().sha256, first);
  EXPECT_EQ(all(shelf().open(first)), "same");
}

TEST_P(BlobShelfContract, DropsWhatHasBegunAndNothingElse) {
  ASSERT_TRUE(begin(kToken, 5));
  ASSERT_TRUE(shelf().drop(kToken));
  EXPECT_TRUE(shelf().drop(kToken));
  EXPECT_EQ(shelf().append(kToken, "x").error().code, ErrorCode::not_found);
  EXPECT_EQ(shelf().finish(kToken).error().code, ErrorCode::not_found);
}

TEST_P(BlobShelfContract, TakesNamesThatAreHashesAndTokensOnly) {
  for (const std::string& name :
       {std::string("../../etc/passwd"), std::string(32, 'A'), std::string(31, 'a'), std::string(),
        "../" + std::string(29, 'a'), std::string(31, 'a') + "/"}) {
    EXPECT_EQ(begin(name, 1).error().code, ErrorCode::invalid_input) << name;
    EXPECT_EQ(shelf().drop(name).error().code, ErrorCode::invalid_input) << name;
    EXPECT_EQ(shelf().open(name).error().code, ErrorCode::invalid_input) << name;
    EXPECT_FALSE(shelf().look(name)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shelves,
    BlobShelfContract,
    testing::Values(Kind{"Memory", [] { return std::make_unique<MemoryPlace>(); }},
                    Kind{"Files", [] { return std::make_unique<FilePlace>(false); }},
                    Kind{"LockedFiles", [] { return std::make_unique<FilePlace>(true); }}),
    [](const auto& kind) { return std::string(kind.param.name); });

// What only files have.

std::set<std::string> files_in(const std::string& folder) {
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      found.insert(entry.path().lexically_relative(folder).string());
    }
  }
  return found;
}

std::string everything_in(const std::string& folder) {
  std::string all;
  for (const std::string& path : files_in(folder)) {
    std::ifstream file(folder + "/" + path, std::ios::binary);
    all.append(std::istreambuf_iterator<char>(file), {});
  }
  return all;
}

TEST(UploadShelf, LaysFilesWhereTheDeviceKeepsItsFilesAndWritesNowhereElse) {
  FilePlace place(false);
  ASSERT_TRUE(place.shelf().begin(kToken, 1, false));
  ASSERT_TRUE(place.shelf().append(kToken, "x"));
  EXPECT_EQ(files_in(place.path()), std::set<std::string>{"files/incoming/" + kToken});
  const std::string hash = place.shelf().finish(kToken).value().sha256;
  EXPECT_EQ(files_in(place.path()),
            std::set<std::string>{"blobs/" + hash.substr(0, 2) + "/" + hash});
  EXPECT_FALSE(place.shelf().begin("../" + std::string(29, 'a'), 1, false));
}

TEST(UploadShelf, WhatIsHiddenNeverLiesOpen) {
  FilePlace place(true);
  const std::string secret = "nobody at the school reads this";
  ASSERT_TRUE(place.shelf().begin(kToken, 2 * secret.size(), true));
  ASSERT_TRUE(place.shelf().append(kToken, secret));
  ASSERT_TRUE(place.shelf().append(kToken, secret));
  EXPECT_EQ(everything_in(place.path()).find("nobody"), std::string::npos);
  EXPECT_EQ(place.shelf().look(kToken).value()->read(20, 30).value(),
            (secret + secret).substr(20, 30));
  const std::string hash = place.shelf().finish(kToken).value().sha256;
  EXPECT_EQ(hash, hash_of(secret + secret));
  EXPECT_EQ(everything_in(place.path()).find("nobody"), std::string::npos);
  EXPECT_EQ(files_in(place.path()),
            std::set<std::string>{"locked/" + hash.substr(0, 2) + "/" + hash});
  place.upload_shelf().set_key({});
  EXPECT_FALSE(place.shelf().can_hide());
  EXPECT_EQ(place.shelf().open(hash).error().code, ErrorCode::unavailable);
  EXPECT_EQ(place.shelf().begin(kToken, 1, true).error().code, ErrorCode::unavailable);
}

TEST(UploadShelf, ATornSegmentIsAsIfItWereNotThere) {
  FilePlace place(true);
  ASSERT_TRUE(place.shelf().begin(kToken, 10, true));
  ASSERT_TRUE(place.shelf().append(kToken, "hello "));
  ASSERT_TRUE(place.shelf().append(kToken, "world"));
  const std::string path = place.path() + "/files/incoming/" + kToken + ".locked";
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  EXPECT_EQ(place.shelf().look(kToken).value()->size(), 6u);
  EXPECT_EQ(place.shelf().append(kToken, "world").error().code, ErrorCode::limit_exceeded);
}

TEST(UploadShelf, AFileThatTheSchoolMayReadAlreadyGetsNoLock) {
  FilePlace place(false);
  for (const bool hidden : {false, true}) {
    ASSERT_TRUE(place.shelf().begin(kToken, 4, hidden));
    ASSERT_TRUE(place.shelf().append(kToken, "same"));
    ASSERT_TRUE(place.shelf().finish(kToken));
  }
  EXPECT_EQ(files_in(place.path()).size(), 1u);
}

TEST(UploadShelf, LeavesRoomForRecords) {
  FaultyFileSystem disk;
  ASSERT_TRUE(disk.make_folder("data"));
  disk.set_capacity(300ull << 20);
  const TemporaryFolder folder;
  SystemRandom random;
  const auto shown = FileBlobStore::open(folder.path() + "/blobs").value();
  const auto locked = FileBlobStore::open(folder.path() + "/locked").value();
  const auto opened = UploadShelf::open({disk, *shown, *locked, random}, "data/files");
  ASSERT_TRUE(opened) << opened.error().detail;
  const auto& shelf = *opened;
  EXPECT_TRUE(shelf->begin(kToken, 20ull << 20, false));
  EXPECT_EQ(shelf->begin(kOther, 60ull << 20, false).error().code, ErrorCode::limit_exceeded);
}

}  // namespace
}  // namespace duhui::agent
