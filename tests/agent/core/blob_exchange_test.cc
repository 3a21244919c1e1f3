// The device's side of sending and fetching files: what the hub is known to have, what is sent
// twice, and what a month's bytes allow.

#include "agent/core/blob_exchange.h"

#include <gtest/gtest.h>

#include "agent/core/keys.h"
#include "shared/crypto/signing.h"
#include "shared/sync/limits.h"
#include "tests/support/memory_blob_store.h"
#include "tests/support/memory_store.h"

namespace duhui::agent {
namespace {

using sync::v1::BlobEnd;
using sync::v1::Frame;
using sync_limits::kChunkBytes;

constexpr WallTime kHubTime{1'763'000'000'000};

class BlobExchangeTest : public testing::Test {
 protected:
  BlobExchangeTest() {
    content.resize(5 * kChunkBytes + 9);
    random.fill(content.data(), content.size());
    files.whole[sha256(content)] = content;
    record.bytes.fill('r');
    name = {sha256(content), content.size(), record};
    store::v1::NamedBlob blob;
    blob.set_size(name.size);
    KvBatch batch;
    batch.put(keys::blob_to_send(name.sha256, record), blob.SerializeAsString());
    EXPECT_TRUE(store.commit(batch));
    traffic.hub_said(kHubTime, clock());
    connect();
  }

  void connect() { exchange.emplace(named, shelf, traffic, hub_id.str(), hub.public_key().str()); }
  ClockReading clock() { return {.wall = kHubTime, .monotonic = {now}, .boot = 1}; }
  std::vector<Frame> pump() {
    BlobExchange::Out out;
    EXPECT_TRUE(exchange->pump(false, {now}, out));
    return out.frames;
  }
  std::vector<Frame> hear(const Frame& frame) {
    BlobExchange::Out out;
    EXPECT_TRUE(exchange->received(frame, {now}, out));
    for (auto& one : out.fetched) fetched.push_back(std::move(one));
    return out.frames;
  }
  Frame want(std::uint32_t number, const ChunkMap& held) {
    Frame frame;
    sync::v1::BlobWant& want = *frame.mutable_blob_want();
    want.set_want(number);
    want.set_sha256(name.sha256.str());
    want.set_size(name.size);
    want.set_record_id(record.str());
    *want.mutable_runs() = held.runs();
    return frame;
  }
  /// Takes pieces as they come, until `bytes` of this request are here or nothing comes any more.
  std::uint64_t take(std::uint32_t number, std::uint64_t bytes) {
    std::uint64_t taken = 0;
    for (auto frames = pump(); taken < bytes && !frames.empty(); frames = pump()) {
      for (const Frame& frame : frames) taken += frame.blob_piece().data().size();
      now += 50;
      Frame seen;
      seen.mutable_blob_seen()->set_want(number);
      seen.mutable_blob_seen()->set_bytes(taken);
      hear(seen);
    }
    return taken;
  }
  std::uint64_t at_hub() {
    const auto known = named.find(name.sha256, record);
    return named.hub_bytes(name, **known).value();
  }

  std::int64_t now = 1000;
  SeededRandom random{7};
  SigningKey hub = SigningKey::generate(random);
  HubId hub_id = HubId::random(random);
  MemoryDisk disk;
  MemoryKvStore store{disk};
  MemoryBlobStore files;
  MemoryBlobStore locked;
  Vault vault;
  FileShelf shelf{files, locked, store, vault};
  NamedBlobs named{store};
  Traffic traffic{store};
  RecordId record;
  std::string content;
  BlobName name;
  std::optional<BlobExchange> exchange;
  std::vector<std::pair<BlobName, Status>> fetched;
};

TEST_F(BlobExchangeTest, KnowsHowMuchTheHubHasAndAllOfItOnlyByItsSignature) {
  EXPECT_EQ(at_hub(), 0u);
  ASSERT_TRUE(pump().at(0).has_blob_offer());
  ChunkMap held(name.size);
  held.hold(0);
  hear(want(1, held));
  EXPECT_EQ(at_hub(), kChunkBytes);
  take(1, name.size);
  EXPECT_EQ(at_hub(), name.size - 1) << "everything was seen, and nothing is signed";
  EXPECT_EQ(named.waiting()->bytes, 1u);
  Frame end;
  end.mutable_blob_end()->set_sha256(name.sha256.str());
  end.mutable_blob_end()->set_record_id(record.str());
  end.mutable_blob_end()->set_outcome(BlobEnd::OUTCOME_KEPT);
  sync::v1::BlobReceipt& receipt = *end.mutable_blob_end()->mutable_receipt();
  receipt.set_hub_id(hub_id.str());
  receipt.set_sha256(name.sha256.str());
  receipt.set_size(name.size);
  receipt.set_hub_time_ms(5);
  receipt.set_signature(hub.sign(blob_statement(receipt)));
  hear(end);
  EXPECT_EQ(at_hub(), name.size);
  EXPECT_EQ(named.waiting()->files, 0u);
  EXPECT_EQ(traffic.counters().file_receipts, 1u);
}

TEST_F(BlobExchangeTest, RemembersAfterARestartHowMuchTheHubHas) {
  pump();
  hear(want(1, ChunkMap(name.size)));
  take(1, 2 * kChunkBytes);
  const std::uint64_t known = at_hub();
  ASSERT_GE(known, 2 * kChunkBytes);
  BlobExchange::Out out;
  ASSERT_TRUE(exchange->closed(out));
  NamedBlobs again(store);
  // Whole chunks, for the beginning of the next is only a claim.
  const std::uint64_t kept = again.hub_bytes(name, **again.find(name.sha256, record)).value();
  EXPECT_LE(kept, known);
  EXPECT_GT(kept + kChunkBytes, known);
  EXPECT_EQ(again.waiting()->bytes, name.size - kept);
  // The hub's next life knows nothing of it.
  KvBatch batch;
  ASSERT_TRUE(named.send_all_again(&batch));
  ASSERT_TRUE(store.commit(batch));
  EXPECT_EQ(at_hub(), 0u);
}

TEST_F(BlobExchangeTest, CountsWhatIsSentAgain) {
  pump();
  hear(want(1, ChunkMap(name.size)));
  take(1, name.size);
  EXPECT_EQ(traffic.counters().piece_bytes_sent, name.size);
  EXPECT_EQ(traffic.counters().piece_bytes_resent, 0u);
  BlobExchange::Out out;
  ASSERT_TRUE(exchange->closed(out));
  connect();
  pump();
  ChunkMap held(name.size);
  for (std::uint32_t chunk = 0; chunk < 4; ++chunk) held.hold(chunk);
  hear(want(1, held));
  take(1, name.size);
  EXPECT_EQ(traffic.counters().piece_bytes_sent, name.size + kChunkBytes + 9);
  EXPECT_EQ(traffic.counters().piece_bytes_resent, kChunkBytes + 9);
}

TEST_F(BlobExchangeTest, StopsInTheMiddleWhenTheMonthIsUsedUpAndGoesOnInTheNext) {
  traffic.budget().set_limit(2 * kChunkBytes);
  pump();
  hear(want(1, ChunkMap(name.size)));
  const std::uint64_t taken = take(1, name.size);
  EXPECT_GE(taken, kChunkBytes);
  EXPECT_LE(taken, 3 * kChunkBytes) << "a piece more at most";
  EXPECT_FALSE(traffic.budget().files_may_go());
  EXPECT_TRUE(pump().empty());
  // Nor does it come back to it over another link.
  BlobExchange::Out out;
  ASSERT_TRUE(exchange->closed(out));
  connect();
  EXPECT_TRUE(pump().empty());
  // A road that costs nothing, then the next month.
  traffic.budget().set_free(true);
  EXPECT_TRUE(pump().at(0).has_blob_offer());
  traffic.budget().set_free(false);
  hear(want(2, ChunkMap(name.size)));
  EXPECT_TRUE(pump().empty());
  traffic.hub_said(kHubTime + days(31), clock());
  EXPECT_FALSE(pump().empty());
}

TEST_F(BlobExchangeTest, FetchesNothingWhenTheMonthIsUsedUpAndKeepsWhatCame) {
  files.whole.clear();
  traffic.budget().set_limit(kChunkBytes + 100);
  BlobExchange::Out out;
  ASSERT_TRUE(exchange->fetch(name, out));
  ASSERT_EQ(out.frames.size(), 1u);
  auto sending = *BlobSending::answer(out.frames[0].blob_want(), name.size);
  std::size_t answers = 0;
  for (int n = 0; n < 100 && fetched.empty(); ++n) {
    if (const auto chunk = sending.needs()) {
      sending.loaded(content.substr(std::size_t{*chunk} * kChunkBytes, kChunkBytes), false);
    }
    const auto piece = sending.next({now});
    if (!piece) break;
    Frame frame;
    *frame.mutable_blob_piece() = *piece;
    traffic.frame(ByteKind::file, frame.ByteSizeLong());  // as the session does
    now += 20;
    for (const Frame& seen : hear(frame)) {
      ++answers;
      sending.seen(seen.blob_seen(), {now});
    }
  }
  EXPECT_GT(answers, 0u);
  ASSERT_EQ(fetched.size(), 1u);
  EXPECT_EQ(fetched[0].second.error().code, ErrorCode::limit_exceeded);
  const std::uint32_t missing = (*files.part(name)).held.missing();
  EXPECT_LE(missing, 5u) << "the first chunk is kept";
  EXPECT_GE(missing, 4u) << "a piece more at most";
  BlobExchange::Out refused;
  ASSERT_TRUE(exchange->fetch(name, refused));
  EXPECT_TRUE(refused.frames.empty());
  ASSERT_EQ(refused.fetched.size(), 1u);
  EXPECT_EQ(refused.fetched[0].second.error().code, ErrorCode::limit_exceeded);
  EXPECT_EQ(traffic.counters().fetches_failed, 2u);
}

TEST_F(BlobExchangeTest, KeepsWhatWasCountedOverARestartAndACrash) {
  traffic.opened(clock());
  ASSERT_TRUE(traffic.look(clock(), true));
  traffic.frame(ByteKind::file, 1000);
  traffic.text_frame(500, 200);
  traffic.wire(1600);  // what carries them
  EXPECT_EQ(traffic.budget().used().carrying, 100u);
  Traffic crashed(store);
  ASSERT_TRUE(crashed.load());
  EXPECT_GE(crashed.budget().used().total(), 1600u);
  ASSERT_TRUE(traffic.look(clock(), false));
  Traffic ended(store);
  ASSERT_TRUE(ended.load());
  EXPECT_EQ(ended.budget().used().total(), 1600u);
  EXPECT_EQ(ended.budget().used().thumbnails, 200u);
  EXPECT_EQ(ended.budget().used().text, 300u);
}

}  // namespace
}  // namespace duhui::agent
