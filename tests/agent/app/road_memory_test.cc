#include "agent/app/road_memory.h"

#include <gtest/gtest.h>

namespace duhui::agent {
namespace {

constexpr WallTime kNow{1'760'000'000'000};
const std::vector<Road> kWebSocketFirst = {Road::websocket, Road::https};
const std::vector<Road> kHttpsFirst = {Road::https, Road::websocket};

TEST(RoadMemory, TriesWebSocketFirstWhereNothingIsKnown) {
  EXPECT_EQ(RoadMemory().order("school", kNow), kWebSocketFirst);
  EXPECT_EQ(RoadMemory("rubbish").order("school", kNow), kWebSocketFirst);
  EXPECT_EQ(RoadMemory(R"({"school": {"road": 7}})").order("school", kNow), kWebSocketFirst);
}

TEST(RoadMemory, RemembersWhatWorkedForEachNetwork) {
  std::string kept;
  RoadMemory memory({}, [&kept](const std::string& text) { kept = text; });
  memory.worked("school", Road::https, true, kNow);
  memory.worked("home", Road::websocket, false, kNow);
  EXPECT_EQ(memory.order("school", kNow + minutes(1)), kHttpsFirst);
  EXPECT_EQ(memory.order("home", kNow + minutes(1)), kWebSocketFirst);
  EXPECT_EQ(RoadMemory(kept).order("school", kNow + minutes(1)), kHttpsFirst) << "after a restart";
}

TEST(RoadMemory, TriesWebSocketAgainNowAndThen) {
  RoadMemory memory;
  memory.worked("school", Road::https, true, kNow);
  const WallTime later = kNow + RoadMemory::kAgainAfter;
  EXPECT_EQ(memory.order("school", later - milliseconds(1)), kHttpsFirst);
  // That HTTPS works all the time says nothing of WebSocket.
  memory.worked("school", Road::https, false, later - minutes(1));
  EXPECT_EQ(memory.order("school", later), kWebSocketFirst);
  memory.worked("school", Road::https, true, later);
  EXPECT_EQ(memory.order("school", later + minutes(1)), kHttpsFirst);
  memory.worked("school", Road::websocket, false, later);
  EXPECT_EQ(memory.order("school", later + minutes(1)), kWebSocketFirst);
}

TEST(RoadMemory, AClockThatWasSetBackTriesWebSocketAgain) {
  RoadMemory memory;
  memory.worked("school", Road::https, true, kNow);
  EXPECT_EQ(memory.order("school", kNow - days(1)), kWebSocketFirst);
}

TEST(RoadMemory, LeavesWebSocketWhereItKeepsDying) {
  RoadMemory memory;
  memory.worked("school", Road::websocket, false, kNow);
  for (int i = 1; i < RoadMemory::kShortLivesMax; ++i) {
    memory.websocket_dies("school", kNow);
    EXPECT_EQ(memory.order("school", kNow), kWebSocketFirst);
  }
  memory.websocket_dies("school", kNow);
  EXPECT_EQ(memory.order("school", kNow), kHttpsFirst);
}

TEST(RoadMemory, KeepsHowLongAPollMayWait) {
  std::string kept;
  RoadMemory memory({}, [&kept](const std::string& text) { kept = text; });
  EXPECT_FALSE(memory.poll_wait("school"));
  memory.worked("school", Road::https, true, kNow);
  memory.learned_wait("school", seconds(7));
  EXPECT_EQ(RoadMemory(kept).poll_wait("school"), seconds(7));
}

TEST(RoadMemory, ForgetsTheNetworkThatWasUsedLongestAgo) {
  RoadMemory memory;
  for (std::size_t i = 0; i <= RoadMemory::kNetworksMax; ++i) {
    memory.worked("network " + std::to_string(i), Road::https, true,
                  kNow + seconds(static_cast<std::int64_t>(i)));
  }
  EXPECT_EQ(memory.order("network 0", kNow + minutes(2)), kWebSocketFirst);
  EXPECT_EQ(memory.order("network 1", kNow + minutes(2)), kHttpsFirst);
}

}  // namespace
}  // namespace duhui::agent
