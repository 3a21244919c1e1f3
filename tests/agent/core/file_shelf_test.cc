// What of the files of a record the inspected school can see on its PC.

#include "agent/core/file_shelf.h"

#include <gtest/gtest.h>

#include "shared/crypto/sealing.h"
#include "shared/sync/limits.h"
#include "tests/support/memory_blob_store.h"
#include "tests/support/memory_store.h"

namespace duhui::agent {
namespace {

using sync_limits::kChunkBytes;

class FileShelfTest : public testing::Test {
 protected:
  FileShelfTest() {
    locked.locked = true;
    sync::v1::Vault keepers;
    sync::v1::Vault::Keeper* wang = keepers.add_keepers();
    wang->set_user_id("u-wang");
    wang->set_public_key(person.public_key().str());
    wang->set_sealed_key(*seal(person.public_key(), key.view()));
    vault.set_keepers(keepers);
  }
  Digest put(std::size_t size) {
    content.resize(size);
    random.fill(content.data(), content.size());
    const Digest digest = sha256(content);
    files.whole[digest] = content;
    return digest;
  }

  SeededRandom random{3};
  SigningKey hub = SigningKey::generate(random);
  SigningKey person = SigningKey::generate(random);
  VaultKey key = VaultKey::of_device(hub, DeviceId::random(random));
  MemoryDisk disk;
  MemoryKvStore store{disk};
  MemoryBlobStore files;
  MemoryBlobStore locked;
  Vault vault;
  FileShelf shelf{files, locked, store, vault};
  std::string content;
};

TEST_F(FileShelfTest, LocksAndOpensFilesOfAnySize) {
  ASSERT_TRUE(vault.unlock(person));
  for (const std::size_t size : {std::size_t{1}, std::size_t{kChunkBytes - 1},
                                 std::size_t{kChunkBytes}, std::size_t{3 * kChunkBytes + 5}}) {
    const Digest digest = put(size);
    ASSERT_TRUE(shelf.lock(digest)) << size;
    EXPECT_FALSE(files.whole.contains(digest));
    EXPECT_EQ(**shelf.size(digest), size);
    EXPECT_EQ(*shelf.read(digest, 0, size + 9), content);
    EXPECT_EQ(*shelf.read(digest, size / 2, 10), content.substr(size / 2, 10));
    EXPECT_EQ(shelf.locked_files()->size(), 1u);
    ASSERT_TRUE(shelf.lock(digest)) << "twice is no harm";
    ASSERT_TRUE(shelf.unlock(digest));
    EXPECT_EQ(files.whole.at(digest), content);
    EXPECT_TRUE(locked.whole.empty());
    EXPECT_TRUE(shelf.locked_files()->empty());
    files.whole.clear();
  }
}

TEST_F(FileShelfTest, WithoutTheKeyALockedFileCanBeSentAndNotSeen) {
  ASSERT_TRUE(vault.unlock(person));
  const Digest digest = put(kChunkBytes + 100);
  ASSERT_TRUE(shelf.lock(digest));
  vault.lock();
  EXPECT_EQ(**shelf.size(digest), content.size());
  const auto seen = shelf.read(digest, 0, 10);
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().code, ErrorCode::unavailable);
  EXPECT_FALSE(shelf.unlock(digest));
  for (const std::uint32_t index : {0u, 1u}) {
    const auto chunk = shelf.chunk(digest, index);
    ASSERT_TRUE(chunk && chunk->locked);
    // The hub opens it.
    EXPECT_EQ(*key.open_chunk(digest.view(), index, chunk->bytes),
              content.substr(index * kChunkBytes, kChunkBytes));
  }
}

TEST_F(FileShelfTest, AFileThatIsNotHereIsNothingToLock) {
  ASSERT_TRUE(vault.unlock(person));
  const Digest digest = sha256("never");
  EXPECT_TRUE(shelf.lock(digest));
  EXPECT_TRUE(shelf.unlock(digest));
  EXPECT_FALSE(*shelf.size(digest));
  EXPECT_EQ(shelf.read(digest, 0, 1).error().code, ErrorCode::not_found);
}

TEST_F(FileShelfTest, ABentLockedFileIsNotTakenForTheOther) {
  ASSERT_TRUE(vault.unlock(person));
  const Digest digest = put(100);
  ASSERT_TRUE(shelf.lock(digest));
  locked.whole[digest][5] ^= 1;
  EXPECT_EQ(shelf.read(digest, 0, 100).error().code, ErrorCode::corrupt_data);
  EXPECT_FALSE(shelf.unlock(digest));
  EXPECT_TRUE(locked.whole.contains(digest)) << "what is left of it stays";
}

}  // namespace
}  // namespace duhui::agent
