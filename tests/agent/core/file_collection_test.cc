// What of the files on a device is there for nothing, and when it may go.

#include "agent/core/file_collection.h"

#include <gtest/gtest.h>

#include "agent/core/keys.h"
#include "duhui/record/v1/visit.pb.h"
#include "shared/base/bytes.h"
#include "shared/crypto/sealing.h"
#include "shared/merge/schema.h"
#include "shared/sync/limits.h"
#include "tests/agent/core/test_device.h"
#include "tests/support/memory_blob_store.h"

namespace duhui::agent {
namespace {

using sync_limits::kChunkBytes;

constexpr WallTime kHubTime{1'763'000'000'000};

class FileCollectionTest : public testing::Test {
 protected:
  FileCollectionTest() {
    locked.locked = true;
    device.replica->keep_files(files, locked);
  }

  FileCollection collection() {
    return FileCollection({*device.replica, *device.store, files, files, locked, locked});
  }
  Digest put(std::size_t size) {
    std::string content(size, '\0');
    device.random.fill(content.data(), size);
    const Digest name = sha256(content);
    files.whole[name] = std::move(content);
    return name;
  }
  void attach(char record, const Digest& sha256) {
    record::v1::VisitRecord visit;
    auto* attachment = visit.add_attachments();
    attachment->set_id("p1");
    attachment->set_sha256(to_hex(sha256.view()));
    attachment->set_size(files.whole.at(sha256).size());
    const RecordSchema& schema = *Schema::instance().find("visit_record");
    Intent intent = device.intent(record, "");
    intent.type = schema.rule.type();
    intent.writes.clear();
    const auto fragments = split(schema, visit);
    ASSERT_TRUE(fragments);
    for (const Fragment& one : *fragments) intent.writes.push_back({one.key, one.value});
    ASSERT_TRUE(device.replica->save({intent}, device.clock()));
  }
  void become_a_school_pc() {
    sync::v1::Vault vault;
    sync::v1::Vault::Keeper* keeper = vault.add_keepers();
    keeper->set_user_id("wang");
    keeper->set_public_key(wang.public_key().str());
    keeper->set_sealed_key(
        *seal(wang.public_key(), VaultKey::of_device(hub, device.identity.id).view()));
    ASSERT_TRUE(device.replica->keep_vault(vault));
    ASSERT_TRUE(device.replica->unlock_vault(wang));
  }
  std::uint64_t collect(Duration later) {
    auto done = collection().collect_unnamed(kHubTime + later);
    EXPECT_TRUE(done);
    return done ? done->files.files : 0;
  }

  TestDevice device{13};
  SigningKey hub = SigningKey::generate(device.random);
  SigningKey wang = SigningKey::generate(device.random);
  MemoryBlobStore files;
  MemoryBlobStore locked;
};

TEST_F(FileCollectionTest, AnUploadThatNobodyAttachedGoesAfterThirtyDays) {
  const Digest left = put(500);
  const Digest attached = put(600);
  attach('a', attached);
  EXPECT_EQ(collection().look()->unnamed->files, 1u);
  EXPECT_EQ(collection().look()->unnamed->bytes, 500u);
  EXPECT_EQ(collect({}), 0u);
  EXPECT_EQ(collect(days(29)), 0u);
  EXPECT_TRUE(files.whole.contains(left));
  device.open();
  device.replica->keep_files(files, locked);
  EXPECT_EQ(collect(days(30)), 1u);
  EXPECT_FALSE(files.whole.contains(left));
  EXPECT_TRUE(files.whole.contains(attached));
  EXPECT_EQ(collect(days(400)), 0u);
  EXPECT_TRUE(files.whole.contains(attached));
  EXPECT_EQ(collection().look()->unnamed->files, 0u);
}

TEST_F(FileCollectionTest, OneThatIsAttachedMeanwhileStaysAndAnOlderNameCountsToo) {
  const Digest late = put(500);
  const Digest first = put(10);
  attach('b', first);
  EXPECT_EQ(collect({}), 0u);
  attach('a', late);
  const Digest second = put(11);
  attach('b', second);  // in the place of the first
  EXPECT_EQ(collect(days(90)), 0u);
  EXPECT_EQ(collect(days(180)), 0u);
  EXPECT_EQ(files.whole.size(), 3u);
}

TEST_F(FileCollectionTest, AClockThatWentBackBeginsAnew) {
  put(500);
  EXPECT_EQ(collect(days(100)), 0u);
  EXPECT_EQ(collect({}), 0u);
  EXPECT_EQ(collect(days(29)), 0u);
  EXPECT_EQ(collect(days(31)), 1u);
}

TEST_F(FileCollectionTest, WhileARecordCannotBeReadNoWholeFileIsTouched) {
  become_a_school_pc();
  const Digest left = put(500);
  const Digest attached = put(600);
  attach('a', attached);
  EXPECT_FALSE(files.whole.contains(attached)) << "a draft's photo lies locked";
  EXPECT_EQ(collect({}), 0u);
  device.replica->lock_vault();
  EXPECT_FALSE(collection().look()->unnamed);
  EXPECT_EQ(collect(days(40)), 0u);
  EXPECT_TRUE(files.whole.contains(left));
  ASSERT_TRUE(device.replica->unlock_vault(wang));
  EXPECT_EQ(collect(days(40)), 1u);
  EXPECT_TRUE(locked.whole.contains(attached));
}

TEST_F(FileCollectionTest, PartsOfWhatIsHereAndLeftoversOfLockingGo) {
  const Digest here = put(2 * kChunkBytes);
  RecordId record;
  record.bytes.fill('r');
  const std::string chunk(kChunkBytes, 'x');
  const BlobName of_whole{here, 2 * kChunkBytes, record};
  const BlobName under_way{sha256("other"), 2 * kChunkBytes, record};
  const BlobName cut_off{sha256("another"), 2 * kChunkBytes, RecordId{}};
  for (const BlobName& name : {of_whole, under_way, cut_off}) {
    ASSERT_TRUE(files.write_chunk(name, 0, chunk));
  }
  EXPECT_EQ(collection().look()->useless_parts.files, 2u);
  EXPECT_EQ(collection().collect_parts()->parts.files, 2u);
  ASSERT_EQ(files.parts.size(), 1u);
  EXPECT_EQ(files.parts.begin()->first, under_way);
  EXPECT_TRUE(files.whole.contains(here));
}

TEST_F(FileCollectionTest, TellsWhatIsToBeSentAndNotHere) {
  const Digest attached = put(600);
  attach('a', attached);
  EXPECT_EQ(collection().look()->absent, 0u);
  files.whole.clear();
  EXPECT_EQ(collection().look()->absent, 1u);
}

}  // namespace
}  // namespace duhui::agent
