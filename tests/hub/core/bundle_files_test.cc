// What of a bundle's files the hub is given, and when.

#include "hub/core/bundle_files.h"

#include <gtest/gtest.h>

#include "shared/base/bytes.h"
#include "shared/sync/limits.h"

namespace duhui::hub {
namespace {

using sync::v1::BlobEnd;
using sync::v1::Frame;
using Next = BundleFiles::Next;
using sync_limits::kChunkBytes;

constexpr std::uint32_t kChunks = 40;
constexpr std::uint32_t kWindow = sync_limits::kBlobWindowMax / kChunkBytes;

class BundleFilesTest : public testing::Test {
 protected:
  static Frame offer(char name) {
    Frame frame;
    frame.mutable_blob_offer()->set_sha256(std::string(32, name));
    frame.mutable_blob_offer()->set_size(std::uint64_t{kChunks} * kChunkBytes);
    frame.mutable_blob_offer()->set_record_id(std::string(16, 'r'));
    return frame;
  }
  static Frame piece(std::uint32_t chunk) {
    Frame frame;
    frame.mutable_blob_piece()->set_chunk(chunk);
    frame.mutable_blob_piece()->set_data(std::string(kChunkBytes, 'x'));
    frame.mutable_blob_piece()->set_chunk_crc(crc32c(frame.blob_piece().data()));
    return frame;
  }
  Next next(Frame frame) {
    auto said = files.next(&frame);
    EXPECT_TRUE(said);
    last = frame;
    return said ? *said : Next::drop;
  }
  bool is_refused(Frame frame) {
    const auto said = files.next(&frame);
    return !said && said.error().code == ErrorCode::refused;
  }
  void want(char name, std::uint32_t number, std::vector<std::uint32_t> runs = {}) {
    Frame frame;
    frame.mutable_blob_want()->set_want(number);
    frame.mutable_blob_want()->set_sha256(std::string(32, name));
    frame.mutable_blob_want()->set_size(std::uint64_t{kChunks} * kChunkBytes);
    frame.mutable_blob_want()->set_record_id(std::string(16, 'r'));
    for (const std::uint32_t run : runs) frame.mutable_blob_want()->add_runs(run);
    EXPECT_TRUE(files.heard(frame));
  }
  void seen(std::uint32_t number, std::uint32_t chunks) {
    Frame frame;
    frame.mutable_blob_seen()->set_want(number);
    frame.mutable_blob_seen()->set_bytes(std::uint64_t{chunks} * kChunkBytes);
    EXPECT_TRUE(files.heard(frame));
  }
  void end(char name, BlobEnd::Outcome outcome) {
    Frame frame;
    frame.mutable_blob_end()->set_sha256(std::string(32, name));
    frame.mutable_blob_end()->set_record_id(std::string(16, 'r'));
    frame.mutable_blob_end()->set_outcome(outcome);
    frame.mutable_blob_end()->set_detail("why");
    EXPECT_TRUE(files.heard(frame));
  }

  BundleFiles files;
  Frame last;
};

TEST_F(BundleFilesTest, WaitForTheHubsQuestionAndCarryItsNumber) {
  EXPECT_TRUE(files.settled());
  EXPECT_EQ(next(offer('a')), Next::say);
  EXPECT_FALSE(files.settled());
  EXPECT_EQ(next(piece(0)), Next::wait);
  want('b', 6);  // of another file
  EXPECT_EQ(next(piece(0)), Next::wait);
  want('a', 7);
  EXPECT_EQ(next(piece(0)), Next::say);
  EXPECT_EQ(last.blob_piece().want(), 7u);
}

TEST_F(BundleFilesTest, OnlyWhatTheHubLacksGoesAndNoneTwice) {
  next(offer('a'));
  want('a', 1, {2, 3});
  EXPECT_EQ(next(piece(0)), Next::say);
  EXPECT_EQ(next(piece(0)), Next::drop);
  for (const std::uint32_t chunk : {2u, 3u, 4u}) EXPECT_EQ(next(piece(chunk)), Next::drop);
  EXPECT_EQ(next(piece(5)), Next::say);
  // What came damaged is asked for anew.
  want('a', 2, {1, 4});
  EXPECT_EQ(next(piece(0)), Next::say);
  EXPECT_EQ(last.blob_piece().want(), 2u);
}

TEST_F(BundleFilesTest, NoMoreIsOnItsWayThanALinkWouldHave) {
  next(offer('a'));
  want('a', 1);
  for (std::uint32_t chunk = 0; chunk < kWindow; ++chunk) EXPECT_EQ(next(piece(chunk)), Next::say);
  EXPECT_EQ(next(piece(kWindow)), Next::wait);
  EXPECT_EQ(next(offer('b')), Next::wait);
  seen(1, 2);
  EXPECT_EQ(next(piece(kWindow)), Next::say);
  EXPECT_EQ(next(piece(kWindow + 1)), Next::say);
  EXPECT_EQ(next(piece(kWindow + 2)), Next::wait);
  seen(1, 1000);  // the future
  seen(2, 3);     // another request
  EXPECT_EQ(next(piece(kWindow + 2)), Next::wait);
  EXPECT_EQ(files.count().bytes, 2 * kChunkBytes);
}

TEST_F(BundleFilesTest, AFileThatIsInPartsIsLeftOnceAllOfItIsSeen) {
  next(offer('a'));
  want('a', 1);
  next(piece(3));
  EXPECT_EQ(next(offer('b')), Next::wait);
  seen(1, 1);
  EXPECT_TRUE(files.settled());
  EXPECT_EQ(next(offer('b')), Next::say);
  EXPECT_EQ(files.offers().size(), 2u);
}

TEST_F(BundleFilesTest, AWholeFileWaitsForItsReceipt) {
  next(offer('a'));
  want('a', 1, {1, kChunks - 1});
  next(piece(0));
  seen(1, 1);
  EXPECT_FALSE(files.settled());
  end('b', BlobEnd::OUTCOME_KEPT);
  EXPECT_FALSE(files.settled());
  end('a', BlobEnd::OUTCOME_KEPT);
  EXPECT_TRUE(files.settled());
  EXPECT_EQ(files.count().kept, 1u);
  next(offer('b'));
  end('b', BlobEnd::OUTCOME_KEPT);
  EXPECT_EQ(files.count().known, 1u);
}

TEST_F(BundleFilesTest, PiecesOfWhatIsNotTakenArePassedOver) {
  next(offer('a'));
  end('a', BlobEnd::OUTCOME_UNKNOWN);
  EXPECT_EQ(next(piece(0)), Next::drop);
  EXPECT_TRUE(files.settled());
  EXPECT_EQ(files.count().waiting, 1u);
  EXPECT_EQ(files.count().why, "why");
}

TEST_F(BundleFilesTest, WhatNoDevicePutsThereIsRefused) {
  EXPECT_TRUE(is_refused(piece(0))) << "of no file";
  Frame none = offer('a');
  none.mutable_blob_offer()->set_size(0);
  EXPECT_TRUE(is_refused(none));
  next(offer('a'));
  want('a', 1);
  EXPECT_TRUE(is_refused(piece(kChunks)));
  Frame part = piece(0);
  part.mutable_blob_piece()->set_at(1);
  EXPECT_TRUE(is_refused(part));
  part = piece(0);
  part.mutable_blob_piece()->mutable_data()->pop_back();
  EXPECT_TRUE(is_refused(part));
  part = piece(0);
  part.mutable_blob_piece()->set_locked(true);
  EXPECT_TRUE(is_refused(part)) << "a locked chunk is longer";
  part = piece(0);
  part.mutable_blob_piece()->clear_chunk_crc();
  EXPECT_TRUE(is_refused(part));
}

}  // namespace
}  // namespace duhui::hub
