#include "shared/crypto/sealing.h"

#include <string>

#include <gtest/gtest.h>

namespace duhui {
namespace {

TEST(Sealing, OnlyTheReceiverReads) {
  SeededRandom random(1);
  const SigningKey hub = SigningKey::generate(random);
  const SigningKey other = SigningKey::generate(random);
  const auto sealed = seal(hub.public_key(), "frames of a bundle");
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->size(), std::string("frames of a bundle").size() + kSealOverhead);
  EXPECT_EQ(sealed->find("bundle"), std::string::npos);
  const auto opened = unseal(hub, *sealed);
  ASSERT_TRUE(opened);
  EXPECT_EQ(*opened, "frames of a bundle");
  EXPECT_FALSE(unseal(other, *sealed));
}

TEST(Sealing, EveryDamagedByteIsNoticed) {
  SeededRandom random(2);
  const SigningKey hub = SigningKey::generate(random);
  const std::string sealed = seal(hub.public_key(), "short").value();
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string damaged = sealed;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(unseal(hub, damaged)) << i;
    EXPECT_FALSE(unseal(hub, sealed.substr(0, i))) << i;
  }
}

}  // namespace
}  // namespace duhui
