#include "shared/sync/credentials.h"

#include <limits>

#include <gtest/gtest.h>

#include "people_records.h"

namespace duhui::api {
namespace {

constexpr const char* kWang = "u-sup-001";

class CredentialsTest : public testing::Test {
 protected:
  CredentialsTest() { people_.give_password(kWang, "dingxiang258"); }

  /// A device of the school writes this into the credential.
  void device_writes(const record::v1::CredentialSecret& secret, bool seen = true) {
    people_.records.at_hub = false;
    if (!seen) people_.records.on_another_device();
    people_.save(change_credential(kWang, kPlace, {.secret = secret}));
    people_.records.at_hub = true;
  }
  bool opens(const std::string& password) {
    const Account account = people_.account(kWang);
    return account.secret && open_seed(locked_seed(*account.secret), password).has_value();
  }

  PeopleRecords people_;
};

TEST_F(CredentialsTest, ThePasswordOpensThePersonsKey) {
  const Account account = people_.account(kWang);
  EXPECT_EQ(account.user_id, kWang);
  EXPECT_EQ(account.place, kPlace);
  EXPECT_FALSE(account.disabled);
  ASSERT_TRUE(account.secret.has_value());
  const auto seed = open_seed(locked_seed(*account.secret), "dingxiang258");
  ASSERT_TRUE(seed.has_value());
  EXPECT_EQ(SigningKey::from_seed(*seed).public_key(), account.key);
}

TEST_F(CredentialsTest, TheNewestThatThePersonSignedCounts) {
  device_writes(people_.secret(kWang, "bailian369", 2));
  EXPECT_TRUE(opens("bailian369"));
  EXPECT_FALSE(opens("dingxiang258"));
}

TEST_F(CredentialsTest, AnOldOneWrittenAgainBringsNothingBack) {
  device_writes(people_.secret(kWang, "bailian369", 2));
  device_writes(people_.secret(kWang, "dingxiang258", 1));
  EXPECT_TRUE(opens("bailian369"));
}

TEST_F(CredentialsTest, AForgedOneIsIgnoredHoweverNew) {
  auto forged = people_.secret("u-con-001", "schoolpc1", 999);
  forged.set_user_id(kWang);  // signed with the key of somebody else
  device_writes(forged);
  EXPECT_TRUE(opens("dingxiang258"));
  EXPECT_FALSE(opens("schoolpc1"));
}

TEST_F(CredentialsTest, OneOfAnotherPersonIsIgnored) {
  device_writes(people_.secret("u-con-001", "schoolpc1", 999));
  EXPECT_TRUE(opens("dingxiang258"));
}

TEST_F(CredentialsTest, EveryFieldIsSigned) {
  const auto good = people_.secret(kWang, "bailian369", 2);
  const PublicKey key = PeopleRecords::key_of(kWang);
  ASSERT_TRUE(holds(good, kWang, key));
  auto changed = good;
  changed.set_serial(3);
  EXPECT_FALSE(holds(changed, kWang, key));
  changed = good;
  changed.set_must_change(true);
  EXPECT_FALSE(holds(changed, kWang, key));
  changed = good;
  changed.set_passes(9);
  EXPECT_FALSE(holds(changed, kWang, key));
  changed = good;
  changed.set_memory_kib(200'000);
  EXPECT_FALSE(holds(changed, kWang, key));
  changed = good;
  changed.mutable_salt()->back() = static_cast<char>(changed.salt().back() ^ 1);
  EXPECT_FALSE(holds(changed, kWang, key));
  changed = good;
  changed.mutable_sealed_seed()->back() = static_cast<char>(changed.sealed_seed().back() ^ 1);
  EXPECT_FALSE(holds(changed, kWang, key));
  changed = good;
  changed.set_changed_at_ms(5);
  EXPECT_FALSE(holds(changed, kWang, key));
  changed = good;
  changed.clear_signature();
  EXPECT_FALSE(holds(changed, kWang, key));
}

TEST_F(CredentialsTest, ADeviceCannotPutItsOwnKeyInThePlaceOfThePersons) {
  people_.records.at_hub = false;
  people_.save(change_credential(kWang, kPlace, {.key = PeopleRecords::key_of("u-con-001")}));
  people_.records.at_hub = true;
  EXPECT_EQ(people_.account(kWang).key, PeopleRecords::key_of(kWang));
  EXPECT_TRUE(opens("dingxiang258"));
}

TEST_F(CredentialsTest, ADeviceCannotDisableOrEnableAnybody) {
  people_.records.at_hub = false;
  people_.save(change_credential(kWang, kPlace, {.disabled = true}));
  people_.records.at_hub = true;
  EXPECT_FALSE(people_.account(kWang).disabled);
}

TEST_F(CredentialsTest, AfterAResetTheOldPasswordIsWorthNothing) {
  const Seed seed = mint_seed(people_.random);
  const auto secret =
      make_secret(seed, {.user_id = kWang, .serial = 2, .must_change = true, .cost = kCheap},
                  "fresh-one-9", people_.random);
  ASSERT_TRUE(secret.has_value());
  people_.save(change_credential(
      kWang, kPlace, {.key = SigningKey::from_seed(seed).public_key(), .secret = *secret}));
  // A device that was away brings a change under the old key, newer by its number.
  device_writes(people_.secret(kWang, "bailian369", 7), false);
  EXPECT_TRUE(opens("fresh-one-9"));
  EXPECT_TRUE(people_.account(kWang).secret->must_change());
}

TEST_F(CredentialsTest, OfTwoChangesAtOnceTheSameOneCountsEverywhere) {
  auto first = people_.secret(kWang, "bailian369", 2);
  auto second = people_.secret(kWang, "yulan1470", 2);
  EXPECT_NE(is_newer(first, second), is_newer(second, first));
  device_writes(first);
  device_writes(second, false);
  EXPECT_EQ(opens("bailian369"), is_newer(first, second));
  EXPECT_EQ(opens("yulan1470"), is_newer(second, first));
}

TEST_F(CredentialsTest, NoNumberIsSoHighThatThePersonCannotGoOn) {
  // A machine that has heard the password signs the last number there is.
  constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();
  device_writes(people_.secret(kWang, "pinned-for-ever", kLast));
  EXPECT_TRUE(opens("dingxiang258"));
  EXPECT_EQ(people_.account(kWang).secret->serial(), 1u);
  device_writes(people_.secret(kWang, "bailian369", 2));
  EXPECT_TRUE(opens("bailian369"));
  // As high as it gets, the person's next one is newer.
  device_writes(people_.secret(kWang, "pinned-again", 2 + kSerialStepMax));
  EXPECT_TRUE(opens("pinned-again"));
  device_writes(people_.secret(kWang, "yulan1470", 3 + kSerialStepMax));
  EXPECT_TRUE(opens("yulan1470"));
}

TEST_F(CredentialsTest, WhichOneCountsDoesNotDependOnTheOrderTheyCame) {
  const auto leap = people_.secret(kWang, "one-1111", 2 + 2 * kSerialStepMax);
  const auto bridge = people_.secret(kWang, "two-2222", 2 + kSerialStepMax);
  device_writes(leap);
  EXPECT_TRUE(opens("dingxiang258"));
  device_writes(people_.secret(kWang, "bailian369", 2), false);
  EXPECT_TRUE(opens("bailian369"));
  device_writes(bridge, false);
  EXPECT_TRUE(opens("one-1111"));
}

TEST_F(CredentialsTest, GarbageIsNotASecret) {
  people_.records.at_hub = false;
  Intent intent = change_credential(kWang, kPlace, {});
  record::v1::Credential part;
  part.set_secret("\xff\xff not a message");
  intent.writes.push_back({{kSecretField, {}}, part.SerializeAsString()});
  people_.save(std::move(intent));
  people_.records.at_hub = true;
  EXPECT_TRUE(opens("dingxiang258"));
}

TEST_F(CredentialsTest, OtherRecordsAreNoAccounts) {
  const auto state = people_.records.state(registry_record_id("user", kWang));
  ASSERT_TRUE(state && *state);
  EXPECT_FALSE(read_account(**state).has_value());
}

}  // namespace
}  // namespace duhui::api
