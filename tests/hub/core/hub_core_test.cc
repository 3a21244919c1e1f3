// The hub's side of a conversation, and what it answers to a peer that breaks the rules.

#include "hub/core/hub_core.h"

#include <gtest/gtest.h>

#include "hub/core/tickets.h"
#include "shared/crypto/ticket.h"
#include "tests/hub/core/test_hub.h"

namespace duhui::hub {
namespace {

using sync::v1::Frame;
using sync::v1::Goodbye;

/// Expects that the session ended with this goodbye.
void expect_goodbye(TestHub& hub, SessionId session, Goodbye::Reason reason) {
  EXPECT_TRUE(hub.is_closed(session));
  EXPECT_EQ(hub.goodbye(session).reason(), reason) << hub.goodbye(session).detail();
}

struct Greeted {
  explicit Greeted(HubLimits limits = {}) : hub(limits), writer(1) {
    hub.enrol(writer);
    session = hub.connect(writer);
  }
  TestHub hub;
  TestWriter writer;
  SessionId session = 0;
};

TEST(HubCore, WelcomesADeviceItKnows) {
  Greeted greeted;
  const sync::v1::Welcome welcome = greeted.hub.welcome(greeted.session);
  EXPECT_NE(welcome.epoch(), 0u);
  EXPECT_EQ(welcome.verdict(), sync::v1::STREAM_VERDICT_CONTINUE);
  EXPECT_EQ(welcome.credit(), sync_limits::kUpstreamCredit);
  EXPECT_EQ(welcome.device_name(), "a school");
  EXPECT_EQ(greeted.hub.core.connected_devices(), std::set<DeviceId>{greeted.writer.id});
}

TEST(HubCore, RefusesADeviceItDoesNotKnowOrThatProvesNothing) {
  TestHub hub;
  TestWriter stranger(1);
  const SessionId unknown = hub.connect(stranger);
  expect_goodbye(hub, unknown, Goodbye::REASON_UNAUTHORISED);
  hub.enrol(stranger);
  const SessionId replayed = hub.open();
  hub.say_hello(replayed, stranger.hello("another channel"));
  expect_goodbye(hub, replayed, Goodbye::REASON_UNAUTHORISED);
  TestWriter thief(2);
  thief.id = stranger.id;
  expect_goodbye(hub, hub.connect(thief), Goodbye::REASON_UNAUTHORISED);
}

TEST(HubCore, RefusesTheStreamOfAnotherDevice) {
  Greeted greeted;
  greeted.writer.write(TestWriter::creating('a'));
  greeted.hub.say_batch(greeted.session, greeted.writer.batch(1, 1));
  TestWriter thief(2);
  greeted.hub.enrol(thief);
  thief.origin = greeted.writer.origin;
  expect_goodbye(greeted.hub, greeted.hub.connect(thief), Goodbye::REASON_UNAUTHORISED);
}

TEST(HubCore, EnrolsByTicketAndKnowsTheDeviceByItsCertificateAfterARestore) {
  TestHub hub;
  const MemoryHubState empty = hub.store.state();
  SeededRandom random(3);
  const Ticket ticket = mint_ticket(random);
  ASSERT_TRUE(hub.store.write([&](HubTransaction& tx) {
    return put_ticket(tx, {.id = ticket.id,
                           .secret_hash = ticket_secret_hash(ticket.id, ticket.secret_view()).str(),
                           .name = "a school",
                           .scopes = {"city/zone"},
                           .uses_left = 1,
                           .uses = 0,
                           .expires = {},
                           .last_used = {},
                           .revoked = false});
  }));
  TestWriter device(1), second(2);
  const auto with_ticket = [&](const TestWriter& writer) {
    sync::v1::Hello hello = writer.hello("binding");
    hello.set_ticket(ticket_presentation(ticket.id, ticket.secret_view()));
    const SessionId id = hub.open();
    hub.say_hello(id, hello);
    return id;
  };
  const sync::v1::Welcome welcome = hub.welcome(with_ticket(device));
  ASSERT_FALSE(welcome.enrolment().empty());
  expect_goodbye(hub, with_ticket(second), Goodbye::REASON_UNAUTHORISED);  // it is used up
  hub.store.restore(empty);
  sync::v1::Hello hello = device.hello("binding");
  hello.set_enrolment(welcome.enrolment());
  hello.set_epoch(welcome.epoch());
  const SessionId again = hub.open();
  hub.say_hello(again, hello);
  EXPECT_NE(hub.welcome(again).epoch(), 0u);
  EXPECT_NE(hub.welcome(again).epoch(), welcome.epoch());
  EXPECT_EQ(hub.store.state().devices.at(device.id).scopes, std::vector<std::string>{"city/zone"});
  // Somebody else's certificate, or a changed one, is worth nothing.
  hub.store.restore(empty);
  sync::v1::Hello other = second.hello("binding");
  other.set_enrolment(welcome.enrolment());
  const SessionId stolen = hub.open();
  hub.say_hello(stolen, other);
  expect_goodbye(hub, stolen, Goodbye::REASON_UNAUTHORISED);
}

TEST(HubCore, TellsADeviceWhereItsStreamStands) {
  Greeted greeted;
  for (const char record : {'a', 'b', 'c'}) greeted.writer.write(TestWriter::creating(record));
  greeted.hub.say_batch(greeted.session, greeted.writer.batch(1, 3));
  const auto verdict = [&](const sync::v1::Hello& hello) {
    const SessionId id = greeted.hub.open();
    greeted.hub.say_hello(id, hello);
    return greeted.hub.welcome(id).verdict();
  };
  sync::v1::Hello hello = greeted.writer.hello("binding");
  EXPECT_EQ(verdict(hello), sync::v1::STREAM_VERDICT_CONTINUE);
  hello.mutable_head()->set_chain(std::string(32, 'x'));
  EXPECT_EQ(verdict(hello), sync::v1::STREAM_VERDICT_FORK);
  hello.mutable_head()->set_seq(2);
  EXPECT_EQ(verdict(hello), sync::v1::STREAM_VERDICT_FORK);
  hello.mutable_head()->set_chain(greeted.writer.chains[1]);
  EXPECT_EQ(verdict(hello), sync::v1::STREAM_VERDICT_DEVICE_BEHIND);
  const std::uint64_t epoch = greeted.hub.welcome(greeted.session).epoch();
  hello = greeted.writer.hello("binding");
  hello.mutable_head()->set_seq(9);
  hello.mutable_acknowledged()->set_seq(5);
  hello.set_epoch(epoch);
  const SessionId ahead = greeted.hub.open();
  greeted.hub.say_hello(ahead, hello);
  EXPECT_EQ(greeted.hub.welcome(ahead).verdict(), sync::v1::STREAM_VERDICT_HUB_BEHIND);
  EXPECT_NE(greeted.hub.welcome(ahead).epoch(), epoch);
  expect_goodbye(greeted.hub, greeted.session, Goodbye::REASON_REPLACED);
}

TEST(HubCore, TakesTheFirstFlightBehindTheHello) {
  TestHub hub;
  TestWriter writer(1);
  hub.enrol(writer);
  writer.write(TestWriter::creating('a'));
  hub.jobs_run = false;
  const SessionId id = hub.connect(writer);
  hub.say_batch(id, writer.batch(1, 1));
  EXPECT_EQ(hub.ack(id).through(), 0u);
  hub.jobs_run = true;
  hub.perform({});
  EXPECT_EQ(hub.ack(id).through(), 1u);
}

TEST(HubCore, ClosesWhenTheFirstFlightDoesNotEnd) {
  TestHub hub;
  TestWriter writer(1);
  hub.enrol(writer);
  writer.write(TestWriter::creating('a'));
  hub.jobs_run = false;
  const SessionId id = hub.connect(writer);
  for (int n = 0; n < 100 && !hub.is_closed(id); ++n) hub.say_batch(id, writer.batch(1, 1));
  expect_goodbye(hub, id, Goodbye::REASON_PROTOCOL);
  hub.jobs_run = true;
  hub.perform({});
  EXPECT_EQ(hub.record('a'), nullptr);
}

TEST(HubCore, AnswersNobodyBeforeTheHello) {
  Frame ping, batch;
  ping.mutable_ping();
  batch.mutable_batch();
  for (const Frame& frame : {ping, batch}) {
    TestHub hub;
    const SessionId id = hub.open();
    hub.say(id, frame);
    expect_goodbye(hub, id, Goodbye::REASON_PROTOCOL);
  }
}

TEST(HubCore, RefusesASecondHello) {
  Greeted greeted;
  greeted.hub.say_hello(greeted.session, greeted.writer.hello("binding"));
  expect_goodbye(greeted.hub, greeted.session, Goodbye::REASON_PROTOCOL);
}

TEST(HubCore, RefusesAnotherVersion) {
  TestHub hub;
  const SessionId id = hub.open();
  sync::v1::Hello hello = TestWriter(1).hello("binding");
  hello.set_version(2);
  hub.say_hello(id, hello);
  expect_goodbye(hub, id, Goodbye::REASON_VERSION);
}

TEST(HubCore, RefusesMoreCursorsThanThereAreScopes) {
  TestHub hub;
  const SessionId id = hub.open();
  sync::v1::Hello hello = TestWriter(1).hello("binding");
  for (std::uint32_t n = 0; n <= sync_limits::kScopesMax; ++n) hello.add_cursors()->set_through(n);
  hub.say_hello(id, hello);
  expect_goodbye(hub, id, Goodbye::REASON_PROTOCOL);
}

TEST(HubCore, RefusesFramesOfHubsAndBytesThatAreNoFrame) {
  std::vector<std::string> all{"\xff\xff\xff", "",
                               std::string(sync_limits::kFrameBytesMax + 1, 'x')};
  Frame frame;
  frame.mutable_welcome();
  all.push_back(encode_frame(frame));
  frame.mutable_ack();
  all.push_back(encode_frame(frame));
  frame.mutable_range_answer();
  all.push_back(encode_frame(frame));
  for (const std::string& bytes : all) {
    Greeted greeted;
    greeted.hub.say_bytes(greeted.session, bytes);
    expect_goodbye(greeted.hub, greeted.session, Goodbye::REASON_PROTOCOL);
  }
}

TEST(HubCore, RefusesABatchOfAnotherStream) {
  Greeted greeted;
  TestWriter other = greeted.writer;
  other.origin = Origin::random(other.random);
  other.write(TestWriter::creating('a'));
  greeted.hub.say_batch(greeted.session, other.batch(1, 1));
  expect_goodbye(greeted.hub, greeted.session, Goodbye::REASON_PROTOCOL);
}

TEST(HubCore, RefusesMoreThanTheCreditAndGivesItBackWithTheAck) {
  Greeted greeted;
  std::string noise(200'000, '\0');
  for (char record = 'a'; record < 'i'; ++record) {
    sync::v1::Op op = TestWriter::creating(record);
    greeted.writer.random.fill(noise.data(), noise.size());
    op.mutable_writes(0)->set_value(noise);
    greeted.writer.write(op);
  }
  for (std::uint64_t seq = 1; seq <= 8; ++seq) {
    greeted.hub.say_batch(greeted.session, greeted.writer.batch(seq, seq));
    EXPECT_GT(greeted.hub.ack(greeted.session).credit(), 200'000u);
  }
  EXPECT_EQ(greeted.hub.ack(greeted.session).through(), 8u);
  // Nothing comes back while the commit runs.
  greeted.hub.jobs_run = false;
  for (int n = 0; n < 6; ++n) greeted.hub.say_batch(greeted.session, greeted.writer.batch(8, 8));
  expect_goodbye(greeted.hub, greeted.session, Goodbye::REASON_PROTOCOL);
}

TEST(HubCore, CommitsTheBatchesOfManySessionsTogether) {
  TestHub hub;
  std::vector<TestWriter> writers;
  std::vector<SessionId> ids;
  for (int n = 0; n < 5; ++n) {
    writers.emplace_back(static_cast<std::uint64_t>(n + 1));
    hub.enrol(writers.back());
    ids.push_back(hub.connect(writers.back()));
    writers.back().write(TestWriter::creating(static_cast<char>('a' + n)));
  }
  hub.jobs_run = false;
  for (std::size_t n = 0; n < ids.size(); ++n) hub.say_batch(ids[n], writers[n].batch(1, 1));
  const std::uint64_t before = hub.store.commits();
  hub.jobs_run = true;
  hub.perform({});
  EXPECT_LE(hub.store.commits() - before, 2u);
  for (const SessionId id : ids) EXPECT_EQ(hub.ack(id).through(), 1u);
}

TEST(HubCore, SendsAnOlderDeviceOnlyWhatItCanUnpack) {
  TestHub hub;
  TestWriter writer(1), older(2), newer(3);
  for (TestWriter* device : {&writer, &older, &newer}) hub.enrol(*device, {kSchool});
  const SessionId from = hub.connect(writer);
  const SessionId old_link = hub.connect(older);
  const SessionId new_link = hub.open();
  sync::v1::Hello hello = newer.hello("binding");
  PayloadCodec::announce(&hello);
  hub.say_hello(new_link, hello);
  PayloadCodec codec;
  // Few travel as rows, many as columns.
  for (const auto& [from_record, to_record] : {std::pair{'a', 'e'}, std::pair{'e', 'z'}}) {
    const std::uint64_t first = static_cast<std::uint64_t>(from_record - 'a') + 1;
    const std::uint64_t last = static_cast<std::uint64_t>(to_record - 'a');
    for (char record = from_record; record < to_record; ++record) {
      sync::v1::Op op = TestWriter::creating(record);
      op.set_reason("食堂留样柜八盒都有标签，陪餐记录真实。");
      op.set_record_type(60'000);  // of a later version
      writer.write(op);
    }
    const sync::v1::Batch batch = writer.batch(first, last);
    ASSERT_EQ(batch.encoding(),
              last - first < 7 ? sync::v1::ENCODING_ZSTD_DICTIONARY : sync::v1::ENCODING_COLUMNS);
    ASSERT_EQ(batch.dictionary(), PayloadCodec::dictionary_id());
    hub.say_batch(from, batch);
    const sync::v1::Batch as_stored = hub.last(new_link, Frame::kFeedPage).feed_page().runs(0);
    EXPECT_EQ(as_stored.payload(), batch.payload());
    const sync::v1::Batch plain = hub.last(old_link, Frame::kFeedPage).feed_page().runs(0);
    EXPECT_EQ(plain.dictionary(), 0u);
    EXPECT_NE(plain.encoding(), sync::v1::ENCODING_COLUMNS);
    const auto raw = codec.unpack(packed_ops(plain));
    const auto raw_stored = codec.unpack(packed_ops(batch));
    ASSERT_TRUE(raw && raw_stored);
    EXPECT_EQ(*raw, *raw_stored);
  }
}

TEST(HubCore, FeedsEveryReaderOfAScopeAndNobodyElse) {
  TestHub hub;
  TestWriter writer(1), neighbour(2), stranger(3);
  hub.enrol(writer);
  hub.enrol(neighbour, {kSchool});
  hub.enrol(stranger, {"city/zone2"});
  const SessionId from = hub.connect(writer);
  const SessionId near = hub.connect(neighbour);
  const SessionId far = hub.connect(stranger);
  writer.write(TestWriter::creating('a'));
  hub.say_batch(from, writer.batch(1, 1));
  const sync::v1::FeedPage page = hub.last(near, Frame::kFeedPage).feed_page();
  EXPECT_EQ(page.scope(), kSchool);
  EXPECT_EQ(page.through(), 1u);
  EXPECT_TRUE(page.at_head());
  ASSERT_EQ(page.runs_size(), 1);
  EXPECT_EQ(page.runs(0).payload(), writer.batch(1, 1).payload());
  EXPECT_FALSE(hub.last(far, Frame::kFeedPage).has_feed_page());
  // The writer's own ops are counted and not sent.
  const sync::v1::FeedPage own = hub.last(from, Frame::kFeedPage).feed_page();
  EXPECT_EQ(own.through(), 1u);
  EXPECT_EQ(own.runs_size(), 0);
}

TEST(HubCore, SendsNoPageToADeviceWithoutCredit) {
  TestHub hub;
  TestWriter writer(1), reader(2);
  hub.enrol(writer);
  hub.enrol(reader);
  sync::v1::Hello hello = reader.hello("binding");
  hello.set_credit(0);
  const SessionId slow = hub.open();
  hub.say_hello(slow, hello);
  const SessionId from = hub.connect(writer);
  writer.write(TestWriter::creating('a'));
  hub.say_batch(from, writer.batch(1, 1));
  EXPECT_FALSE(hub.last(slow, Frame::kFeedPage).has_feed_page());
  Frame seen;
  seen.mutable_seen()->set_credit(10'000);
  hub.say(slow, seen);
  EXPECT_TRUE(hub.last(slow, Frame::kFeedPage).has_feed_page());
}

TEST(HubCore, AnswersRangesOfScopesTheSessionReadsOnly) {
  Greeted greeted;
  greeted.writer.write(TestWriter::creating('a'));
  greeted.hub.say_batch(greeted.session, greeted.writer.batch(1, 1));
  Frame frame;
  sync::v1::RangeRequest& asked = *frame.mutable_range_request();
  asked.set_scope(kSchool);
  asked.set_low(std::string(16, '\0'));
  asked.set_high(std::string(16, '\xff'));
  asked.set_checksum(greeted.hub.feed(kSchool).checksum);
  asked.set_records(1);
  greeted.hub.say(greeted.session, frame);
  EXPECT_TRUE(greeted.hub.last(greeted.session, Frame::kRangeAnswer).range_answer().equal());
  asked.set_checksum(1);
  greeted.hub.say(greeted.session, frame);
  const auto answer = greeted.hub.last(greeted.session, Frame::kRangeAnswer).range_answer();
  EXPECT_FALSE(answer.equal());
  ASSERT_EQ(answer.records_size(), 1);
  EXPECT_EQ(answer.records(0).record_id(), record_id('a').view());
  asked.set_scope("city/zone2");
  greeted.hub.say(greeted.session, frame);
  expect_goodbye(greeted.hub, greeted.session, Goodbye::REASON_UNAUTHORISED);
}

TEST(HubCore, CutsALargeRangeIntoPartsThatCoverIt) {
  Greeted greeted;
  for (int n = 0; n < 100; ++n)
    greeted.writer.write(TestWriter::creating(static_cast<char>(n + 1)));
  greeted.hub.say_batch(greeted.session, greeted.writer.batch(1, 100));
  Frame frame;
  sync::v1::RangeRequest& asked = *frame.mutable_range_request();
  asked.set_scope(kSchool);
  asked.set_low(std::string(16, '\0'));
  asked.set_high(std::string(16, '\xff'));
  greeted.hub.say(greeted.session, frame);
  const auto answer = greeted.hub.last(greeted.session, Frame::kRangeAnswer).range_answer();
  ASSERT_GT(answer.parts_size(), 1);
  EXPECT_EQ(answer.parts(0).low(), asked.low());
  EXPECT_EQ(answer.parts(answer.parts_size() - 1).high(), asked.high());
  std::uint64_t records = 0;
  std::uint64_t checksum = 0;
  for (int n = 0; n < answer.parts_size(); ++n) {
    records += answer.parts(n).records();
    checksum += answer.parts(n).checksum();
    if (n > 0) {
      EXPECT_GT(answer.parts(n).low(), answer.parts(n - 1).high());
    }
  }
  EXPECT_EQ(records, 100u);
  EXPECT_EQ(checksum, greeted.hub.feed(kSchool).checksum);
}

TEST(HubCore, FindsTheGreatestCommonPoint) {
  Greeted greeted;
  for (const char record : {'a', 'b', 'c'}) greeted.writer.write(TestWriter::creating(record));
  greeted.hub.say_batch(greeted.session, greeted.writer.batch(1, 3));
  Frame frame;
  for (const std::uint64_t seq : {1u, 2u, 3u}) {
    sync::v1::StreamHead* point = frame.mutable_fork_probe()->add_points();
    point->set_seq(seq);
    point->set_chain(seq < 3 ? greeted.writer.chains[seq - 1] : std::string(32, 'x'));
  }
  greeted.hub.say(greeted.session, frame);
  EXPECT_EQ(greeted.hub.last(greeted.session, Frame::kForkPoint).fork_point().common(), 2u);
  for (std::uint32_t n = 0; n < sync_limits::kTrailMax; ++n)
    frame.mutable_fork_probe()->add_points();
  greeted.hub.say(greeted.session, frame);
  expect_goodbye(greeted.hub, greeted.session, Goodbye::REASON_PROTOCOL);
}

TEST(HubCore, IsBusyBeyondItsSessions) {
  TestHub hub({.sessions_max = 2});
  hub.open();
  const SessionId second = hub.open();
  const SessionId third = hub.open();
  expect_goodbye(hub, third, Goodbye::REASON_BUSY);
  EXPECT_GT(hub.goodbye(third).retry_after_ms(), 0u);
  EXPECT_FALSE(hub.is_closed(second));
  hub.core.closed(third);
  hub.core.closed(second);
  EXPECT_FALSE(hub.is_closed(hub.open()));
}

TEST(HubCore, GivesUpASilentDevice) {
  Greeted greeted;
  greeted.hub.now += sync_limits::kPingInterval.ms + 1;
  greeted.hub.perform(greeted.hub.core.timer_fired(greeted.session, {greeted.hub.now}));
  EXPECT_TRUE(greeted.hub.last(greeted.session, Frame::kPing).has_ping());
  EXPECT_FALSE(greeted.hub.is_closed(greeted.session));
  greeted.hub.now += sync_limits::kPingInterval.ms;
  greeted.hub.perform(greeted.hub.core.timer_fired(greeted.session, {greeted.hub.now}));
  EXPECT_TRUE(greeted.hub.is_closed(greeted.session));
  const SessionId mute = greeted.hub.open();
  greeted.hub.now += sync_limits::kReplyTimeout.ms;
  greeted.hub.perform(greeted.hub.core.timer_fired(mute, {greeted.hub.now}));
  EXPECT_TRUE(greeted.hub.is_closed(mute));
}

TEST(HubCore, SaysGoodbyeToEverybodyWhenItStops) {
  Greeted greeted;
  greeted.hub.perform(greeted.hub.core.shut_down());
  expect_goodbye(greeted.hub, greeted.session, Goodbye::REASON_SHUTDOWN);
  expect_goodbye(greeted.hub, greeted.hub.open(), Goodbye::REASON_BUSY);
}

}  // namespace
}  // namespace duhui::hub
