// A copy of this device wrote under the same origin: finding the common point and going on.

#include <algorithm>

#include <gtest/gtest.h>

#include "agent/core/keys.h"
#include "tests/agent/core/scripted_hub.h"

namespace duhui::agent {
namespace {

using State = SyncSession::State;

/// A hub that took its stream from a copy of the device.
struct Fork {
  /// `common` ops are the same, then the device wrote `here` and the copy `there` more.
  Fork(int common, int here, int there) : script(1), copy(1) {
    for (int n = 0; n < common; ++n) save(script.device, n);
    copy.disk = script.device.disk;
    copy.open();
    for (int n = 0; n < here; ++n) save(script.device, 100 + n);
    for (int n = 0; n < there; ++n) save(copy, 200 + n);
  }
  static void save(TestDevice& device, int n) {
    ASSERT_TRUE(device.save('a', "text " + std::to_string(n)));
  }

  /// Answers probes until the session closes; the number of round trips.
  int find_common_point() {
    script.connect();
    script.up();
    sync::v1::Welcome welcome = script.welcome(0);
    welcome.mutable_hub_head()->set_seq(copy.head());
    welcome.mutable_hub_head()->set_chain(copy.replica->state().chain());
    if (copy.head() >= script.device.head()) welcome.set_verdict(sync::v1::STREAM_VERDICT_FORK);
    auto effects = script.hear(welcome);
    int rounds = 0;
    while (closing(effects) == nullptr) {
      sync::v1::Frame answer;
      std::uint64_t common = 0;
      const auto frames = sent(effects);
      for (const auto& point : frames.at(0).fork_probe().points()) {
        const auto chain = copy.replica->chain_at(point.seq());
        if (chain && *chain && **chain == point.chain()) common = std::max(common, point.seq());
      }
      answer.mutable_fork_point()->set_common(common);
      effects = script.hear(answer);
      if (++rounds > 20) break;
    }
    EXPECT_NE(closing(effects), nullptr);
    EXPECT_TRUE(closing(effects)->at_once);
    return rounds;
  }

  Script script;
  TestDevice copy;
};

TEST(SyncSessionFork, SavesExactlyWhatCameAfterTheCommonPointAgain) {
  for (const int common : {0, 1, 2, 5}) {
    for (const auto& [here, there] :
         {std::pair{1, 1}, std::pair{3, 1}, std::pair{1, 3}, std::pair{4, 4}}) {
      Fork fork(common, here, there);
      const Origin before = fork.script.device.replica->origin();
      fork.find_common_point();
      const store::v1::AgentState& state = fork.script.device.replica->state();
      EXPECT_NE(fork.script.device.replica->origin(), before);
      ASSERT_EQ(state.past_size(), 1);
      EXPECT_EQ(state.past(0).common(), static_cast<std::uint64_t>(common)) << here << " " << there;
      EXPECT_EQ(state.head(), static_cast<std::uint64_t>(here));
    }
  }
}

TEST(SyncSessionFork, FindsTheCommonPointOfALongStreamInFewRounds) {
  Fork fork(700, 5, 200);
  EXPECT_LE(fork.find_common_point(), 3);
  EXPECT_EQ(fork.script.device.replica->state().past(0).common(), 700u);
}

TEST(SyncSessionFork, TakesADiskThatWasPutBackForAFork) {
  Script script(1, "abc");
  script.up();
  sync::v1::Welcome welcome = script.welcome(3);
  welcome.mutable_hub_head()->set_seq(9);
  welcome.mutable_hub_head()->set_chain(std::string(32, 'x'));
  welcome.set_verdict(sync::v1::STREAM_VERDICT_DEVICE_BEHIND);
  ASSERT_TRUE(script.device.save('d', "saved since the hello"));
  const auto effects = script.hear(welcome);
  ASSERT_NE(closing(effects), nullptr);
  EXPECT_TRUE(closing(effects)->at_once);
  EXPECT_EQ(script.device.head(), 1u);
  EXPECT_EQ(script.device.texts('d').size(), 1u);
}

TEST(SyncSessionFork, ClosesAtOnceWhenAPageHoldsAnOpOfItsOwnThatItNeverWrote) {
  Fork fork(1, 1, 1);
  fork.script.connect();
  fork.script.up();
  fork.script.hear(fork.script.welcome(1));
  const auto effects = fork.script.hear(page_of({run_of(fork.copy, 2, 2)}, 0));
  ASSERT_NE(closing(effects), nullptr);
  EXPECT_TRUE(closing(effects)->at_once);
}

TEST(SyncSessionFork, ClosesWhenThePointIsBeyondWhatWasAsked) {
  Fork fork(3, 2, 2);
  fork.script.connect();
  fork.script.up();
  sync::v1::Frame early;
  early.mutable_fork_point()->set_common(1);
  sync::v1::Welcome welcome = fork.script.welcome(5);
  welcome.set_verdict(sync::v1::STREAM_VERDICT_FORK);
  fork.script.hear(welcome);
  ASSERT_EQ(fork.script.session->state(), State::probing);
  early.mutable_fork_point()->set_common(50);
  const auto effects = fork.script.hear(early);
  ASSERT_NE(closing(effects), nullptr);
  EXPECT_EQ(fork.script.device.replica->state().past_size(), 0);
}

/// Damage took own ops `from` to `to` from the database and the journal at once.
void destroy(TestDevice& device, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t seq = from; seq <= to; ++seq) {
    const Dot dot{device.replica->origin(), seq};
    device.disk.values.erase(keys::own_op(dot.origin, seq));
    std::erase_if(device.disk.journal,
                  [&](const MemoryDisk::JournalEntry& entry) { return entry.dot == dot; });
    for (auto& [key, value] : device.disk.values) {
      store::v1::StoredRecord record;
      if (!key.starts_with(keys::kRecords) || !record.ParseFromString(value)) continue;
      for (int at = 0; at < record.ops_size(); ++at) {
        if (record.ops(at).seq() != seq) continue;
        record.mutable_ops()->DeleteSubrange(at, 1);
        break;
      }
      value = record.SerializeAsString();
    }
  }
  device.open(true);
}

TEST(SyncSessionGap, WhatIsBehindDestroyedOpsGoesOnUnderANewOrigin) {
  Script script(1, "abcde");
  const Origin before = script.device.replica->origin();
  destroy(script.device, 3, 3);
  EXPECT_EQ(script.device.replica->open_report().lost, 1u);
  script.connect();
  EXPECT_TRUE(batches(script.up()).empty());  // the hub may have what is lost here
  const auto heard = script.hear(script.welcome(1));
  ASSERT_NE(closing(heard), nullptr);
  EXPECT_TRUE(closing(heard)->at_once);
  EXPECT_NE(script.device.replica->origin(), before);
  EXPECT_EQ(script.device.head(), 3u);  // b, d, e
  ASSERT_EQ(script.device.replica->state().gaps_size(), 1);
  EXPECT_EQ(script.device.replica->state().gaps(0).first_seq(), 3u);
  EXPECT_EQ(script.device.replica->state().gaps(0).last_seq(), 3u);
  EXPECT_EQ(script.device.replica->state().gaps(0).origin(), before.view());
  EXPECT_EQ(script.device.texts('d'), std::vector<std::string>{"text d"});

  script.connect();
  script.up();
  const auto welcomed = script.hear(script.welcome(0));
  EXPECT_EQ(script.session->state(), SyncSession::State::live);
  const auto frames = sent(welcomed);
  EXPECT_EQ(std::count_if(frames.begin(), frames.end(),
                          [](const sync::v1::Frame& frame) { return frame.has_gap(); }),
            1);
}

TEST(SyncSessionGap, WhatTheHubHasIsNoGap) {
  Script script(1, "abcde");
  const Origin before = script.device.replica->origin();
  destroy(script.device, 3, 3);
  script.connect();
  script.up();
  const auto heard = script.hear(script.welcome(3));
  EXPECT_EQ(closing(heard), nullptr);
  EXPECT_EQ(script.device.replica->origin(), before);
  EXPECT_EQ(batches(heard), (std::vector<std::pair<std::uint64_t, std::uint32_t>>{{4, 2}}));
}

TEST(SyncSessionGap, ARecordWhoseCreatingOpIsDestroyedIsCreatedByWhatIsLeft) {
  Script script(1, "ab");
  ASSERT_TRUE(script.device.save('b', "second"));
  ASSERT_TRUE(
      script.device.replica->save({script.device.intent('b', "other", 4)}, script.device.clock()));
  destroy(script.device, 2, 2);
  EXPECT_EQ((*script.device.replica->record(record_id('b')))->stage(), RecordState::Stage::shell);
  script.connect();
  script.up();
  ASSERT_NE(closing(script.hear(script.welcome(0))), nullptr);
  const auto state = script.device.replica->record(record_id('b'));
  ASSERT_TRUE(state && *state);
  EXPECT_EQ((*state)->stage(), RecordState::Stage::born);
  EXPECT_EQ((*state)->scope(), kScope);
  EXPECT_EQ(script.device.texts('b'), std::vector<std::string>{"second"});
  EXPECT_NE((*state)->find({4, {}}), nullptr);
}

TEST(SyncSessionGap, AJournalTornInItsMiddleLosesOnlyWhatIsTorn) {
  Script script(1, "abcd");
  const Origin origin = script.device.replica->origin();
  script.device.disk.values.clear();  // the database is gone
  std::erase_if(script.device.disk.journal,
                [&](const MemoryDisk::JournalEntry& entry) { return entry.dot.seq == 2; });
  script.device.disk.damaged_ranges = 1;
  script.device.open();
  EXPECT_EQ(script.device.replica->origin(), origin);
  EXPECT_EQ(script.device.head(), 4u);
  EXPECT_EQ(script.device.replica->open_report().lost, 1u);
  script.connect();
  script.up();
  ASSERT_NE(closing(script.hear(script.welcome(0))), nullptr);
  EXPECT_EQ(script.device.head(), 3u);
  EXPECT_EQ(script.device.texts('d'), std::vector<std::string>{"text d"});
}

}  // namespace
}  // namespace duhui::agent
