#include "shared/sync/key_history.h"

#include <gtest/gtest.h>

#include "shared/crypto/ticket.h"
#include "shared/crypto/tls_key.h"
#include "shared/net/tls_identity.h"

namespace duhui {
namespace {

constexpr WallTime kAt{1'760'000'000'000};

net::TlsIdentity key() { return net::make_tls_identity("hub").value(); }

/// A hub that had four keys.
struct Rotated {
  Rotated() {
    for (std::size_t n = 0; n + 1 < keys.size(); ++n) {
      *history.add_statements() = state_new_key(hub, keys[n].pem, keys[n + 1].pin, kAt).value();
    }
  }
  Status follow(std::string_view pinned, const Digest& presented, std::string_view id = {}) const {
    return follow_keys(history, id, pinned, presented);
  }

  SeededRandom random{1};
  HubId hub = HubId::random(random);
  std::vector<net::TlsIdentity> keys{key(), key(), key(), key()};
  sync::v1::KeyHistory history;
};

TEST(TlsKey, SignsAndVerifiesAndItsDigestIsThePin) {
  const net::TlsIdentity one = key();
  const auto public_key = tls_public_key(one.pem);
  ASSERT_TRUE(public_key);
  EXPECT_EQ(sha256(*public_key), one.pin);
  const auto signature = tls_sign(one.pem, "words");
  ASSERT_TRUE(signature);
  EXPECT_TRUE(tls_verify(*public_key, "words", *signature));
  EXPECT_FALSE(tls_verify(*public_key, "other words", *signature));
  EXPECT_FALSE(tls_verify(*tls_public_key(key().pem), "words", *signature));
  EXPECT_FALSE(tls_verify(*public_key + "x", "words", *signature));
  EXPECT_FALSE(tls_verify("", "words", *signature));
  EXPECT_FALSE(tls_verify(*public_key, "words", ""));
  EXPECT_EQ(tls_sign("no key", "words").error().code, ErrorCode::corrupt_data);
}

TEST(KeyHistory, LeadsFromAnyOldKeyToTheNewest) {
  const Rotated hub;
  for (std::size_t n = 0; n < 3; ++n) {
    EXPECT_TRUE(hub.follow(hub.keys[n].pin.view(), hub.keys[3].pin));
    EXPECT_TRUE(hub.follow(hub.keys[n].pin.view(), hub.keys[3].pin, hub.hub.view()));
    EXPECT_TRUE(hub.follow(hub.keys[n].pin.view().substr(0, kShortPinSize), hub.keys[3].pin))
        << "of a typed ticket";
  }
}

TEST(KeyHistory, ProvesNothingForAKeyThatNobodyNamed) {
  const Rotated hub;
  const auto unknown = key().pin;
  EXPECT_EQ(hub.follow(hub.keys[0].pin.view(), unknown).error().detail,
            "hub key changed without a statement");
  EXPECT_FALSE(hub.follow(unknown.view(), hub.keys[3].pin));
  EXPECT_FALSE(follow_keys({}, {}, hub.keys[0].pin.view(), hub.keys[1].pin));
  // Not backwards, and not to a key that was replaced in turn.
  EXPECT_FALSE(hub.follow(hub.keys[3].pin.view(), hub.keys[0].pin));
  EXPECT_FALSE(hub.follow(hub.keys[0].pin.view(), hub.keys[1].pin));
}

TEST(KeyHistory, RefusesEveryChangedByte) {
  const Rotated hub;
  const std::string whole = hub.history.SerializeAsString();
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x41);
    const auto parsed = parse_key_history(changed);
    if (!parsed) continue;
    EXPECT_FALSE(follow_keys(*parsed, {}, hub.keys[0].pin.view(), hub.keys[3].pin)) << at;
  }
}

TEST(KeyHistory, RefusesAForgedStatementAndOneOfAnotherHub) {
  Rotated hub;
  const net::TlsIdentity thief = key();
  sync::v1::KeyStatement& last = *hub.history.mutable_statements(2);
  last.set_new_pin(thief.pin.str());
  EXPECT_EQ(hub.follow(hub.keys[0].pin.view(), thief.pin).error().detail,
            "hub key changed, and the statement about it is forged");
  const Rotated honest;
  const HubId other = HubId::random(hub.random);
  EXPECT_FALSE(honest.follow(honest.keys[0].pin.view(), honest.keys[3].pin, other.view()));
}

TEST(KeyHistory, HasLimits) {
  EXPECT_EQ(parse_key_history(std::string(kKeyHistoryBytesMax + 1, 'x')).error().code,
            ErrorCode::limit_exceeded);
  EXPECT_EQ(parse_key_history("\xff").error().code, ErrorCode::corrupt_data);
  sync::v1::KeyHistory many;
  for (std::size_t n = 0; n <= kKeyStatementsMax; ++n) many.add_statements();
  EXPECT_EQ(parse_key_history(many.SerializeAsString()).error().code, ErrorCode::limit_exceeded);
  EXPECT_TRUE(parse_key_history(""));
}

}  // namespace
}  // namespace duhui
