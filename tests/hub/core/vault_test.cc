// What the hub sends a device locked, for whom, and how it opens what a device sends locked.

#include <gtest/gtest.h>

#include "duhui/record/v1/org.pb.h"
#include "shared/crypto/registry_id.h"
#include "shared/crypto/sealing.h"
#include "shared/crypto/vault_key.h"
#include "shared/merge/schema.h"
#include "shared/sync/credentials.h"
#include "shared/sync/locked_op.h"
#include "tests/hub/core/test_hub.h"

namespace duhui::hub {
namespace {

using record::v1::Role;

class HubVaultTest : public testing::Test {
 protected:
  HubVaultTest() { hub.enrol(school, {kSchool}); }

  void save(std::vector<Intent> intents) {
    for (Intent& intent : intents) intent.person = "office";
    auto job = hub.core.save(std::move(intents), {kNow});
    StorageContext context{hub.store, hub.ops, hub.rules, hub.random, hub.identity.key};
    job->run(context);
    ASSERT_FALSE(job->failed) << to_string(*job->failed);
    hub.perform(hub.core.job_done(std::move(job), {kNow}, {0}));
  }
  Intent user(const std::string& id, Role role) {
    record::v1::User content;
    content.set_id(id);
    content.set_role(role);
    const RecordSchema& schema = *Schema::instance().find("user");
    Intent intent;
    intent.record = registry_record_id("user", id);
    intent.type = schema.rule.type();
    intent.creates = true;
    intent.scope = "city";
    const auto fragments = split(schema, content);
    for (const Fragment& one : *fragments) {
      intent.writes.push_back({one.key, one.value});
    }
    return intent;
  }
  Intent account(const std::string& id, const SigningKey& key, bool disabled = false) {
    return create_credential(id, kSchool,
                             {.key = key.public_key(),
                              .disabled = disabled ? std::optional(true) : std::nullopt,
                              .secret = {}});
  }
  void employ_wang() {
    save({user("wang", record::v1::ROLE_RESPONSIBLE_SUPERVISOR), account("wang", wang)});
  }
  VaultKey key() const { return VaultKey::of_device(hub.identity.key, school.id); }

  std::vector<std::string> ops_of(const sync::v1::Batch& run) {
    PayloadCodec codec;
    raw = *codec.unpack(packed_ops(run));
    const auto views = *PayloadCodec::split(raw, run.count());
    return {views.begin(), views.end()};
  }

  TestHub hub;
  TestWriter school{1};
  TestWriter laptop{2};
  SigningKey wang = SigningKey::generate(hub.random);
  std::string raw;
};

TEST_F(HubVaultTest, GivesTheKeyToSupervisorsWithAnAccountThere) {
  const SigningKey principal = SigningKey::generate(hub.random);
  const SigningKey gone = SigningKey::generate(hub.random);
  employ_wang();
  save({user("ms-li", record::v1::ROLE_PRINCIPAL), account("ms-li", principal),
        user("zhao", record::v1::ROLE_CO_SUPERVISOR), account("zhao", gone, true),
        account("nobody", SigningKey::generate(hub.random))});
  const auto welcome = hub.welcome(hub.connect(school));
  std::map<std::string, sync::v1::Vault::Keeper> keepers;
  for (const auto& one : welcome.vault().keepers()) keepers[one.user_id()] = one;
  ASSERT_EQ(keepers.size(), 2u);
  EXPECT_EQ(keepers.at("zhao").sealed_key(), "");  // the account is disabled
  const auto& keeper = keepers.at("wang");
  const auto bytes = unseal(wang, keeper.sealed_key());
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, key().view());
  EXPECT_FALSE(unseal(principal, keeper.sealed_key()));
}

TEST_F(HubVaultTest, GivesTheKeyToWhoHasAnAccountForAllThatIsAboveIt) {
  const SigningKey officer = SigningKey::generate(hub.random);
  const SigningKey elsewhere = SigningKey::generate(hub.random);
  Intent above =
      create_credential("sun", "city", {.key = officer.public_key(), .disabled = {}, .secret = {}});
  Intent beside = create_credential("qian", "city/zone/other",
                                    {.key = elsewhere.public_key(), .disabled = {}, .secret = {}});
  save({user("sun", record::v1::ROLE_DISTRICT_OFFICER), std::move(above),
        user("qian", record::v1::ROLE_DISTRICT_OFFICER), std::move(beside)});
  const auto welcome = hub.welcome(hub.connect(school));
  ASSERT_EQ(welcome.vault().keepers_size(), 1);
  EXPECT_EQ(welcome.vault().keepers(0).user_id(), "sun");
}

TEST_F(HubVaultTest, WithoutSuchPeopleThereIsNoVault) {
  EXPECT_FALSE(hub.welcome(hub.connect(school)).has_vault());
}

TEST_F(HubVaultTest, ARevokedDeviceIsGivenNoKey) {
  employ_wang();
  ASSERT_TRUE(hub.store.write([&](HubTransaction& tx) -> Status {
    DUHUI_TRY(row, tx.devices().get(school.id));
    row->revoked = true;
    return tx.devices().put(*row);
  }));
  EXPECT_FALSE(hub.welcome(hub.connect(school)).has_vault());
}

TEST_F(HubVaultTest, GoesOnLockingWhenTheLastWhoCouldOpenItIsDisabled) {
  employ_wang();
  const SessionId session = hub.connect(school);
  save({change_credential("wang", kSchool, {.key = {}, .disabled = true, .secret = {}})});
  const auto vault = hub.last(session, sync::v1::Frame::kVault).vault();
  ASSERT_EQ(vault.keepers_size(), 1);
  EXPECT_EQ(vault.keepers(0).sealed_key(), "");
}

TEST_F(HubVaultTest, SendsWhatTheSchoolMayNotReadLocked) {
  employ_wang();
  hub.enrol(laptop, {"city/zone"});
  const SessionId writer = hub.connect(laptop);
  laptop.write(TestWriter::creating('a'));  // an annual plan
  sync::v1::Op open = TestWriter::creating('b');
  open.set_record_type(Schema::instance().find("calendar")->rule.type());
  laptop.write(open);
  hub.say_batch(writer, laptop.batch(1, 2));

  const SessionId reader = hub.connect(school);
  std::vector<std::string> got;
  for (const sync::v1::Frame& frame : hub.heard[reader]) {
    for (const sync::v1::Batch& run : frame.feed_page().runs()) {
      if (run.origin() != laptop.origin.view()) continue;
      for (std::string& op : ops_of(run)) got.push_back(std::move(op));
    }
  }
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(openness(got[0]), Openness::nothing);
  EXPECT_EQ(got[0].find("text a"), std::string::npos);
  EXPECT_EQ(*open_op(key(), got[0]), laptop.ops[0]);
  EXPECT_EQ(got[1], laptop.ops[1]);
}

TEST_F(HubVaultTest, AnswersAboutRangesAreLockedLikewise) {
  employ_wang();
  hub.enrol(laptop, {"city/zone"});
  laptop.write(TestWriter::creating('a'));
  hub.say_batch(hub.connect(laptop), laptop.batch(1, 1));
  const SessionId reader = hub.connect(school);
  sync::v1::Frame ask;
  ask.mutable_range_request()->set_scope(kSchool);
  ask.mutable_range_request()->set_low(record_id('a').str());
  ask.mutable_range_request()->set_high(record_id('a').str());
  hub.say(reader, ask);
  const auto answer = hub.last(reader, sync::v1::Frame::kRangeAnswer).range_answer();
  ASSERT_EQ(answer.records_size(), 1);
  EXPECT_TRUE(is_locked(ops_of(answer.records(0).runs(0))[0]));
}

TEST_F(HubVaultTest, OpensWhatADeviceSendsLocked) {
  employ_wang();
  const SessionId session = hub.connect(school);
  const sync::v1::Op op = TestWriter::creating('a');
  school.write(op);
  school.write(TestWriter::editing('a', school.dot(1)));
  const std::string exact = school.ops[0];
  school.ops[0] = lock_op(key(), exact, op, {}, hub.random);
  hub.say_batch(session, school.batch(1, 2));
  EXPECT_EQ(hub.ack(session).through(), 2u);
  ASSERT_NE(hub.record('a'), nullptr);
  EXPECT_TRUE(hub.record('a')->born);
  ASSERT_TRUE(hub.store.read([&](HubTransaction& tx) -> Status {
    OpReader fresh(1 << 20);  // from what is stored, not from what is kept in memory
    DUHUI_TRY(bytes, fresh.op(tx, school.dot(1)));
    EXPECT_EQ(bytes, exact);
    return Done{};
  }));
}

TEST_F(HubVaultTest, RefusesWhatAnotherDeviceLocked) {
  employ_wang();
  const SessionId session = hub.connect(school);
  const sync::v1::Op op = TestWriter::creating('a');
  school.write(op);
  school.ops[0] =
      lock_op(VaultKey::of_device(hub.identity.key, laptop.id), school.ops[0], op, {}, hub.random);
  hub.say_batch(session, school.batch(1, 1));
  EXPECT_TRUE(hub.is_closed(session));
  EXPECT_NE(hub.goodbye(session).detail().find("vault"), std::string::npos);
  EXPECT_EQ(hub.record('a'), nullptr);
}

TEST_F(HubVaultTest, TakesItsOwnOpsBackFromADeviceThatHoldsThemLocked) {
  employ_wang();
  const SessionId session = hub.connect(school);
  school.write(TestWriter::creating('a'));
  hub.say_batch(session, school.batch(1, 1));
  const MemoryHubState before = hub.store.state();
  Intent edit;
  edit.record = record_id('a');
  edit.type = 9;
  edit.writes = {{{3, {}}, std::string("by the office")}};
  save({std::move(edit)});
  sync::v1::Frame offer;
  sync::v1::WalkedRecord* walked = offer.mutable_refill()->add_records();
  offer.mutable_refill()->set_scope(kSchool);
  walked->set_record_id(record_id('a').str());
  for (const sync::v1::Frame& frame : hub.heard[session]) {
    for (const sync::v1::Batch& run : frame.feed_page().runs()) {
      if (frame.feed_page().scope() != kSchool || run.origin() == school.origin.view()) continue;
      if (is_locked(ops_of(run)[0])) *walked->add_runs() = run;
    }
  }
  ASSERT_EQ(walked->runs_size(), 1);
  hub.store.restore(before);
  hub.ops.clear();
  const SessionId again = hub.connect(school);
  EXPECT_EQ(hub.record('a')->ops.size(), 1u);
  hub.say(again, offer);
  EXPECT_EQ(hub.record('a')->ops.size(), 2u);
}

TEST_F(HubVaultTest, TellsALiveDeviceOfANewKeeperBeforeTheirAccountComes) {
  employ_wang();
  const SessionId session = hub.connect(school);
  hub.heard[session].clear();
  const SigningKey sun = SigningKey::generate(hub.random);
  save({user("sun", record::v1::ROLE_RESPONSIBLE_SUPERVISOR), account("sun", sun)});
  int vault_at = -1, page_at = -1;
  for (std::size_t n = 0; n < hub.heard[session].size(); ++n) {
    const sync::v1::Frame& frame = hub.heard[session][n];
    if (frame.has_vault()) vault_at = static_cast<int>(n);
    if (frame.has_feed_page() && frame.feed_page().scope() == kSchool)
      page_at = static_cast<int>(n);
  }
  ASSERT_GE(vault_at, 0);
  EXPECT_GT(page_at, vault_at);
  EXPECT_EQ(hub.last(session, sync::v1::Frame::kVault).vault().keepers_size(), 2);
}

TEST_F(HubVaultTest, ANewPasswordAloneChangesNoKeeper) {
  employ_wang();
  const SessionId session = hub.connect(school);
  hub.heard[session].clear();
  save({change_credential("wang", kSchool, {.key = {}, .disabled = false, .secret = {}})});
  EXPECT_FALSE(hub.last(session, sync::v1::Frame::kVault).has_vault());
}

}  // namespace
}  // namespace duhui::hub
