// What becomes of the ops of a batch, through the hub's whole core.

#include "hub/core/ingest.h"

#include <gtest/gtest.h>

#include "duhui/record/v1/office.pb.h"
#include "tests/hub/core/test_hub.h"

namespace duhui::hub {
namespace {

/// A hub with one greeted device.
struct Link {
  explicit Link(std::vector<std::string> scopes = {"city/zone"}) : writer(1) {
    hub.enrol(writer, std::move(scopes));
    session = hub.connect(writer);
  }
  void send(std::uint64_t first, std::uint64_t last) {
    hub.say_batch(session, writer.batch(first, last));
  }
  sync::v1::Ack ack() { return hub.ack(session); }

  TestHub hub;
  TestWriter writer;
  SessionId session = 0;
};

TEST(Ingest, AcknowledgesWhatItStored) {
  Link link;
  link.writer.write(TestWriter::creating('a'));
  link.writer.write(TestWriter::editing('a', link.writer.dot(1)));
  link.send(1, 2);
  EXPECT_EQ(link.ack().through(), 2u);
  EXPECT_EQ(link.ack().chain(), link.writer.chain());
  EXPECT_EQ(link.ack().notes_size(), 0);
  ASSERT_NE(link.hub.record('a'), nullptr);
  EXPECT_EQ(link.hub.record('a')->ops.size(), 2u);
  EXPECT_EQ(link.hub.feed(kSchool).through, 2u);
  EXPECT_EQ(link.hub.feed(kSchool).checksum, link.hub.record('a')->checksum);
}

TEST(Ingest, KeepsTheBatchAsItCame) {
  Link link;
  link.writer.write(TestWriter::creating('a'));
  const sync::v1::Batch sent = link.writer.batch(1, 1);
  link.send(1, 1);
  const auto& stored = link.hub.store.state().batches.begin()->second;
  EXPECT_EQ(stored.payload, sent.payload());
  EXPECT_EQ(stored.signature, sent.signature());
  EXPECT_EQ(stored.chain, sent.chain());
}

TEST(Ingest, StoresADuplicateOnce) {
  Link link;
  link.writer.write(TestWriter::creating('a'));
  link.send(1, 1);
  link.send(1, 1);
  EXPECT_EQ(link.ack().through(), 1u);
  EXPECT_FALSE(link.hub.is_closed(link.session));
  EXPECT_EQ(link.hub.record('a')->ops.size(), 1u);
  EXPECT_EQ(link.hub.feed(kSchool).through, 1u);
  EXPECT_EQ(link.hub.store.state().batches.size(), 1u);
}

TEST(Ingest, TakesTheRestOfABatchWhoseBeginningItHas) {
  Link link;
  for (const char record : {'a', 'b', 'c'}) link.writer.write(TestWriter::creating(record));
  link.send(1, 2);
  link.send(1, 3);
  EXPECT_EQ(link.ack().through(), 3u);
  EXPECT_EQ(link.hub.store.state().streams.at(link.writer.origin).chain, link.writer.chain());
  EXPECT_NE(link.hub.record('c'), nullptr);
  EXPECT_EQ(link.hub.feed(kSchool).through, 3u);
}

TEST(Ingest, PassesOverABatchThatComesTooEarly) {
  Link link;
  link.writer.write(TestWriter::creating('a'));
  link.writer.write(TestWriter::creating('b'));
  link.send(2, 2);
  EXPECT_EQ(link.ack().through(), 0u);
  EXPECT_FALSE(link.hub.is_closed(link.session));
  EXPECT_EQ(link.hub.record('b'), nullptr);
  link.send(1, 2);
  EXPECT_EQ(link.ack().through(), 2u);
}

TEST(Ingest, SendsTheDeviceBackToTheHelloWhenItsStreamForked) {
  for (const bool wholly_known : {true, false}) {
    Link link;
    link.writer.write(TestWriter::creating('a'));
    link.send(1, 1);
    TestWriter copy = link.writer;
    copy.ops.clear();
    copy.chains.clear();
    copy.write(TestWriter::creating('x'));
    if (!wholly_known) copy.write(TestWriter::creating('y'));
    link.hub.say_batch(link.session, copy.batch(1, copy.head()));
    EXPECT_TRUE(link.hub.is_closed(link.session));
    EXPECT_EQ(link.hub.goodbye(link.session).reason(), sync::v1::Goodbye::REASON_REPLACED);
    EXPECT_EQ(link.hub.record('x'), nullptr);
    EXPECT_EQ(link.hub.record('y'), nullptr);
    EXPECT_EQ(link.hub.store.state().streams.at(link.writer.origin).head, 1u);
  }
}

TEST(Ingest, RefusesABatchWhoseSignatureDoesNotHold) {
  Link link;
  link.writer.write(TestWriter::creating('a'));
  sync::v1::Batch batch = link.writer.batch(1, 1);
  batch.set_signature(TestWriter(2).key.sign(batch_statement(link.writer.dot(1), batch.chain())));
  link.hub.say_batch(link.session, batch);
  EXPECT_EQ(link.hub.goodbye(link.session).reason(), sync::v1::Goodbye::REASON_PROTOCOL);
  EXPECT_TRUE(link.hub.store.state().batches.empty());
}

TEST(Ingest, RefusesATornBatchAndTakesItWhole) {
  Link link;
  link.writer.write(TestWriter::creating('a'));
  sync::v1::Batch torn = link.writer.batch(1, 1);
  torn.mutable_payload()->pop_back();
  link.hub.say_batch(link.session, torn);
  EXPECT_TRUE(link.hub.is_closed(link.session));
  EXPECT_EQ(link.hub.record('a'), nullptr);
  const SessionId again = link.hub.connect(link.writer);
  link.hub.say_batch(again, link.writer.batch(1, 1));
  EXPECT_EQ(link.hub.ack(again).through(), 1u);
}

TEST(Ingest, QuarantinesAMalformedOpAndGoesOnWithTheStream) {
  Link link;
  link.writer.write(TestWriter::creating('a'));
  link.writer.write_bytes("\xff\xff this is not an op");
  sync::v1::Op nameless = TestWriter::creating('b');
  nameless.set_record_id("short");
  link.writer.write(nameless);
  link.writer.write(TestWriter::creating('c'));
  link.send(1, 4);
  EXPECT_EQ(link.ack().through(), 4u);
  ASSERT_EQ(link.ack().notes_size(), 2);
  EXPECT_EQ(link.ack().notes(0).seq(), 2u);
  EXPECT_EQ(link.ack().notes(0).kind(), sync::v1::Note::KIND_QUARANTINED);
  EXPECT_EQ(link.ack().notes(1).seq(), 3u);
  EXPECT_NE(link.hub.record('a'), nullptr);
  EXPECT_NE(link.hub.record('c'), nullptr);
  const auto& quarantine = link.hub.store.state().quarantine;
  ASSERT_EQ(quarantine.size(), 2u);
  EXPECT_EQ(quarantine.at(link.writer.dot(2)).op, "\xff\xff this is not an op");
  EXPECT_EQ(link.hub.feed(kSchool).through, 2u);
}

/// An acknowledgement that was lost is said again with everything that was in it.
TEST(Ingest, SaysAgainWhatWasNotMergedToADeviceThatDidNotHear) {
  Link link;
  link.writer.write(TestWriter::creating('a'));
  link.writer.write_bytes("\xff\xff this is not an op");
  link.writer.write(TestWriter::creating('c'));
  link.send(1, 3);
  ASSERT_EQ(link.ack().notes_size(), 1);
  const std::string detail = link.ack().notes(0).detail();
  const SessionId again = link.hub.connect(link.writer);  // heard of nothing
  ASSERT_EQ(link.hub.ack(again).through(), 3u);
  ASSERT_EQ(link.hub.ack(again).notes_size(), 1);
  EXPECT_EQ(link.hub.ack(again).notes(0).seq(), 2u);
  EXPECT_EQ(link.hub.ack(again).notes(0).detail(), detail);
}

TEST(Ingest, QuarantinesWhatTheDeviceMayNotWrite) {
  Link link;
  TestWriter other(2);
  link.hub.enrol(other, {"city"});
  other.write(TestWriter::creating('o', "city/elsewhere"));
  link.hub.say_batch(link.hub.connect(other), other.batch(1, 1));
  link.writer.write(TestWriter::creating('a', "city"));
  link.writer.write(TestWriter::creating('b', "city/zone2"));
  link.writer.write(TestWriter::editing('o', other.dot(1)));
  link.writer.write(TestWriter::creating('c', "city/zone"));
  link.send(1, 4);
  EXPECT_EQ(link.ack().through(), 4u);
  EXPECT_EQ(link.ack().notes_size(), 3);
  for (const auto& [dot, row] : link.hub.store.state().quarantine) EXPECT_EQ(row.kind, "forbidden");
  EXPECT_EQ(link.hub.record('o')->ops.size(), 1u);
  EXPECT_EQ(link.hub.record('a'), nullptr);
  EXPECT_NE(link.hub.record('c'), nullptr);
}

TEST(Ingest, KeepsAnOpWhoseRecordIsGoneAsAnOrphan) {
  Link link;
  link.writer.write(TestWriter::creating('a', "city/forbidden"));
  link.writer.write(TestWriter::editing('a', link.writer.dot(1)));
  link.send(1, 2);
  ASSERT_EQ(link.ack().notes_size(), 2);
  EXPECT_EQ(link.ack().notes(1).kind(), sync::v1::Note::KIND_ORPHAN);
  EXPECT_EQ(link.hub.store.state().quarantine.at(link.writer.dot(2)).kind, "orphan");
  EXPECT_EQ(link.hub.record('a'), nullptr);
}

TEST(Ingest, FeedsAShellOnceWhenItsCreatingOpComes) {
  Link link;
  TestWriter creator(2);
  link.hub.enrol(creator);
  creator.write(TestWriter::creating('a'));
  link.writer.write(TestWriter::editing('a', creator.dot(1)));
  link.writer.write(TestWriter::editing('a', creator.dot(1)));
  link.send(1, 2);
  EXPECT_EQ(link.ack().notes_size(), 0);
  ASSERT_NE(link.hub.record('a'), nullptr);
  EXPECT_FALSE(link.hub.record('a')->born);
  EXPECT_TRUE(link.hub.store.state().feed_heads.empty());
  const SessionId session = link.hub.connect(creator);
  link.hub.say_batch(session, creator.batch(1, 1));
  EXPECT_TRUE(link.hub.record('a')->born);
  EXPECT_EQ(link.hub.record('a')->scope, kSchool);
  EXPECT_EQ(link.hub.feed(kSchool).through, 3u);
  EXPECT_EQ(link.hub.feed(kSchool).checksum, link.hub.record('a')->checksum);
  // A second creating op of the record is an op like any other.
  TestWriter twin(3);
  link.hub.enrol(twin);
  twin.write(TestWriter::creating('a'));
  link.hub.say_batch(link.hub.connect(twin), twin.batch(1, 1));
  EXPECT_EQ(link.hub.feed(kSchool).through, 4u);
  EXPECT_EQ(link.hub.feed(kSchool).checksum, link.hub.record('a')->checksum);
}

TEST(Ingest, StampsARankTheHubDoesNotBelieve) {
  Link link;
  sync::v1::Op op = TestWriter::creating('a');
  op.set_rank(7);
  link.writer.write(op);
  link.send(1, 1);
  ASSERT_EQ(link.ack().stamps_size(), 1);
  EXPECT_EQ(link.ack().stamps(0).rank(), 2u);
  EXPECT_EQ(link.hub.record('a')->ops.front().stamp.rank, 2u);
}

TEST(Ingest, StampsNothingTwice) {
  Link link;
  sync::v1::Op op = TestWriter::creating('a');
  op.mutable_time()->set_hlc(static_cast<std::uint64_t>(kNow + 86'400'000) << 16);  // tomorrow
  link.writer.write(op);
  link.send(1, 1);
  const OpStamp first = link.hub.record('a')->ops.front().stamp;
  EXPECT_LE(first.effective_ms, kNow + link.hub.now);
  link.hub.now += 3'600'000;
  link.send(1, 1);
  EXPECT_EQ(link.hub.record('a')->ops.front().stamp, first);
}

TEST(Ingest, AcknowledgesNothingWhenTheCommitFails) {
  Link link;
  link.writer.write(TestWriter::creating('a'));
  link.hub.store.fail_next_commit({ErrorCode::storage_failed, "disk"});
  link.send(1, 1);
  EXPECT_TRUE(link.hub.is_closed(link.session));
  EXPECT_EQ(link.hub.goodbye(link.session).reason(), sync::v1::Goodbye::REASON_BUSY);
  EXPECT_EQ(link.ack().through(), 0u);
  const SessionId again = link.hub.connect(link.writer);
  EXPECT_EQ(link.hub.welcome(again).hub_head().seq(), 0u);
  link.hub.say_batch(again, link.writer.batch(1, 1));
  EXPECT_EQ(link.hub.ack(again).through(), 1u);
  EXPECT_EQ(link.hub.record('a')->ops.size(), 1u);
}

TEST(Refill, TakesBackWhatTheHubSealedAndNothingElse) {
  Link link;
  // The hub wrote it in a life its database does not remember.
  TestWriter lost(5);
  lost.write(TestWriter::creating('h', "city/zone"));
  const std::string seal = link.hub.identity.key.sign(seal_statement(lost.dot(1), lost.ops[0]));
  const std::string forged = lost.key.sign(seal_statement(lost.dot(1), lost.ops[0]));
  for (const std::string& said : {forged, seal, seal}) {
    sync::v1::Frame frame;
    frame.mutable_refill()->set_scope("city/zone");
    sync::v1::WalkedRecord* walked = frame.mutable_refill()->add_records();
    walked->set_record_id(record_id('h').str());
    sync::v1::Batch run = lost.batch(1, 1);
    sync::v1::Stamp* stamp = run.add_stamps();
    stamp->set_first_seq(1);
    stamp->set_count(1);
    stamp->set_at_hub(true);
    stamp->set_seal(said);
    *walked->add_runs() = run;
    link.hub.say(link.session, frame);
    EXPECT_EQ(link.hub.record('h') != nullptr, said == seal);
  }
  EXPECT_EQ(link.hub.record('h')->ops.size(), 1u);
  EXPECT_TRUE(link.hub.record('h')->ops.front().stamp.at_hub);
  EXPECT_EQ(link.hub.feed("city/zone").through, 1u);
}

/// An entry of a device's audit log, as its program saves it.
sync::v1::Op audit_op(char record) {
  sync::v1::Op op = TestWriter::creating(record, "hub");
  op.set_record_type(Schema::instance().find("audit_event")->rule.type());
  op.clear_writes();
  record::v1::AuditEvent action, detail;
  action.set_action("session.sign_in");
  detail.set_detail("refused: wrong password");
  op.add_writes()->set_field(record::v1::AuditEvent::kActionFieldNumber);
  op.mutable_writes(0)->set_value(action.SerializeAsString());
  op.add_writes()->set_field(record::v1::AuditEvent::kDetailFieldNumber);
  op.mutable_writes(1)->set_value(detail.SerializeAsString());
  return op;
}

TEST(Ingest, TakesADevicesAuditLogIntoTheHubsOwn) {
  Link link;
  link.writer.write(audit_op('a'));
  link.send(1, 1);
  EXPECT_EQ(link.ack().notes_size(), 0);
  ASSERT_EQ(link.hub.store.state().audit.size(), 1u);
  const AuditEntry& told = link.hub.store.state().audit.at(1).entry;
  EXPECT_EQ(told.action, "session.sign_in");
  EXPECT_EQ(told.outcome, "refused");
  EXPECT_EQ(told.detail, "wrong password");
  EXPECT_EQ(told.actor, "wang");
  EXPECT_EQ(told.device, to_uuid_text(link.writer.id.view()));
  // It is a record at the hub, in the feed that goes to no device.
  ASSERT_NE(link.hub.record('a'), nullptr);
  EXPECT_EQ(link.hub.record('a')->scope, "hub");
  EXPECT_EQ(link.hub.feed("hub").through, 1u);
}

TEST(Ingest, TellsTheSameEntryOnceHoweverOftenItComes) {
  Link link;
  link.writer.write(audit_op('a'));
  link.send(1, 1);
  link.send(1, 1);
  EXPECT_EQ(link.hub.store.state().audit.size(), 1u);
}

TEST(Ingest, TakesNothingElseFromADeviceForWhatNeverLeavesTheHub) {
  Link link;
  link.writer.write(TestWriter::creating('b', "hub"));              // another type
  link.writer.write(audit_op('a'));                                 // an entry
  link.writer.write(TestWriter::editing('a', link.writer.dot(2)));  // a change of it
  link.writer.write(audit_op('a'));                                 // another one in its place
  link.send(1, 4);
  EXPECT_EQ(link.ack().notes_size(), 3);
  EXPECT_EQ(link.hub.store.state().audit.size(), 1u);
  EXPECT_EQ(link.hub.record('a')->ops.size(), 1u);
}

}  // namespace
}  // namespace duhui::hub
