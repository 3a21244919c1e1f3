#include "shared/sync/chunk_map.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "shared/sync/limits.h"

namespace duhui {
namespace {

using sync_limits::kChunkBytes;

TEST(ChunkMap, CountsTheShortLastChunk) {
  ChunkMap map(2 * kChunkBytes + 1);
  EXPECT_EQ(map.chunks(), 3u);
  EXPECT_EQ(map.chunk_bytes(1), kChunkBytes);
  EXPECT_EQ(map.chunk_bytes(2), 1u);
  EXPECT_EQ(map.missing_bytes(), 2 * kChunkBytes + 1);
  map.hold(2);
  EXPECT_EQ(map.missing_bytes(), 2 * kChunkBytes);
  map.hold(2);
  map.hold(0);
  EXPECT_EQ(map.next_missing(0), 1u);
  map.hold(1);
  EXPECT_TRUE(map.complete());
  EXPECT_EQ(map.missing_bytes(), 0u);
  EXPECT_FALSE(map.next_missing(0));
}

TEST(ChunkMap, RefusesSizesAndRunsThatDoNotFit) {
  ChunkMap::Runs runs;
  EXPECT_FALSE(ChunkMap::from_runs(0, runs));
  EXPECT_FALSE(ChunkMap::from_runs(sync_limits::kBlobBytesMax + 1, runs));
  EXPECT_TRUE(ChunkMap::from_runs(sync_limits::kBlobBytesMax, runs));
  runs.Add(1);
  runs.Add(4'294'967'295u);
  EXPECT_FALSE(ChunkMap::from_runs(kChunkBytes * 3, runs));
}

RC_GTEST_PROP(ChunkMap, ComesBackFromItsRuns, ()) {
  const auto chunks = *rc::gen::inRange<std::uint32_t>(1, 70);
  const std::uint64_t size =
      std::uint64_t{chunks} * kChunkBytes - *rc::gen::inRange<std::uint32_t>(0, kChunkBytes);
  ChunkMap map(size);
  for (std::uint32_t chunk = 0; chunk < map.chunks(); ++chunk) {
    if (*rc::gen::arbitrary<bool>()) map.hold(chunk);
  }
  const auto back = ChunkMap::from_runs(size, map.runs());
  RC_ASSERT(static_cast<bool>(back));
  RC_ASSERT(back->missing() == map.missing());
  RC_ASSERT(back->missing_bytes() == map.missing_bytes());
  for (std::uint32_t chunk = 0; chunk < map.chunks(); ++chunk) {
    RC_ASSERT(back->held(chunk) == map.held(chunk));
  }
}

}  // namespace
}  // namespace duhui
