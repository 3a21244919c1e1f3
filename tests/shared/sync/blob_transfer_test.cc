// A file between a sender and a receiver over a road that breaks.

#include <deque>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "shared/base/bytes.h"
#include "shared/base/random.h"
#include "shared/sync/blob_receiving.h"
#include "shared/sync/blob_sending.h"
#include "shared/sync/limits.h"
#include "tests/support/memory_blob_store.h"

namespace duhui {
namespace {

using sync_limits::kChunkBytes;

std::string content(std::size_t size, std::uint64_t seed) {
  SeededRandom random(seed);
  std::string bytes(size, '\0');
  random.fill(bytes.data(), bytes.size());
  return bytes;
}

/// A road of a given rate and delay. Counts what went in; what is on it when it breaks is lost.
struct Road {
  struct Passing {
    MonotonicTime arrives;
    sync::v1::BlobPiece piece;
  };
  std::int64_t bytes_per_second = 20'000;
  std::int64_t delay_ms = 40;
  MonotonicTime free_at{};
  std::deque<Passing> pieces{};
  std::deque<std::pair<MonotonicTime, sync::v1::BlobSeen>> seen{};
  std::uint64_t entered = 0;

  void send(const sync::v1::BlobPiece& piece, MonotonicTime now) {
    const auto size = static_cast<std::int64_t>(piece.ByteSizeLong());
    entered += piece.ByteSizeLong();
    free_at = MonotonicTime{std::max(now.ms, free_at.ms) + size * 1000 / bytes_per_second};
    pieces.push_back({MonotonicTime{free_at.ms + delay_ms}, piece});
  }
};

struct Transfer {
  explicit Transfer(std::string content) : bytes(std::move(content)) {
    record.bytes.fill('r');
    name = {sha256(bytes), bytes.size(), record};
  }

  /// Runs until the file is whole, the road breaks, or nothing happens any more.
  void run(std::uint64_t break_after) {
    auto part = *store.part(name);
    BlobReceiving receiving(++wants, name, std::move(part.held), std::move(part.begun));
    auto sending = *BlobSending::answer(receiving.request(), bytes.size());
    Road way = road;
    while (!receiving.held().complete() && way.entered < break_after) {
      if (const auto chunk = sending.needs()) {
        sending.loaded(bytes.substr(std::size_t{*chunk} * kChunkBytes, kChunkBytes), false);
      }
      if (auto piece = sending.next(now)) {
        if (damage != 0 && ++pieces % damage == 0) (*piece->mutable_data())[0] ^= 1;
        way.send(*piece, now);
        continue;
      }
      longest_queue_ms = std::max(longest_queue_ms, way.free_at.ms - now.ms);
      if (way.pieces.empty() && way.seen.empty()) break;
      const bool piece_first =
          way.seen.empty() ||
          (!way.pieces.empty() && way.pieces.front().arrives <= way.seen.front().first);
      if (piece_first) {
        now = std::max(now, way.pieces.front().arrives);
        take(receiving, way.pieces.front().piece);
        way.pieces.pop_front();
        if (const auto seen = receiving.take_seen()) {
          way.seen.emplace_back(MonotonicTime{now.ms + way.delay_ms}, *seen);
        }
      } else {
        now = std::max(now, way.seen.front().first);
        sending.seen(way.seen.front().second, now);
        way.seen.pop_front();
      }
    }
    entered += way.entered;
    ASSERT_TRUE(store.save_part(name, {receiving.held(), receiving.begun()}));
    if (receiving.held().complete()) whole = *store.finish(name);
  }

  void take(BlobReceiving& receiving, const sync::v1::BlobPiece& piece) {
    auto chunk = receiving.received(piece);
    if (!chunk) {
      ++refused;
      return;
    }
    if (!*chunk) return;
    ASSERT_TRUE(store.write_chunk(name, (*chunk)->index, (*chunk)->bytes));
    receiving.written((*chunk)->index);
  }

  std::string bytes;
  RecordId record;
  BlobName name;
  MemoryBlobStore store;
  Road road;
  MonotonicTime now{};
  std::uint32_t wants = 0;
  std::uint64_t entered = 0;
  std::uint64_t pieces = 0;
  std::uint64_t damage = 0;  // every so many pieces one bit is turned
  std::uint64_t refused = 0;
  std::int64_t longest_queue_ms = 0;
  bool whole = false;
};

TEST(BlobTransfer, CostsLittleMoreThanTheFileOverARoadThatBreaksEvery300KB) {
  Transfer transfer(content(4 << 20, 1));
  for (int n = 0; n < 100 && !transfer.whole; ++n) transfer.run(300'000);
  ASSERT_TRUE(transfer.whole);
  const double ratio =
      static_cast<double>(transfer.entered) / static_cast<double>(transfer.bytes.size());
  EXPECT_LT(ratio, 1.06);  // what had entered the road when it broke counts as well
  EXPECT_LT(transfer.longest_queue_ms, 1000);
}

TEST(BlobTransfer, FillsAFastRoadWithALongDelay) {
  Transfer transfer(content(8 << 20, 2));
  transfer.road.bytes_per_second = 2'000'000;
  transfer.road.delay_ms = 100;
  transfer.run(~0ull);
  ASSERT_TRUE(transfer.whole);
  // 4.2 s at the road's rate; a fixed window of a chunk would take 26 s.
  EXPECT_LT(transfer.now.ms, 8'000);
  EXPECT_LT(transfer.longest_queue_ms, 1000);
}

TEST(BlobTransfer, AsksAgainForWhatCameDamaged) {
  Transfer transfer(content(3 * kChunkBytes + 7, 3));
  transfer.damage = 37;
  for (int n = 0; n < 1000 && !transfer.whole; ++n) transfer.run(~0ull);
  EXPECT_TRUE(transfer.whole);
  EXPECT_GT(transfer.refused, 0u);
}

TEST(BlobTransfer, ABeginningOfOtherBytesIsSentAnew) {
  Transfer transfer(content(kChunkBytes, 4));
  ASSERT_TRUE(
      transfer.store.save_part(transfer.name, {ChunkMap(transfer.name.size), "other bytes"}));
  transfer.run(~0ull);
  EXPECT_TRUE(transfer.whole);
}

TEST(BlobReceiving, TakesNothingThatItDidNotAskFor) {
  Transfer transfer(content(2 * kChunkBytes, 5));
  ChunkMap held(transfer.name.size);
  held.hold(0);
  BlobReceiving receiving(1, transfer.name, held, {});
  sync::v1::BlobPiece piece;
  piece.set_data("x");
  for (const std::uint32_t chunk : {2u, 4'000'000'000u}) {
    piece.set_chunk(chunk);
    EXPECT_FALSE(receiving.received(piece)) << chunk;
  }
  piece.set_chunk(1);
  piece.set_at(5);
  EXPECT_FALSE(receiving.received(piece));
  piece.set_at(0);
  piece.set_data(std::string(kChunkBytes + 17, 'x'));
  EXPECT_FALSE(receiving.received(piece));
  piece.set_data("short");
  piece.set_chunk_crc(0);
  EXPECT_FALSE(receiving.received(piece));
  EXPECT_EQ(receiving.held().missing(), 1u);
}

TEST(BlobReceiving, AChunkThatComesWholeOutOfItsTurnLeavesTheOneThatWasCut) {
  Transfer transfer(content(3 * kChunkBytes, 6));
  const std::string cut = transfer.bytes.substr(0, 1000);
  BlobReceiving receiving(1, transfer.name, ChunkMap(transfer.name.size), cut);
  sync::v1::BlobPiece piece;
  piece.set_chunk(2);
  piece.set_data(transfer.bytes.substr(2 * kChunkBytes));
  piece.set_chunk_crc(crc32c(piece.data()));
  const auto chunk = receiving.received(piece);
  ASSERT_TRUE(chunk && *chunk);
  EXPECT_EQ((**chunk).index, 2u);
  EXPECT_EQ((**chunk).bytes, piece.data());
  EXPECT_EQ(receiving.begun(), cut);
  EXPECT_FALSE(receiving.take_seen()) << "it is not written yet";
  receiving.written(2);
  EXPECT_EQ(receiving.take_seen()->bytes(), kChunkBytes);
  // The cut one goes on.
  piece.Clear();
  piece.set_at(1000);
  piece.set_data(transfer.bytes.substr(1000, kChunkBytes - 1000));
  piece.set_chunk_crc(crc32c(transfer.bytes.substr(0, kChunkBytes)));
  ASSERT_TRUE(receiving.received(piece)->has_value());
  EXPECT_EQ(receiving.pending().missing(), 1u);
  piece.Clear();
  piece.set_chunk(1);
  piece.set_data("too short");
  piece.set_chunk_crc(crc32c(piece.data()));
  EXPECT_FALSE(receiving.received(piece));
}

TEST(BlobSending, KnowsWhichChunksTheReceiverHas) {
  Transfer transfer(content(4 * kChunkBytes, 8));
  ChunkMap held(transfer.name.size);
  held.hold(1);
  BlobReceiving receiving(1, transfer.name, held, {});
  auto sending = *BlobSending::answer(receiving.request(), transfer.bytes.size());
  EXPECT_EQ(sending.taken().missing(), 3u);
  std::uint64_t sent = 0;
  MonotonicTime now{};
  while (const auto chunk = sending.needs()) {
    if (*chunk == 3) break;
    sending.loaded(transfer.bytes.substr(std::size_t{*chunk} * kChunkBytes, kChunkBytes), false);
    while (auto piece = sending.next(now)) {
      sent += piece->data().size();
      sync::v1::BlobSeen seen;
      seen.set_bytes(sent - 1);
      now.ms += 10;
      sending.seen(seen, now);
    }
    // The chunk's last byte has not been seen.
    EXPECT_FALSE(sending.taken().held(*chunk));
    sync::v1::BlobSeen seen;
    seen.set_bytes(sent + 1);
    sending.seen(seen, now);
    EXPECT_FALSE(sending.taken().held(*chunk)) << "nobody has seen the future";
    seen.set_bytes(sent);
    sending.seen(seen, now);
    EXPECT_TRUE(sending.taken().held(*chunk));
  }
  EXPECT_EQ(sending.taken().missing(), 1u);
}

TEST(BlobPacing, BelievesNoReceiverThatHasSeenTheFuture) {
  BlobPacing pacing;
  pacing.sent(1000, MonotonicTime{0});
  pacing.seen(5000, MonotonicTime{10});
  EXPECT_EQ(pacing.on_their_way(), 1000u);
  pacing.seen(1000, MonotonicTime{10});
  pacing.seen(500, MonotonicTime{11});
  EXPECT_EQ(pacing.on_their_way(), 0u);
  EXPECT_LE(pacing.window(), sync_limits::kBlobWindowMax);
}

RC_GTEST_PROP(BlobTransfer, ComesThroughWhateverBreaks, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(1, 5 * kChunkBytes);
  Transfer transfer(content(size, 7));
  transfer.road.bytes_per_second = *rc::gen::element<std::int64_t>(2'500, 20'000, 5'000'000);
  transfer.road.delay_ms = *rc::gen::element<std::int64_t>(0, 20, 600);
  // Breaks within the first window come to nothing; they end.
  for (int n = 0; n < 200 && !transfer.whole; ++n) {
    transfer.run(n < 100 ? *rc::gen::inRange<std::uint64_t>(1, 3 * kChunkBytes) : ~0ull);
  }
  RC_ASSERT(transfer.whole);
  RC_ASSERT(*transfer.store.read(transfer.name.sha256, 0, size) == transfer.bytes);
}

}  // namespace
}  // namespace duhui
