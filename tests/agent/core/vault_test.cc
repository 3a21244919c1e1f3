#include "agent/core/vault.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "duhui/record/v1/visit.pb.h"
#include "shared/base/bytes.h"
#include "shared/crypto/digest.h"
#include "shared/crypto/sealing.h"
#include "shared/sync/locked_op.h"
#include "tests/agent/core/test_device.h"
#include "tests/support/memory_blob_store.h"

namespace duhui::agent {
namespace {

using record::v1::VisitRecord;

/// A school's PC that a supervisor works at.
class VaultTest : public testing::Test {
 protected:
  VaultTest() {
    sync::v1::Vault::Keeper* keeper = vault.add_keepers();
    keeper->set_user_id("wang");
    keeper->set_public_key(wang.public_key().str());
    keeper->set_sealed_key(*seal(wang.public_key(), key().view()));
  }

  VaultKey key() const { return VaultKey::of_device(hub, device.identity.id); }
  void supervisor_comes() {
    ASSERT_TRUE(device.replica->keep_vault(vault));
    ASSERT_TRUE(device.replica->unlock_vault(wang));
  }

  Status save(char record, const VisitRecord& content, bool sees_all = false) {
    const RecordSchema& schema = *Schema::instance().find("visit_record");
    Intent intent = device.intent(record, "");
    intent.type = schema.rule.type();
    intent.writes.clear();
    intent.sees_all = sees_all;
    const auto fragments = split(schema, content);
    if (!fragments) return fragments.error();
    for (const Fragment& one : *fragments) intent.writes.push_back({one.key, one.value});
    auto saved = device.replica->save({intent}, device.clock());
    return saved ? Status(Done{}) : Status(saved.error());
  }
  Status narrate(char record, const std::string& text) {
    VisitRecord content;
    (*content.mutable_narrative())["wang"] = text;
    return save(record, content);
  }
  Status submit(char record) {
    VisitRecord content;
    content.add_status_events()->set_to(record::v1::VISIT_STATUS_SUBMITTED);
    return save(record, content, true);
  }

  bool knows(char record) {
    auto state = device.replica->record(record_id(record));
    EXPECT_TRUE(state);
    return state && *state && (*state)->stage() == RecordState::Stage::born;
  }
  std::string narrative(char record) {
    auto state = device.replica->record(record_id(record));
    if (!state || !*state) return {};
    const Register* reg = (*state)->find({VisitRecord::kNarrativeFieldNumber, "wang"});
    VisitRecord shown;
    if (reg == nullptr || reg->live.empty() || !shown.ParseFromString(*reg->live[0].value)) {
      return {};
    }
    return shown.narrative().at("wang");
  }
  bool on_disk(const std::string& text) const {
    const auto& values = device.disk.values;
    const bool in_values = std::ranges::any_of(
        values, [&](const auto& one) { return one.second.find(text) != std::string::npos; });
    return in_values ||
           std::ranges::any_of(device.disk.journal, [&](const MemoryDisk::JournalEntry& one) {
             return one.op.find(text) != std::string::npos;
           });
  }

  TestDevice device{11};
  SigningKey hub = SigningKey::generate(device.random);
  SigningKey wang = SigningKey::generate(device.random);
  sync::v1::Vault vault;
};

TEST_F(VaultTest, WithoutKeepersNothingIsLocked) {
  ASSERT_TRUE(narrate('a', "a draft"));
  EXPECT_EQ(device.replica->vault_state(), Vault::State::none);
  EXPECT_TRUE(on_disk("a draft"));
}

TEST_F(VaultTest, ADraftIsReadableOnlyWhileASupervisorIsHere) {
  supervisor_comes();
  ASSERT_TRUE(narrate('a', "a draft of hers"));
  EXPECT_EQ(narrative('a'), "a draft of hers");
  EXPECT_FALSE(on_disk("a draft of hers"));

  device.replica->lock_vault();
  EXPECT_EQ(device.replica->vault_state(), Vault::State::locked);
  EXPECT_FALSE(knows('a'));
  device.open();  // the PC was switched off
  EXPECT_EQ(device.replica->vault_state(), Vault::State::locked);
  EXPECT_FALSE(knows('a'));
  ASSERT_TRUE(device.replica->unlock_vault(wang));
  EXPECT_EQ(narrative('a'), "a draft of hers");
}

TEST_F(VaultTest, NobodyElseOpensIt) {
  supervisor_comes();
  device.replica->lock_vault();
  const SigningKey stranger = SigningKey::generate(device.random);
  const auto opened = device.replica->unlock_vault(stranger);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::not_found);
  EXPECT_EQ(device.replica->vault_state(), Vault::State::locked);
}

TEST_F(VaultTest, WhatWasTypedBeforeIsPutAwayAtTheFirstOpening) {
  ASSERT_TRUE(narrate('a', "typed early"));
  ASSERT_TRUE(device.replica->acknowledged(ack_of(device, 1)));  // out of the journal, too
  device.disk.journal.clear();
  ASSERT_TRUE(on_disk("typed early"));
  supervisor_comes();
  EXPECT_FALSE(on_disk("typed early"));
  EXPECT_EQ(narrative('a'), "typed early");
}

TEST_F(VaultTest, SubmittingOpensItToTheSchoolWithoutTheScores) {
  supervisor_comes();
  ASSERT_TRUE(narrate('a', "what was seen"));
  VisitRecord scored;
  auto* score = scored.add_scores();
  score->set_item_code("SCORED-ITEM");
  score->set_author("wang");
  score->mutable_value()->set_number(61.5);
  ASSERT_TRUE(save('a', scored));
  EXPECT_FALSE(on_disk("what was seen"));
  ASSERT_TRUE(submit('a'));
  device.replica->lock_vault();
  EXPECT_TRUE(knows('a'));
  EXPECT_EQ(narrative('a'), "what was seen");
  EXPECT_FALSE(on_disk("SCORED-ITEM"));
  auto state = device.replica->record(record_id('a'));
  for (const auto& [register_key, reg] : (*state)->registers()) {
    EXPECT_NE(static_cast<int>(register_key.field), VisitRecord::kScoresFieldNumber);
  }
}

TEST_F(VaultTest, ChainsAndChecksumsAreThoseOfTheOpsThemselves) {
  supervisor_comes();
  ASSERT_TRUE(narrate('a', "one"));
  ASSERT_TRUE(narrate('a', "two"));
  const auto open = device.replica->own_ops(1, 1 << 20, 10);
  ASSERT_TRUE(open && open->size() == 2);
  std::string chain = empty_chain();
  for (const Replica::OwnOp& own : *open) {
    EXPECT_TRUE(is_locked(own.op));
    const std::string exact = device.replica->as_readable(own.op);
    EXPECT_FALSE(is_locked(exact));
    chain = extend_chain(chain, exact);
    EXPECT_EQ(own.chain, chain);
  }
  const std::uint64_t sum = device.replica->scopes().at(kScope).checksum();
  device.replica->lock_vault();
  device.open(true);  // salvaged: everything is counted again, without the key
  EXPECT_EQ(device.replica->scopes().at(kScope).checksum(), sum);
  EXPECT_EQ(device.head(), 2u);
}

TEST_F(VaultTest, TheSameMarkLooksDifferentEachTime) {
  supervisor_comes();
  ASSERT_TRUE(narrate('a', "7"));
  ASSERT_TRUE(narrate('b', "7"));
  const auto ops = device.replica->own_ops(1, 1 << 20, 10);
  sync::v1::Op first, second;
  ASSERT_TRUE(first.ParseFromString(device.replica->as_readable((*ops)[0].op)));
  ASSERT_TRUE(second.ParseFromString(device.replica->as_readable((*ops)[1].op)));
  EXPECT_EQ(first.salt().size(), 8u);
  EXPECT_NE(first.salt(), second.salt());
}

TEST_F(VaultTest, WhatIsLockedIsSentAsItIsAndInTheOpenOnceItCanBeRead) {
  supervisor_comes();
  ASSERT_TRUE(narrate('a', "a draft"));
  const std::string kept = (*device.replica->own_ops(1, 1 << 20, 10))[0].op;
  device.replica->lock_vault();
  EXPECT_EQ(device.replica->as_readable(kept), kept);
  const auto exact = open_op(key(), kept);  // the hub's side
  ASSERT_TRUE(exact);
  ASSERT_TRUE(device.replica->unlock_vault(wang));
  EXPECT_EQ(device.replica->as_readable(kept), *exact);
}

TEST_F(VaultTest, AFileThatCameWhileItWasLockedIsPutAwayWhenItIsOpened) {
  MemoryBlobStore files;
  MemoryBlobStore locked;
  locked.locked = true;
  device.replica->keep_files(files, locked);
  supervisor_comes();
  const std::string photo = "what the school may not see yet";
  VisitRecord content;
  record::v1::Attachment& attachment = *content.add_attachments();
  attachment.set_id("p1");
  attachment.set_sha256(to_hex(sha256(photo).view()));
  attachment.set_size(photo.size());
  ASSERT_TRUE(save('a', content));
  device.replica->lock_vault();
  const BlobName name{sha256(photo), photo.size(), record_id('a')};
  ASSERT_TRUE(files.write_chunk(name, 0, photo));
  ASSERT_TRUE(files.finish(name).value());
  ASSERT_TRUE(device.replica->put_away_fetched(name));
  ASSERT_TRUE(device.replica->unlock_vault(wang));
  EXPECT_FALSE(files.whole.contains(name.sha256));
  EXPECT_TRUE(locked.whole.contains(name.sha256));
}

TEST_F(VaultTest, AForkedStreamWithLockedOpsWaitsForASupervisor) {
  supervisor_comes();
  ASSERT_TRUE(narrate('a', "one"));
  ASSERT_TRUE(narrate('a', "two"));
  device.replica->lock_vault();
  const Origin before = device.replica->origin();
  const auto waits = device.replica->reincarnate(0);
  ASSERT_FALSE(waits);
  EXPECT_EQ(waits.error().code, ErrorCode::unavailable);
  EXPECT_EQ(device.replica->origin(), before);
  EXPECT_EQ(device.head(), 2u);

  ASSERT_TRUE(device.replica->unlock_vault(wang));
  ASSERT_TRUE(device.replica->reincarnate(0));
  EXPECT_NE(device.replica->origin(), before);
  EXPECT_EQ(narrative('a'), "two");
  EXPECT_FALSE(on_disk("two"));
}

TEST_F(VaultTest, AJournalBringsLockedOpsBackWithoutTheKey) {
  supervisor_comes();
  ASSERT_TRUE(narrate('a', "one"));
  ASSERT_TRUE(narrate('a', "two"));
  device.disk.values.clear();  // the database is gone
  device.open();
  EXPECT_EQ(device.head(), 2u);
  ASSERT_TRUE(device.replica->keep_vault(vault));
  EXPECT_FALSE(knows('a'));
  ASSERT_TRUE(device.replica->unlock_vault(wang));
  EXPECT_EQ(narrative('a'), "two");
}

/// The school's PC got a draft locked; its submission comes in the open.
TEST_F(VaultTest, AsksForARecordThatTheSchoolMayReadFromNowOn) {
  TestDevice laptop(12);
  const RecordSchema& schema = *Schema::instance().find("visit_record");
  VisitRecord content;
  (*content.mutable_narrative())["wang"] = "what was seen";
  Intent intent = laptop.intent('a', "");
  intent.type = schema.rule.type();
  intent.writes.clear();
  const auto written = split(schema, content);
  for (const Fragment& one : *written) {
    intent.writes.push_back({one.key, one.value});
  }
  ASSERT_TRUE(laptop.replica->save({intent}, laptop.clock()));
  ASSERT_TRUE(device.replica->keep_vault(vault));

  const auto own = laptop.replica->own_ops(1, 1 << 20, 1);
  sync::v1::Op op;
  ASSERT_TRUE(op.ParseFromString((*own)[0].op));
  const auto page = [&](const std::string& kept, std::uint64_t after) {
    sync::v1::Batch run;
    PayloadCodec codec;
    run.set_origin(laptop.replica->origin().str());
    run.set_first_seq(1);
    codec.pack({kept}, kEveryPacking, &run);
    return page_of({std::move(run)}, after);
  };
  const std::string locked = lock_op(key(), (*own)[0].op, op, {}, device.random);
  ASSERT_TRUE(device.replica->apply(page(locked, 0)));
  EXPECT_FALSE(knows('a'));
  EXPECT_TRUE(device.replica->half_open()->empty());
  const std::uint64_t sum = device.replica->scopes().at(kScope).checksum();

  VisitRecord submission;
  submission.add_status_events()->set_to(record::v1::VISIT_STATUS_SUBMITTED);
  intent.creates = false;
  intent.scope.clear();
  intent.writes.clear();
  const auto handed_in = split(schema, submission);
  for (const Fragment& one : *handed_in) {
    intent.writes.push_back({one.key, one.value});
  }
  ASSERT_TRUE(laptop.replica->save({intent}, laptop.clock()));
  ASSERT_TRUE(device.replica->apply(page_of({run_of(laptop, 2, 2)}, 1)));
  const auto asked = device.replica->half_open();
  ASSERT_TRUE(asked && asked->size() == 1);
  EXPECT_EQ((*asked)[0].id, record_id('a'));
  EXPECT_EQ((*asked)[0].scope, kScope);

  // A hub whose database was put back has not heard of the submission: it says nothing for good.
  google::protobuf::RepeatedPtrField<sync::v1::WalkedRecord> unaware;
  unaware.Add()->set_record_id(record_id('a').str());
  *unaware[0].add_runs() = page(locked, 0).runs(0);
  ASSERT_TRUE(device.replica->apply(kScope, unaware));
  EXPECT_EQ(device.replica->half_open()->size(), 1u);

  google::protobuf::RepeatedPtrField<sync::v1::WalkedRecord> answer;
  answer.Add()->set_record_id(record_id('a').str());
  *answer[0].add_runs() = run_of(laptop, 1, 2);
  ASSERT_TRUE(device.replica->apply(kScope, answer));
  EXPECT_TRUE(knows('a'));
  EXPECT_EQ(narrative('a'), "what was seen");
  EXPECT_TRUE(device.replica->half_open()->empty());
  EXPECT_NE(device.replica->scopes().at(kScope).checksum(), sum);
  // What was open is not locked again by an old page.
  ASSERT_TRUE(device.replica->apply(kScope, answer));
  google::protobuf::RepeatedPtrField<sync::v1::WalkedRecord> old;
  old.Add()->set_record_id(record_id('a').str());
  *old[0].add_runs() = page(locked, 0).runs(0);
  ASSERT_TRUE(device.replica->apply(kScope, old));
  EXPECT_EQ(narrative('a'), "what was seen");
}

/// What came first without the hub's seal takes it from a later copy.
TEST_F(VaultTest, KeepsTheSealThatComesLater) {
  TestDevice hub_side(13);
  ASSERT_TRUE(hub_side.save('a', "of the hub"));
  sync::v1::FeedPage page = page_of({run_of(hub_side, 1, 1)}, 0);
  sync::v1::Stamp* stamp = page.mutable_runs(0)->add_stamps();
  stamp->set_first_seq(1);
  stamp->set_count(1);
  stamp->set_quality(sync::v1::TIME_QUALITY_GOOD);
  stamp->set_at_hub(true);
  google::protobuf::RepeatedPtrField<sync::v1::WalkedRecord> answer;
  answer.Add()->set_record_id(record_id('a').str());
  *answer[0].add_runs() = page.runs(0);
  ASSERT_TRUE(device.replica->apply(kScope, answer));
  stamp->set_seal("sealed");
  ASSERT_TRUE(device.replica->apply(page));
  sync::v1::RangeAnswer nothing;
  nothing.set_scope(kScope);
  nothing.set_low(std::string(16, '\0'));
  nothing.set_high(std::string(16, '\xff'));
  const auto offer = device.replica->sealed_beyond(nothing);
  ASSERT_TRUE(offer);
  ASSERT_EQ(offer->records_size(), 1);
  EXPECT_EQ(offer->records(0).runs(0).stamps(0).seal(), "sealed");
}

}  // namespace
}  // namespace duhui::agent
