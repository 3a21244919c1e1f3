#include "shared/blobs/file_blob_store.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "shared/base/bytes.h"
#include "shared/base/random.h"
#include "shared/sync/limits.h"
#include "tests/support/memory_blob_store.h"

namespace duhui {
namespace {

constexpr std::uint32_t kChunk = sync_limits::kChunkBytes;

std::string content(std::size_t size) {
  SeededRandom random(size);
  std::string bytes(size, '\0');
  random.fill(bytes.data(), bytes.size());
  return bytes;
}

BlobName name_of(const std::string& bytes, char record = 'a') {
  RecordId id;
  id.bytes.fill(record);
  return {sha256(bytes), bytes.size(), id};
}

struct MemoryShelf {
  MemoryBlobStore store;
  BlobStore& open() { return store; }
  BlobInventory* inventory() { return &store; }
};

struct FileShelf {
  FileShelf() {
    std::string pattern = std::filesystem::temp_directory_path() / "blobs-XXXXXX";
    folder = ::mkdtemp(pattern.data());
  }
  ~FileShelf() { std::filesystem::remove_all(folder); }
  /// As after a restart.
  BlobStore& open() {
    auto opened = FileBlobStore::open(folder + "/blobs");
    EXPECT_TRUE(opened);
    store = std::move(*opened);
    return *store;
  }
  BlobInventory* inventory() { return store.get(); }
  std::string file(const std::string& bytes) {
    const std::string path = folder + "/upload";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  std::string folder;
  std::unique_ptr<FileBlobStore> store;
};

/// What every BlobStore does.
template <typename Shelf>
class BlobStoreContract : public testing::Test {
 protected:
  Shelf shelf;
};
using Shelves = testing::Types<MemoryShelf, FileShelf>;
TYPED_TEST_SUITE(BlobStoreContract, Shelves);

TYPED_TEST(BlobStoreContract, MakesAFileOfItsChunksInAnyOrder) {
  BlobStore& store = this->shelf.open();
  const std::string bytes = content(2 * kChunk + 5);
  const BlobName name = name_of(bytes);
  EXPECT_FALSE(*store.size(name.sha256));
  EXPECT_EQ(store.part(name)->held.missing(), 3u);
  for (const std::uint32_t chunk : {2u, 0u, 1u}) {
    const auto piece = bytes.substr(std::size_t{chunk} * kChunk, kChunk);
    ASSERT_TRUE(store.write_chunk(name, chunk, piece));
  }
  const auto whole = store.finish(name);
  ASSERT_TRUE(whole && *whole);
  EXPECT_EQ(**store.size(name.sha256), bytes.size());
  EXPECT_EQ(*store.read(name.sha256, 0, bytes.size() + 9), bytes);
  EXPECT_EQ(*store.read(name.sha256, kChunk - 1, 3), bytes.substr(kChunk - 1, 3));
  EXPECT_EQ(*store.read(name.sha256, bytes.size(), 3), "");
}

TYPED_TEST(BlobStoreContract, GoesOnWhereTheMapStood) {
  const std::string bytes = content(3 * kChunk);
  const BlobName name = name_of(bytes);
  {
    BlobStore& store = this->shelf.open();
    ASSERT_TRUE(store.write_chunk(name, 1, bytes.substr(kChunk, kChunk)));
    ChunkMap held(name.size);
    held.hold(1);
    ASSERT_TRUE(store.save_part(name, {held, bytes.substr(0, 100)}));
  }
  BlobStore& store = this->shelf.open();
  const auto part = store.part(name);
  ASSERT_TRUE(part);
  EXPECT_TRUE(part->held.held(1));
  EXPECT_EQ(part->held.missing(), 2u);
  EXPECT_EQ(part->begun, bytes.substr(0, 100));
  // Another record's part of the same file knows nothing of it.
  EXPECT_EQ(store.part(name_of(bytes, 'b'))->held.missing(), 3u);
}

TYPED_TEST(BlobStoreContract, DropsWhatMakesAnotherHash) {
  BlobStore& store = this->shelf.open();
  const std::string bytes = content(100);
  const BlobName name = name_of(bytes);
  ASSERT_TRUE(store.write_chunk(name, 0, std::string(100, 'x')));
  const auto whole = store.finish(name);
  ASSERT_TRUE(whole);
  EXPECT_FALSE(*whole);
  EXPECT_FALSE(*store.size(name.sha256));
  EXPECT_EQ(store.part(name)->held.missing(), 1u);
}

TYPED_TEST(BlobStoreContract, TellsWhatLiesInItAndRemovesParts) {
  BlobStore& content_of = this->shelf.open();
  const std::string whole = content(kChunk + 9);
  const BlobName name = name_of(whole);
  for (const std::uint32_t chunk : {0u, 1u}) {
    ASSERT_TRUE(content_of.write_chunk(name, chunk, whole.substr(chunk * kChunk, kChunk)));
  }
  ASSERT_TRUE(*content_of.finish(name));
  const BlobName begun = name_of(content(3 * kChunk), 'b');
  ASSERT_TRUE(content_of.write_chunk(begun, 0, content(3 * kChunk).substr(0, kChunk)));
  ChunkMap held(begun.size);
  held.hold(0);
  ASSERT_TRUE(content_of.save_part(begun, {held, {}}));
  std::vector<BlobInventory::Whole> files;
  std::vector<BlobInventory::Begun> parts;
  BlobInventory& listed = *this->shelf.inventory();
  const auto look = [&] {
    files.clear();
    parts.clear();
    ASSERT_TRUE(listed.each_whole([&](const BlobInventory::Whole& one) {
      files.push_back(one);
      return true;
    }));
    ASSERT_TRUE(listed.each_part([&](const BlobInventory::Begun& one) {
      parts.push_back(one);
      return true;
    }));
  };
  look();
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].sha256, name.sha256);
  EXPECT_EQ(files[0].size, whole.size());
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].sha256, begun.sha256);
  EXPECT_EQ(parts[0].record, begun.record);
  EXPECT_EQ(parts[0].size, begun.size);
  EXPECT_GT(parts[0].bytes, 0u);
  ASSERT_TRUE(listed.remove_part(begun.sha256, begun.record));
  ASSERT_TRUE(listed.remove_part(begun.sha256, begun.record));
  look();
  EXPECT_EQ(files.size(), 1u);
  EXPECT_TRUE(parts.empty());
  EXPECT_EQ(this->shelf.open().part(begun)->held.missing(), 3u);
}

TYPED_TEST(BlobStoreContract, ForgetsWhatIsRemoved) {
  BlobStore& store = this->shelf.open();
  const std::string bytes = content(10);
  const BlobName name = name_of(bytes);
  ASSERT_TRUE(store.write_chunk(name, 0, bytes));
  ASSERT_TRUE(*store.finish(name));
  EXPECT_TRUE(store.remove(name.sha256));
  EXPECT_FALSE(*store.size(name.sha256));
  EXPECT_TRUE(store.remove(name.sha256));
}

TYPED_TEST(BlobStoreContract, SaysWhatIsNotHere) {
  BlobStore& store = this->shelf.open();
  const auto read = store.read(sha256("never"), 0, 10);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::not_found);
}

TEST(FileBlobStore, AdoptsAFile) {
  FileShelf shelf;
  shelf.open();
  const std::string bytes = content(kChunk + 1);
  const auto adopted = shelf.store->adopt(shelf.file(bytes));
  ASSERT_TRUE(adopted);
  EXPECT_EQ(adopted->sha256, sha256(bytes));
  EXPECT_EQ(adopted->size, bytes.size());
  EXPECT_EQ(*shelf.store->read(adopted->sha256, 0, bytes.size()), bytes);
  const auto empty = shelf.store->adopt(shelf.file(""));
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, ErrorCode::limit_exceeded);
  // The same again is no harm.
  EXPECT_TRUE(shelf.store->adopt(shelf.file(bytes)));
}

TEST(FileBlobStore, BelievesNoTornMap) {
  FileShelf shelf;
  BlobStore& store = shelf.open();
  const std::string bytes = content(2 * kChunk);
  const BlobName name = name_of(bytes);
  ASSERT_TRUE(store.write_chunk(name, 0, bytes.substr(0, kChunk)));
  ChunkMap held(name.size);
  held.hold(0);
  ASSERT_TRUE(store.save_part(name, {held, {}}));
  for (const auto& entry : std::filesystem::directory_iterator(shelf.folder + "/blobs/parts")) {
    if (entry.path().extension() == ".map") {
      std::filesystem::resize_file(entry.path(), std::filesystem::file_size(entry.path()) - 1);
    }
  }
  EXPECT_EQ(shelf.open().part(name)->held.missing(), 2u);
}

TEST(FileBlobStore, FollowsNoLinkThatSomebodyPutInItsPlace) {
  FileShelf shelf;
  shelf.open();
  const std::string secret = shelf.folder + "/secret";
  std::ofstream(secret) << "not a photo";
  const Digest digest = sha256("anything");
  const std::string path = shelf.store->path_of(digest);
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::filesystem::create_symlink(secret, path);
  EXPECT_FALSE(shelf.store->read(digest, 0, 100));
  EXPECT_FALSE(shelf.store->adopt(path));
}

}  // namespace
}  // namespace duhui
