// Who may bring and read a file, and when the hub says that it has it.

#include <gtest/gtest.h>

#include "duhui/record/v1/visit.pb.h"
#include "hub/core/blob_links.h"
#include "shared/base/bytes.h"
#include "shared/merge/schema.h"
#include "shared/sync/blob_receiving.h"
#include "shared/sync/blob_sending.h"
#include "tests/hub/core/test_hub.h"

namespace duhui::hub {
namespace {

using sync::v1::BlobEnd;
using sync::v1::Frame;

class HubFilesTest : public testing::Test {
 protected:
  HubFilesTest() {
    hub.enrol(school, {kSchool});
    hub.enrol(neighbour, {"city/zone/neighbour"});
    photo.resize(6 * sync_limits::kChunkBytes + 77);
    hub.random.fill(photo.data(), photo.size());
  }

  /// A visit of `device` that names the photo.
  SessionId visit(TestWriter& device, char record, const std::string& scope) {
    record::v1::VisitRecord content;
    auto* attachment = content.add_attachments();
    attachment->set_id("p1");
    attachment->set_sha256(to_hex(sha256(photo).view()));
    attachment->set_size(photo.size());
    const RecordSchema& schema = *Schema::instance().find("visit_record");
    sync::v1::Op op = TestWriter::creating(record, scope);
    op.set_record_type(schema.rule.type());
    op.clear_writes();
    const auto fragments = split(schema, content);
    for (const Fragment& one : *fragments) {
      sync::v1::Write* write = op.add_writes();
      write->set_field(one.key.field);
      write->set_key(one.key.key);
      write->set_value(one.value);
    }
    device.write(op);
    const SessionId id = hub.connect(device);
    hub.say_batch(id, device.batch(device.head(), device.head()));
    EXPECT_EQ(hub.ack(id).through(), device.head());
    return id;
  }

  void offer(SessionId id, char record) {
    Frame frame;
    frame.mutable_blob_offer()->set_sha256(sha256(photo).str());
    frame.mutable_blob_offer()->set_size(photo.size());
    frame.mutable_blob_offer()->set_record_id(record_id(record).str());
    hub.say(id, frame);
  }
  void ask(SessionId id, char record, std::uint32_t want) {
    Frame frame;
    frame.mutable_blob_want()->set_want(want);
    frame.mutable_blob_want()->set_sha256(sha256(photo).str());
    frame.mutable_blob_want()->set_size(photo.size());
    frame.mutable_blob_want()->set_record_id(record_id(record).str());
    hub.say(id, frame);
  }
  sync::v1::BlobWant want(SessionId id) { return hub.last(id, Frame::kBlobWant).blob_want(); }
  BlobEnd end(SessionId id) { return hub.last(id, Frame::kBlobEnd).blob_end(); }

  /// Answers the hub's newest request; at most `pieces` of them.
  void bring(SessionId id, std::size_t pieces = 1000, const VaultKey* lock = nullptr) {
    const sync::v1::BlobWant asked = want(id);
    auto sending = *BlobSending::answer(asked, photo.size());
    for (std::size_t n = 0; n < pieces; ++n) {
      if (const auto chunk = sending.needs()) {
        std::string bytes =
            photo.substr(std::size_t{*chunk} * sync_limits::kChunkBytes, sync_limits::kChunkBytes);
        if (lock != nullptr) bytes = lock->lock_chunk(asked.sha256(), *chunk, bytes);
        sending.loaded(std::move(bytes), lock != nullptr);
      }
      const auto piece = sending.next({hub.now});
      if (!piece) break;
      Frame frame;
      *frame.mutable_blob_piece() = *piece;
      hub.say(id, frame);
      const auto seen = hub.last(id, Frame::kBlobSeen).blob_seen();
      hub.now += 50;
      if (seen.want() == asked.want()) sending.seen(seen, {hub.now});
    }
  }

  TestHub hub;
  TestWriter school{1};
  TestWriter neighbour{2};
  std::string photo;
};

TEST_F(HubFilesTest, SignsForAFileThatIsWhole) {
  const SessionId id = visit(school, 'a', kSchool);
  offer(id, 'a');
  EXPECT_EQ(want(id).runs_size(), 0);
  bring(id);
  ASSERT_EQ(end(id).outcome(), BlobEnd::OUTCOME_KEPT);
  EXPECT_EQ(hub.files.whole.at(sha256(photo)), photo);
  const sync::v1::BlobReceipt receipt = end(id).receipt();
  EXPECT_EQ(receipt.size(), photo.size());
  EXPECT_TRUE(verify(hub.identity.key.public_key(), blob_statement(receipt), receipt.signature()));
  // Offered again, it is said again, without a byte.
  hub.heard.clear();
  offer(id, 'a');
  EXPECT_EQ(end(id).outcome(), BlobEnd::OUTCOME_KEPT);
  EXPECT_FALSE(want(id).want());
}

TEST_F(HubFilesTest, GoesOnWhereTheLastLinkBroke) {
  SessionId id = visit(school, 'a', kSchool);
  offer(id, 'a');
  bring(id, 20);  // at least a chunk, and not all
  EXPECT_FALSE(hub.files.whole.contains(sha256(photo)));
  hub.perform(hub.core.closed(id));
  id = hub.connect(school);
  offer(id, 'a');
  ASSERT_EQ(want(id).runs_size(), 2);
  EXPECT_EQ(want(id).runs(0), 0u);
  EXPECT_GE(want(id).runs(1), 1u);
  EXPECT_LT(want(id).runs(1), 6u);
  bring(id);
  EXPECT_EQ(end(id).outcome(), BlobEnd::OUTCOME_KEPT);
}

TEST_F(HubFilesTest, TakesNoFileThatNoRecordOfTheDeviceNames) {
  visit(school, 'a', kSchool);
  const SessionId other = hub.connect(neighbour);
  offer(other, 'a');
  EXPECT_EQ(end(other).outcome(), BlobEnd::OUTCOME_UNKNOWN);
  offer(other, 'z');
  EXPECT_EQ(end(other).outcome(), BlobEnd::OUTCOME_UNKNOWN);
  EXPECT_EQ(end(other).detail(), "no record of yours names it");
}

/// Knowing a hash gives no right to read the file.
TEST_F(HubFilesTest, ARecordThatOnlyNamesAFileShowsNothing) {
  const SessionId id = visit(school, 'a', kSchool);
  offer(id, 'a');
  bring(id);
  const SessionId curious = visit(neighbour, 'b', "city/zone/neighbour");
  ask(curious, 'a', 1);
  EXPECT_EQ(end(curious).outcome(), BlobEnd::OUTCOME_UNKNOWN);
  ask(curious, 'b', 2);
  EXPECT_EQ(end(curious).outcome(), BlobEnd::OUTCOME_ABSENT);
  // Nor does it learn that the hub has it: all of it is asked for.
  offer(curious, 'b');
  ASSERT_NE(want(curious).want(), 0u);
  EXPECT_EQ(want(curious).runs_size(), 0);
  bring(curious);
  EXPECT_EQ(end(curious).outcome(), BlobEnd::OUTCOME_KEPT);
  EXPECT_EQ(hub.files.whole.size(), 1u);
  ask(curious, 'b', 3);
  EXPECT_EQ(hub.last(curious, Frame::kBlobPiece).blob_piece().want(), 3u);
}

TEST_F(HubFilesTest, SendsAFileToWhoMayReadItsRecord) {
  SessionId id = visit(school, 'a', kSchool);
  ask(id, 'a', 7);
  EXPECT_EQ(end(id).outcome(), BlobEnd::OUTCOME_ABSENT);
  offer(id, 'a');
  bring(id);
  hub.heard.clear();
  ask(id, 'a', 8);
  std::string got;
  for (std::size_t at = 0; at < hub.heard[id].size(); ++at) {
    const Frame frame = hub.heard[id][at];
    if (!frame.has_blob_piece()) continue;
    EXPECT_EQ(frame.blob_piece().want(), 8u);
    got += frame.blob_piece().data();
    Frame seen;
    seen.mutable_blob_seen()->set_want(8);
    seen.mutable_blob_seen()->set_bytes(got.size());
    hub.now += 5;
    hub.say(id, seen);
  }
  EXPECT_EQ(got, photo);
}

TEST_F(HubFilesTest, OpensWhatComesLocked) {
  const SessionId id = visit(school, 'a', kSchool);
  offer(id, 'a');
  const VaultKey key = VaultKey::of_device(hub.identity.key, school.id);
  bring(id, 1000, &key);
  EXPECT_EQ(end(id).outcome(), BlobEnd::OUTCOME_KEPT);
  EXPECT_EQ(hub.files.whole.at(sha256(photo)), photo);
}

TEST_F(HubFilesTest, SignsForNothingThatMakesAnotherHash) {
  const SessionId id = visit(school, 'a', kSchool);
  offer(id, 'a');
  photo[5] ^= 1;
  const Digest wrong = sha256(photo);
  bring(id);
  EXPECT_EQ(end(id).outcome(), BlobEnd::OUTCOME_LATER);
  EXPECT_FALSE(end(id).has_receipt());
  EXPECT_TRUE(hub.files.whole.empty());
  EXPECT_FALSE(hub.files.whole.contains(wrong));
}

TEST_F(HubFilesTest, CountsWhatADeviceBroughtOnceForEachRecord) {
  const SessionId id = visit(school, 'a', kSchool);
  offer(id, 'a');
  bring(id);
  offer(id, 'a');
  const FileCounters& counters = hub.core.file_counters().at(school.id);
  EXPECT_EQ(counters.receipts, 2u);
  EXPECT_EQ(counters.bytes_received, photo.size());
  EXPECT_EQ(counters.refused, 0u);
  offer(id, 'z');
  EXPECT_EQ(counters.refused, 1u);
  ASSERT_TRUE(hub.store.read([&](HubTransaction& tx) -> Status {
    const auto brought = brought_by(tx, school.id);
    EXPECT_EQ(brought->files(), 1u);
    EXPECT_EQ(brought->bytes(), photo.size());
    EXPECT_EQ(brought_by(tx, neighbour.id)->files(), 0u);
    return Done{};
  }));
}

/// What is under way, for whatever record, is somebody's work.
TEST_F(HubFilesTest, ClearsUpPartsThatCanNeverBeAskedForAndNothingElse) {
  const SessionId id = visit(school, 'a', kSchool);
  offer(id, 'a');
  bring(id);
  ASSERT_EQ(end(id).outcome(), BlobEnd::OUTCOME_KEPT);
  const SessionId other = visit(neighbour, 'b', "city/zone/neighbour");
  offer(other, 'b');
  bring(other, 20);  // of a file that is whole here, for another record
  hub.perform(hub.core.closed(other));
  const BlobName of_other{sha256(photo), photo.size(), record_id('b')};
  const BlobName done{sha256(photo), photo.size(), record_id('a')};
  const BlobName unknown{sha256("nobody knows it"), 70'000, record_id('c')};
  const BlobName impossible{sha256(photo), 70'000, record_id('c')};
  for (const BlobName& name : {done, unknown, impossible}) {
    ASSERT_TRUE(hub.files.write_chunk(name, 0, std::string(sync_limits::kChunkBytes, 'x')));
  }
  ASSERT_EQ(hub.files.parts.size(), 4u);
  hub.perform(hub.core.collect_files());
  EXPECT_TRUE(hub.files.parts.contains(of_other));
  EXPECT_TRUE(hub.files.parts.contains(unknown));
  EXPECT_EQ(hub.files.parts.size(), 2u);
  EXPECT_TRUE(hub.files.whole.contains(sha256(photo)));
  // And it goes on from there.
  const SessionId again = hub.connect(neighbour);
  offer(again, 'b');
  EXPECT_EQ(want(again).runs_size(), 2);
  bring(again);
  EXPECT_EQ(end(again).outcome(), BlobEnd::OUTCOME_KEPT);
  hub.perform(hub.core.collect_files());
  EXPECT_EQ(hub.files.parts.size(), 1u);
}

TEST_F(HubFilesTest, AWholeFileThatNoRecordNamesStays) {
  hub.files.whole[sha256("nobody's")] = "nobody's";
  hub.perform(hub.core.collect_files());
  EXPECT_TRUE(hub.files.whole.contains(sha256("nobody's")));
}

TEST_F(HubFilesTest, AFullDiskIsSaidAndTriedAgain) {
  const SessionId id = visit(school, 'a', kSchool);
  hub.files.full = true;
  offer(id, 'a');
  bring(id);
  EXPECT_EQ(end(id).outcome(), BlobEnd::OUTCOME_LATER);
  EXPECT_FALSE(hub.is_closed(id));
  hub.files.full = false;
  offer(id, 'a');
  bring(id);
  EXPECT_EQ(end(id).outcome(), BlobEnd::OUTCOME_KEPT);
}

TEST_F(HubFilesTest, WhatIsLeftForAnotherFileIsKept) {
  SessionId id = visit(school, 'a', kSchool);
  visit(school, 'b', kSchool);
  id = hub.connect(school);
  offer(id, 'a');
  bring(id, 20);
  const std::uint32_t before = want(id).want();
  offer(id, 'b');
  EXPECT_FALSE(hub.is_closed(id));
  EXPECT_NE(want(id).want(), before);
  EXPECT_EQ(want(id).record_id(), record_id('b').str());
  EXPECT_EQ(want(id).runs_size(), 0);
  offer(id, 'a');
  ASSERT_EQ(want(id).runs_size(), 2) << "what had come of it is here";
  bring(id);
  EXPECT_EQ(end(id).outcome(), BlobEnd::OUTCOME_KEPT);
}

TEST_F(HubFilesTest, WhatALinkThatHangsHasBroughtIsNotAskedForAgain) {
  const SessionId hanging = visit(school, 'a', kSchool);
  offer(hanging, 'a');
  bring(hanging, 20);
  const SessionId id = hub.connect(school);
  offer(id, 'a');
  ASSERT_EQ(want(id).runs_size(), 2);
  EXPECT_GE(want(id).runs(1), 1u);
  bring(id);
  EXPECT_EQ(end(id).outcome(), BlobEnd::OUTCOME_KEPT);
  hub.perform(hub.core.closed(hanging));
  EXPECT_EQ(hub.files.whole.at(sha256(photo)), photo);
  EXPECT_TRUE(hub.files.parts.empty());
}

/// A slow disk slows the sender down; and who sends more than the window spoils nothing.
TEST_F(HubFilesTest, TellsWhatIsWrittenAndNotesNothingElse) {
  photo.resize(40 * sync_limits::kChunkBytes);
  hub.random.fill(photo.data(), photo.size());
  SessionId id = visit(school, 'a', kSchool);
  offer(id, 'a');
  const std::uint32_t asked = want(id).want();
  hub.jobs_run = false;
  for (std::uint32_t chunk = 0; chunk < 40 && !hub.is_closed(id); ++chunk) {
    const std::string bytes =
        photo.substr(std::size_t{chunk} * sync_limits::kChunkBytes, sync_limits::kChunkBytes);
    for (const std::size_t at : {std::size_t{0}, std::size_t{60'000}}) {
      Frame frame;
      sync::v1::BlobPiece& piece = *frame.mutable_blob_piece();
      piece.set_want(asked);
      piece.set_chunk(chunk);
      piece.set_at(static_cast<std::uint32_t>(at));
      piece.set_data(bytes.substr(at, at == 0 ? 60'000 : std::string::npos));
      if (at != 0) piece.set_chunk_crc(crc32c(bytes));
      hub.say(id, frame);
    }
    if (chunk == 3) {
      EXPECT_LE(hub.last(id, Frame::kBlobSeen).blob_seen().bytes(), 60'000u);
      hub.run_waiting(0);
      EXPECT_EQ(hub.last(id, Frame::kBlobSeen).blob_seen().bytes(), sync_limits::kChunkBytes);
    }
  }
  EXPECT_TRUE(hub.is_closed(id)) << "more than the window";
  hub.perform(hub.core.closed(id));
  hub.jobs_run = true;
  hub.perform({});
  id = hub.connect(school);
  offer(id, 'a');
  bring(id);
  EXPECT_EQ(end(id).outcome(), BlobEnd::OUTCOME_KEPT);
  EXPECT_EQ(hub.files.whole.at(sha256(photo)), photo);
}

TEST_F(HubFilesTest, AnOfferBeforeTheLastWasAnsweredEndsTheLink) {
  const SessionId id = visit(school, 'a', kSchool);
  hub.jobs_run = false;
  offer(id, 'a');
  offer(id, 'b');
  EXPECT_TRUE(hub.is_closed(id));
}

TEST_F(HubFilesTest, ALastChunkThatCameDamagedIsAskedForAgain) {
  const SessionId id = visit(school, 'a', kSchool);
  offer(id, 'a');
  const std::uint32_t asked = want(id).want();
  for (std::uint32_t chunk = 0; chunk < 7; ++chunk) {
    Frame frame;
    sync::v1::BlobPiece& piece = *frame.mutable_blob_piece();
    piece.set_want(asked);
    piece.set_chunk(chunk);
    piece.set_data(
        photo.substr(std::size_t{chunk} * sync_limits::kChunkBytes, sync_limits::kChunkBytes));
    piece.set_chunk_crc(crc32c(piece.data()) + (chunk == 6 ? 1 : 0));
    hub.say(id, frame);
  }
  ASSERT_NE(want(id).want(), asked);
  EXPECT_EQ(want(id).runs(1), 6u);
  bring(id);
  EXPECT_EQ(end(id).outcome(), BlobEnd::OUTCOME_KEPT);
}

TEST_F(HubFilesTest, ClosesOnWhoSendsNonsense) {
  const SessionId id = visit(school, 'a', kSchool);
  Frame frame;
  frame.mutable_blob_offer()->set_sha256("short");
  frame.mutable_blob_offer()->set_size(1);
  frame.mutable_blob_offer()->set_record_id(record_id('a').str());
  hub.say(id, frame);
  EXPECT_TRUE(hub.is_closed(id));
  const SessionId next = hub.connect(school);
  offer(next, 'a');
  for (int n = 0; n < 10; ++n) {
    Frame piece;
    piece.mutable_blob_piece()->set_want(want(next).want());
    piece.mutable_blob_piece()->set_chunk(99);
    piece.mutable_blob_piece()->set_data("x");
    hub.say(next, piece);
  }
  EXPECT_TRUE(hub.is_closed(next));
}

}  // namespace
}  // namespace duhui::hub
