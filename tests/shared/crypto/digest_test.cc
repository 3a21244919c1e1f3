#include "shared/crypto/digest.h"

#include <string>

#include <gtest/gtest.h>

#include "shared/base/bytes.h"
#include "shared/crypto/registry_id.h"
#include "shared/crypto/system_random.h"

namespace duhui {
namespace {

// Vectors of FIPS 180-4's examples.
TEST(Digest, IsSha256) {
  EXPECT_EQ(to_hex(sha256("").view()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc").view()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(std::string(1'000'000, 'a')).view()),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, OfTwoPartsIsThatOfTheirConcatenation) {
  EXPECT_EQ(sha256("ab", "c"), sha256("abc"));
  EXPECT_EQ(sha256("", "abc"), sha256("abc"));
  EXPECT_NE(sha256("ab", "d"), sha256("abc"));
}

TEST(Digest, ComesBackFromItsBytesOnly) {
  const Digest digest = sha256("x");
  EXPECT_EQ(Digest::from_bytes(digest.view()), digest);
  EXPECT_FALSE(Digest::from_bytes(digest.view().substr(1)).has_value());
}

TEST(ConstantTimeEqual, ComparesLengthAndBytes) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("secret", "secret"));
  EXPECT_FALSE(constant_time_equal("secret", "secreT"));
  EXPECT_FALSE(constant_time_equal("secret", "secrets"));
}

TEST(RegistryRecordId, IsAVersionEightUuidThatDependsOnTypeAndId) {
  const RecordId id = registry_record_id("School", "SCH-001");
  EXPECT_EQ(id, registry_record_id("School", "SCH-001"));
  EXPECT_NE(id, registry_record_id("User", "SCH-001"));
  EXPECT_NE(id, registry_record_id("School", "SCH-002"));
  const std::string text = to_uuid_text(id.view());
  EXPECT_EQ(text[14], '8');
  EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
  EXPECT_EQ(text.substr(0, 13),
            to_uuid_text(sha256("School:SCH-001").view().substr(0, 16)).substr(0, 13));
}

TEST(SystemRandom, DoesNotRepeat) {
  SystemRandom random;
  EXPECT_NE(RecordId::random(random), RecordId::random(random));
}

}  // namespace
}  // namespace duhui
