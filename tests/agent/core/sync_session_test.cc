#include "agent/core/sync_session.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "shared/sync/limits.h"
#include "tests/agent/core/scripted_hub.h"

namespace duhui::agent {
namespace {

using Batches = std::vector<std::pair<std::uint64_t, std::uint32_t>>;
using State = SyncSession::State;

TEST(SyncSession, SaysHelloWithAProofForThisChannelOnly) {
  Script script(1, "a");
  const auto frames = sent(script.up());
  ASSERT_EQ(frames.size(), 1u);
  const sync::v1::Hello& hello = frames[0].hello();
  const PublicKey& key = script.device.identity.key.public_key();
  const auto statement = [&](std::string_view binding) {
    return device_statement(binding, script.device.identity.id, key.view());
  };
  EXPECT_TRUE(verify(key, statement("binding"), hello.proof()));
  EXPECT_FALSE(verify(key, statement("another channel"), hello.proof()));
  EXPECT_EQ(hello.head().seq(), 1u);
  EXPECT_EQ(hello.epoch(), 0u);
  EXPECT_EQ(hello.credit(), sync_limits::kDownstreamCredit);
}

TEST(SyncSession, KeepsItsOpsBackAtTheFirstContact) {
  Script script(1, "ab");
  EXPECT_TRUE(batches(script.up()).empty());
  EXPECT_EQ(batches(script.hear(script.welcome(0))), (Batches{{1, 2}}));
}

TEST(SyncSession, SendsItsOpsBehindTheHelloOnceTheHubIsKnown) {
  Script script(1, "ab");
  script.go_live(1);
  script.connect();
  const auto effects = script.up();
  EXPECT_TRUE(sent(effects).front().has_hello());
  EXPECT_EQ(batches(effects), (Batches{{2, 1}}));
  EXPECT_TRUE(batches(script.hear(script.welcome(1))).empty());  // they are on their way already
}

TEST(SyncSession, SignsEveryBatch) {
  Script script(1, "abc");
  script.up();
  const auto frames = sent(script.hear(script.welcome(0)));
  ASSERT_EQ(frames.size(), 1u);
  const sync::v1::Batch& batch = frames[0].batch();
  const Dot last{script.device.replica->origin(), 3};
  EXPECT_TRUE(verify(script.device.identity.key.public_key(), batch_statement(last, batch.chain()),
                     batch.signature()));
  EXPECT_EQ(batch.chain(), script.device.replica->state().chain());
}

TEST(SyncSession, SendsWhatAFailedSaveLeftOnTheDiskAfterAll) {
  Script script(1, "a");
  script.go_live(1);
  script.device.disk.fail_next_append = MemoryDisk::Fault::applied;
  script.device.disk.fail_next_commit = MemoryDisk::Fault::not_applied;
  ASSERT_FALSE(script.device.save('a', "refused, and in the journal"));
  // Nobody calls saved(); the replica finds it when the next frame makes it look.
  EXPECT_EQ(batches(script.hear(ack_of(script.device, 1))), (Batches{{2, 1}}));
}

TEST(SyncSession, CountsNothingAsDeliveredBeforeTheAck) {
  Script script(1, "ab");
  script.up();
  script.hear(script.welcome(0));
  EXPECT_EQ(script.device.replica->unacknowledged(), 2u);
  EXPECT_FALSE(script.session->caught_up());
  const auto effects = script.hear(ack_of(script.device, 2));
  EXPECT_EQ(script.device.replica->unacknowledged(), 0u);
  EXPECT_TRUE(script.session->caught_up());
  bool told = false;
  for (const Effect& effect : effects) told |= std::holds_alternative<DurableAck>(effect);
  EXPECT_TRUE(told);
}

TEST(SyncSession, SendsWhatIsSavedWhileTheLinkIsUp) {
  Script script(1);
  script.go_live(0);
  ASSERT_TRUE(script.device.save('a', "x"));
  EXPECT_EQ(batches(script.session->saved(script.device.clock())), (Batches{{1, 1}}));
  EXPECT_TRUE(batches(script.session->saved(script.device.clock())).empty());
}

TEST(SyncSession, SendsAgainFromTheHeadOfAHubThatForgot) {
  Script script(1, "abcd");
  script.go_live(4);
  script.connect();
  EXPECT_TRUE(batches(script.up()).empty());
  sync::v1::Welcome restored = script.welcome(1);
  restored.set_epoch(8);
  restored.set_verdict(sync::v1::STREAM_VERDICT_HUB_BEHIND);
  EXPECT_EQ(batches(script.hear(restored)), (Batches{{2, 3}}));
  EXPECT_EQ(script.device.acknowledged(), 1u);
  EXPECT_EQ(script.device.replica->state().epoch(), 8u);
}

TEST(SyncSession, DoesNotSendWhatTheHubSaysItHas) {
  Script script(1, "abcd");
  script.up();
  EXPECT_EQ(batches(script.hear(script.welcome(3))), (Batches{{4, 1}}));
}

TEST(SyncSession, GoesOnFromTheHubsHeadWhenTheBeginningOfItsLogIsGone) {
  Script script(1, "abcde");
  script.go_live(2);
  script.device.disk.values.clear();
  script.device.open();
  script.connect();
  const auto frames = sent(script.up());
  EXPECT_EQ(frames.front().hello().own_log_from(), 3u);
  sync::v1::Welcome welcome = script.welcome(0);
  welcome.mutable_hub_head()->set_seq(2);
  welcome.mutable_hub_head()->set_chain(std::string(32, 'c'));  // this device cannot tell
  const auto effects = script.hear(welcome);
  EXPECT_EQ(closing(effects), nullptr);
  EXPECT_EQ(batches(effects), (Batches{{3, 3}}));
}

/// Fills the device with more than a hub gives credit for; nothing of it compresses.
void save_noise(Script& script, int ops, std::size_t bytes) {
  for (int n = 0; n < ops; ++n) {
    std::string noise(bytes, '\0');
    script.device.random.fill(noise.data(), noise.size());
    ASSERT_TRUE(script.device.save(static_cast<char>('a' + n), noise));
  }
}

std::uint64_t bytes_of_batches(const std::vector<Effect>& effects) {
  std::uint64_t bytes = 0;
  for (const Effect& effect : effects) {
    const auto* send = std::get_if<Send>(&effect);
    if (send != nullptr && decode_frame(send->frame)->has_batch()) bytes += send->frame.size();
  }
  return bytes;
}

TEST(SyncSession, NeverSendsMoreThanTheCredit) {
  Script script(1);
  save_noise(script, 20, 100'000);
  script.up();
  sync::v1::Welcome welcome = script.welcome(0);
  const auto first = script.hear(welcome);
  const std::uint64_t sent_first = bytes_of_batches(first);
  EXPECT_LE(sent_first, sync_limits::kUpstreamCredit);
  EXPECT_GT(sent_first, sync_limits::kUpstreamCredit / 2);
  EXPECT_TRUE(batches(script.session->saved(script.device.clock())).empty());
  sync::v1::Ack ack = ack_of(script.device, batches(first).front().second);
  ack.set_credit(250'000);
  const auto second = script.hear(ack);
  EXPECT_GT(bytes_of_batches(second), 0u);
  EXPECT_LE(sent_first + bytes_of_batches(second), sync_limits::kUpstreamCredit + 250'000);
}

TEST(SyncSession, StaysWithinTheInitialCreditBeforeTheWelcome) {
  Script script(1);
  script.go_live(0);
  save_noise(script, 12, 100'000);
  script.connect();
  const std::uint64_t early = bytes_of_batches(script.up());
  EXPECT_GT(early, 0u);
  EXPECT_LE(early, sync_limits::kInitialCredit);
  const std::uint64_t later = bytes_of_batches(script.hear(script.welcome(0)));
  EXPECT_LE(early + later, sync_limits::kUpstreamCredit);
}

TEST(SyncSession, AppliesPagesAndGrantsCreditForThem) {
  Script script(1);
  TestDevice other(2);
  other.save_all("xy");
  script.go_live(0);
  sync::v1::FeedPage page = page_of({run_of(other, 1, 2)}, 0);
  page.set_at_head(true);
  const auto effects = script.hear(page);
  EXPECT_EQ(closing(effects), nullptr);
  const auto frames = sent(effects);
  ASSERT_FALSE(frames.empty());
  EXPECT_GT(frames[0].seen().credit(), 0u);
  EXPECT_EQ(frames[0].seen().cursors(0).through(), 2u);
  EXPECT_EQ(script.device.texts('y').size(), 1u);
}

TEST(SyncSession, AsksAboutTheWholeScopeWhenTheChecksumDiffers) {
  Script script(1);
  TestDevice other(2);
  other.save_all("xy");
  script.go_live(0);
  sync::v1::FeedPage page = page_of({run_of(other, 1, 2)}, 0);
  page.set_at_head(true);
  page.set_checksum(1);  // the hub counted otherwise
  const auto frames = sent(script.hear(page));
  ASSERT_EQ(frames.size(), 2u);
  const sync::v1::RangeRequest& asked = frames[1].range_request();
  EXPECT_EQ(asked.scope(), kScope);
  EXPECT_EQ(asked.records(), 2u);
  EXPECT_EQ(asked.checksum(), script.device.replica->scopes().at(kScope).checksum());
}

TEST(SyncSession, AsksAboutThePartsThatDifferAndTakesTheRecords) {
  Script script(1);
  TestDevice other(2);
  other.save_all("xy");
  script.go_live(0);
  sync::v1::Frame parts;
  parts.mutable_range_answer()->set_scope(kScope);
  for (const auto& [low, high, records] : {std::tuple{'a', 'm', 0u}, std::tuple{'n', 'z', 2u}}) {
    sync::v1::RangeRequest* part = parts.mutable_range_answer()->add_parts();
    part->set_low(record_id(low).str());
    part->set_high(record_id(high).str());
    part->set_records(records);
    part->set_checksum(records);
  }
  const auto asked = sent(script.hear(parts));
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].range_request().low(), record_id('n').view());
  sync::v1::Frame records;
  records.mutable_range_answer()->set_scope(kScope);
  for (const auto& [record, seq] : {std::pair{'x', 1u}, std::pair{'y', 2u}}) {
    sync::v1::WalkedRecord* walked = records.mutable_range_answer()->add_records();
    walked->set_record_id(record_id(record).str());
    *walked->add_runs() = run_of(other, seq, seq);
  }
  EXPECT_EQ(closing(script.hear(records)), nullptr);
  EXPECT_EQ(script.device.texts('x').size(), 1u);
  EXPECT_EQ(script.device.texts('y').size(), 1u);
}

TEST(SyncSession, IsCaughtUpAtTheEndOfAWalkAndComparesIt) {
  Script script(1);
  TestDevice other(2);
  other.save_all("x");
  script.up();
  sync::v1::Welcome welcome = script.welcome(0);
  sync::v1::ScopeCursor* scope = welcome.add_scopes();
  scope->set_scope(kScope);
  scope->set_through(9);
  script.hear(welcome);
  EXPECT_FALSE(script.session->caught_up());
  sync::v1::Frame frame;
  sync::v1::WalkPage& page = *frame.mutable_walk_page();
  page.set_scope(kScope);
  sync::v1::WalkedRecord* walked = page.add_records();
  walked->set_record_id(record_id('x').str());
  *walked->add_runs() = run_of(other, 1, 1);
  page.set_last(true);
  page.set_continue_after(9);
  page.set_checksum(1);
  bool asked = false;
  for (const auto& out : sent(script.hear(frame))) asked |= out.has_range_request();
  EXPECT_TRUE(asked);
  EXPECT_FALSE(script.session->caught_up());  // the sums differ, and nobody has said why
  sync::v1::Frame answer;
  answer.mutable_range_answer()->set_scope(kScope);
  answer.mutable_range_answer()->set_equal(true);
  script.hear(answer);
  EXPECT_TRUE(script.session->caught_up());
}

TEST(SyncSession, AnswersAPing) {
  Script script(1);
  script.go_live(0);
  sync::v1::Frame ping;
  ping.mutable_ping()->set_token(99);
  const auto frames = sent(script.hear(ping));
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].pong().token(), 99u);
}

TEST(SyncSession, ProbesASilentLinkAndThenGivesItUp) {
  Script script(1);
  script.go_live(0);
  script.device.now += sync_limits::kPingInterval.ms + 1;
  const auto probed = sent(script.session->timer_fired(script.device.clock()));
  ASSERT_EQ(probed.size(), 1u);
  EXPECT_TRUE(probed[0].has_ping());
  script.device.now += sync_limits::kReplyTimeout.ms + 1;
  EXPECT_NE(closing(script.session->timer_fired(script.device.clock())), nullptr);
}

TEST(SyncSession, GivesUpWhenTheHubDoesNotGreet) {
  Script script(1);
  script.up();
  EXPECT_EQ(closing(script.session->timer_fired(script.device.clock())), nullptr);
  script.device.now += sync_limits::kReplyTimeout.ms + 1;
  EXPECT_NE(closing(script.session->timer_fired(script.device.clock())), nullptr);
}

TEST(SyncSession, WaitsAsLongAsAGoodbyeAsks) {
  Script script(1);
  script.go_live(0);
  sync::v1::Frame frame;
  frame.mutable_goodbye()->set_reason(sync::v1::Goodbye::REASON_BUSY);
  frame.mutable_goodbye()->set_retry_after_ms(30'000);
  const auto effects = script.hear(frame);
  ASSERT_NE(closing(effects), nullptr);
  EXPECT_EQ(closing(effects)->retry_after, seconds(30));
  EXPECT_FALSE(closing(effects)->at_once);
  EXPECT_TRUE(script.hear(frame).empty());
}

TEST(SyncSession, ClosesOnBytesThatAreNoFrameAndOnFramesOfDevices) {
  sync::v1::Frame seen;
  seen.mutable_seen();
  sync::v1::Frame welcome;
  welcome.mutable_welcome();
  for (const std::string& bytes :
       {std::string("\xff\xff\xff"), std::string(), encode_frame(seen), encode_frame(welcome)}) {
    Script script(1);
    script.go_live(0);
    const auto effects = script.session->received(bytes, script.device.clock());
    EXPECT_NE(closing(effects), nullptr);
    EXPECT_EQ(script.session->state(), State::closed);
  }
}

TEST(SyncSession, PassesOverFramesThatComeBeforeTheWelcome) {
  Script script(1, "a");
  script.up();
  EXPECT_EQ(closing(script.hear(ack_of(script.device, 1))), nullptr);
  EXPECT_EQ(script.device.acknowledged(), 0u);
}

/// The conversation of a good day; every step may find the disk refusing.
TEST(SyncSession, LosesNothingWhicheverStepTheDiskRefuses) {
  for (int failing = 0; failing < 8; ++failing) {
    for (const auto fault : {MemoryDisk::Fault::not_applied, MemoryDisk::Fault::applied}) {
      Script script(1, "ab");
      TestDevice other(2);
      other.save_all("xy");
      int step = 0;
      const auto maybe_fail = [&] {
        if (step++ == failing) script.device.disk.fail_next_commit = fault;
      };
      const auto converse = [&] {
        script.connect();
        maybe_fail();
        script.up();
        maybe_fail();
        script.hear(script.welcome(0));
        maybe_fail();
        script.hear(ack_of(script.device, 2));
        maybe_fail();
        sync::v1::FeedPage page = page_of({run_of(other, 1, 2)}, 0);
        page.set_at_head(true);
        page.set_checksum(7);
        script.hear(page);
      };
      for (int link = 0; link < 2; ++link) {
        converse();
        script.device.disk.fail_next_commit.reset();
      }
      converse();  // a good day
      for (const char record : {'a', 'b', 'x', 'y'}) {
        EXPECT_EQ(script.device.texts(record).size(), 1u) << record << " failing " << failing;
      }
      EXPECT_EQ(script.device.acknowledged(), 2u) << failing;
      script.device.open();
      for (const char record : {'a', 'b', 'x', 'y'})
        EXPECT_EQ(script.device.texts(record).size(), 1u);
    }
  }
}

TEST(SyncSession, HasNotCaughtUpBeforeThePagesOfItsOwnOpsAreHere) {
  Script script(1, "a");
  script.go_live(0);
  sync::v1::Ack ack = ack_of(script.device, 1);
  sync::v1::ScopeCursor* grown = ack.add_grown();
  grown->set_scope(kScope);
  grown->set_through(1);
  script.hear(ack);
  EXPECT_EQ(script.device.replica->unacknowledged(), 0u);
  EXPECT_FALSE(script.session->caught_up());
  sync::v1::FeedPage page = page_of({}, 0);  // its own op is counted, not sent
  page.set_through(1);
  page.set_at_head(true);
  page.set_checksum(script.device.replica->scopes().at(kScope).checksum());
  script.hear(page);
  EXPECT_TRUE(script.session->caught_up());
}

TEST(SyncSession, SendsNothingAheadAfterTheHubSaidThatTheStreamForked) {
  Script script(1, "a");
  script.go_live(0);
  sync::v1::Frame frame;
  frame.mutable_goodbye()->set_reason(sync::v1::Goodbye::REASON_REPLACED);
  script.hear(frame);
  SyncSession next(*script.device.replica, script.device.identity, "test");
  for (const auto& out : sent(next.link_up("binding", script.device.clock()))) {
    EXPECT_FALSE(out.has_batch());
  }
}

TEST(SyncSession, ComparesAfterTheAckWhatItCouldNotCompareAtTheWelcome) {
  Script script(1, "a");
  script.go_live(1);
  sync::v1::FeedPage page = page_of({}, 0);
  page.set_through(1);
  page.set_at_head(true);
  page.set_checksum(77);  // the hub once had more than this device
  script.hear(page);
  ASSERT_TRUE(script.device.save('b', "on its way"));
  script.connect();
  script.up();
  sync::v1::Welcome welcome = script.welcome(1);
  sync::v1::ScopeCursor* head = welcome.add_scopes();
  head->set_scope(kScope);
  head->set_through(1);
  head->set_checksum(77);
  const auto asks = [](const std::vector<Effect>& effects) {
    const auto frames = sent(effects);
    return std::any_of(frames.begin(), frames.end(),
                       [](const sync::v1::Frame& frame) { return frame.has_range_request(); });
  };
  EXPECT_FALSE(asks(script.hear(welcome)));
  EXPECT_TRUE(asks(script.hear(ack_of(script.device, 2))));
}

}  // namespace
}  // namespace duhui::agent
