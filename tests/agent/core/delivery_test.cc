// What a device says of a record: saved, delivered, merged - by the hub's signature and by nothing
// else.

#include "agent/core/delivery.h"

#include "shared/crypto/signing.h"
#include "tests/agent/core/scripted_hub.h"

namespace duhui::agent {
namespace {

using Stage = Delivery::Stage;

struct SigningHub : Script {
  explicit SigningHub(std::string records = {}) : Script(5, std::move(records)) {
    key = SigningKey::generate(device.random);
    id = HubId::random(device.random);
  }
  sync::v1::Welcome signed_welcome(std::uint64_t seq) {
    sync::v1::Welcome said = welcome(seq);
    said.set_hub_id(id.str());
    said.set_hub_key(key.public_key().str());
    return said;
  }
  void live(std::uint64_t acknowledged = 0) {
    up();
    hear(signed_welcome(acknowledged));
    ASSERT_EQ(session->state(), SyncSession::State::live);
  }
  sync::v1::Ack signed_ack(std::uint64_t through) {
    sync::v1::Ack ack = ack_of(device, through);
    sync::v1::Receipt& receipt = *ack.mutable_receipt();
    receipt.set_hub_id(id.str());
    receipt.set_origin(ack.origin());
    receipt.set_seq(through);
    receipt.set_chain(ack.chain());
    receipt.set_hub_time_ms(kStart + 1000);
    receipt.set_signature(key.sign(receipt_statement(id, Dot{device.replica->origin(), through},
                                                     ack.chain(), receipt.hub_time_ms())));
    return ack;
  }
  Delivery delivery(char record) {
    const auto state = device.replica->record(record_id(record));
    EXPECT_TRUE(state && *state);
    auto found = device.replica->delivery(record_id(record), **state);
    EXPECT_TRUE(found);
    return *found;
  }
  static void note(sync::v1::Ack& ack, std::uint64_t seq, const std::string& detail) {
    sync::v1::Note& note = *ack.add_notes();
    note.set_seq(seq);
    note.set_kind(sync::v1::Note::KIND_QUARANTINED);
    note.set_detail(detail);
  }

  SigningKey key = SigningKey::generate(device.random);
  HubId id;
};

TEST(Delivery, ARecordIsSavedBeforeAndMergedAfterTheReceipt) {
  SigningHub hub("ab");
  EXPECT_EQ(hub.delivery('a').stage, Stage::saved);
  EXPECT_EQ(hub.delivery('a').unsent, 1u);
  hub.live();
  hub.hear(hub.signed_ack(1));
  EXPECT_EQ(hub.delivery('a').stage, Stage::merged);
  ASSERT_TRUE(hub.delivery('a').receipt);
  EXPECT_EQ(hub.delivery('a').receipt->seq(), 1u);
  EXPECT_EQ(hub.delivery('b').stage, Stage::saved);
  EXPECT_FALSE(hub.delivery('b').receipt);
  EXPECT_EQ(hub.device.replica->traffic().counters().op_receipts, 1u);
  // It survives a restart.
  hub.session.reset();
  hub.device.open();
  EXPECT_EQ(hub.delivery('a').stage, Stage::merged);
  ASSERT_TRUE(hub.device.save('a', "more"));
  EXPECT_EQ(hub.delivery('a').stage, Stage::saved);
}

TEST(Delivery, AnAckThatNobodySignedDeliversNothing) {
  SigningHub hub("a");
  hub.live();
  hub.hear(ack_of(hub.device, 1));
  EXPECT_EQ(hub.device.acknowledged(), 1u);
  EXPECT_EQ(hub.delivery('a').stage, Stage::saved);
  sync::v1::Ack forged = hub.signed_ack(1);
  forged.mutable_receipt()->set_hub_time_ms(kStart + 9);
  hub.hear(forged);
  EXPECT_EQ(hub.delivery('a').stage, Stage::saved);
  EXPECT_EQ(hub.device.replica->traffic().counters().op_receipts, 0u);
}

TEST(Delivery, AHubThatForgotWhatItHadAcknowledgedDeliversItNoMore) {
  SigningHub hub("ab");
  hub.live();
  hub.hear(hub.signed_ack(2));
  ASSERT_EQ(hub.delivery('b').stage, Stage::merged);
  hub.connect();
  hub.up();
  sync::v1::Welcome older = hub.signed_welcome(1);
  older.set_epoch(8);
  hub.hear(older);
  EXPECT_EQ(hub.delivery('a').stage, Stage::merged);
  EXPECT_EQ(hub.delivery('b').stage, Stage::saved);
}

TEST(Delivery, WhatTheHubPutAsideIsDeliveredAndNotMerged) {
  SigningHub hub("ab");
  hub.live();
  sync::v1::Ack ack = hub.signed_ack(2);
  SigningHub::note(ack, 2, "forbidden");
  hub.hear(ack);
  EXPECT_EQ(hub.delivery('a').stage, Stage::merged);
  Delivery aside = hub.delivery('b');
  EXPECT_EQ(aside.stage, Stage::delivered);
  ASSERT_EQ(aside.held.size(), 1u);
  EXPECT_EQ(aside.held[0].what.detail(), "forbidden");
  hub.session.reset();
  hub.device.open();
  EXPECT_EQ(hub.delivery('b').stage, Stage::delivered);
  // A person let it in: the hub's record has all of it.
  sync::v1::WalkedRecord walked;
  walked.set_record_id(record_id('b').str());
  *walked.add_runs() = run_of(hub.device, 2, 2);
  google::protobuf::RepeatedPtrField<sync::v1::WalkedRecord> answer;
  *answer.Add() = walked;
  ASSERT_TRUE(hub.device.replica->apply(kScope, answer));
  EXPECT_EQ(hub.delivery('b').stage, Stage::merged);
}

TEST(Delivery, TheSameSumAsTheHubsMeansThatAllOfItIsMerged) {
  SigningHub hub("a");
  hub.live();
  sync::v1::Ack ack = hub.signed_ack(1);
  SigningHub::note(ack, 1, "orphan");
  hub.hear(ack);
  ASSERT_EQ(hub.delivery('a').stage, Stage::delivered);
  sync::v1::FeedPage page = page_of({}, 0);
  page.set_through(1);
  page.set_at_head(true);
  page.set_checksum(hub.device.replica->scopes().at(kScope).checksum() + 1);
  hub.hear(page);
  EXPECT_EQ(hub.delivery('a').stage, Stage::delivered);
  page = page_of({}, 1);
  page.set_through(2);
  page.set_at_head(true);
  page.set_checksum(hub.device.replica->scopes().at(kScope).checksum());
  hub.hear(page);
  EXPECT_EQ(hub.delivery('a').stage, Stage::merged);
}

TEST(Delivery, AnEarlierStreamKeepsItsReceipt) {
  SigningHub hub("ab");
  hub.live();
  hub.hear(hub.signed_ack(1));
  ASSERT_TRUE(hub.device.replica->reincarnate(2));
  // The hub said that it has the second as well; it did not sign for it.
  EXPECT_EQ(hub.delivery('a').stage, Stage::merged);
  EXPECT_EQ(hub.delivery('b').stage, Stage::saved);
  EXPECT_EQ(hub.delivery('b').said, 1u);
}

TEST(Delivery, OfOthersThereIsNothingToDeliver) {
  SigningHub hub;
  TestDevice other(9);
  other.save_all("z");
  ASSERT_TRUE(hub.device.replica->apply(page_of({run_of(other, 1, 1)}, 0)));
  EXPECT_EQ(hub.delivery('z').stage, Stage::from_hub);
  ASSERT_TRUE(hub.device.save('z', "ours"));
  EXPECT_EQ(hub.delivery('z').stage, Stage::saved);
  EXPECT_EQ(hub.delivery('z').own, 1u);
}

}  // namespace
}  // namespace duhui::agent
