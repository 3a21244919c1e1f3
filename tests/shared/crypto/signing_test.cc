#include "shared/crypto/signing.h"

#include <string>

#include <gtest/gtest.h>

#include "shared/base/bytes.h"

namespace duhui {
namespace {

// RFC 8032 section 7.1, test 2.
TEST(Signing, IsEd25519) {
  const std::string bytes =
      *from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  std::array<char, 32> seed{};
  std::copy(bytes.begin(), bytes.end(), seed.begin());
  const SigningKey key = SigningKey::from_seed(seed);
  EXPECT_EQ(to_hex(key.public_key().view()),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(to_hex(sign(key, "\x72")),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(Signing, VerifiesOnlyTheSameBytesKeyAndSignature) {
  SeededRandom random(1);
  const SigningKey key = SigningKey::generate(random);
  const SigningKey other = SigningKey::generate(random);
  const std::string signature = key.sign("op");
  EXPECT_TRUE(verify(key.public_key(), "op", signature));
  EXPECT_FALSE(verify(key.public_key(), "oq", signature));
  EXPECT_FALSE(verify(other.public_key(), "op", signature));
  EXPECT_FALSE(verify(key.public_key(), "op", signature.substr(1)));
  EXPECT_FALSE(verify(key.public_key(), "op", ""));
  EXPECT_FALSE(verify(PublicKey{}, "op", signature));
}

TEST(SigningKey, ComesBackFromItsFile) {
  SeededRandom random(2);
  const SigningKey key = SigningKey::generate(random);
  const auto again = SigningKey::from_file_text(key.file_text());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->public_key(), key.public_key());
  EXPECT_EQ(again->seed(), key.seed());
}

TEST(SigningKey, ADamagedFileIsNotAKey) {
  SeededRandom random(3);
  const std::string text = SigningKey::generate(random).file_text();
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(SigningKey::from_file_text(damaged)) << i;
    EXPECT_FALSE(SigningKey::from_file_text(text.substr(0, i))) << i;
  }
}

}  // namespace
}  // namespace duhui
