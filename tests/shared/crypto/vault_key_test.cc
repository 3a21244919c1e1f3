#include "shared/crypto/vault_key.h"

#include <gtest/gtest.h>

namespace duhui {
namespace {

class VaultKeyTest : public testing::Test {
 protected:
  SeededRandom random{7};
  SigningKey hub = SigningKey::generate(random);
  DeviceId device = DeviceId::random(random);
  VaultKey key = VaultKey::of_device(hub, device);
};

TEST_F(VaultKeyTest, OpensWhatItLocked) {
  const std::string locked = key.lock("a remark", "record", random);
  EXPECT_EQ(locked.find("remark"), std::string::npos);
  const auto bytes = VaultKey::of_device(hub, device).open(locked, "record");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, "a remark");
}

TEST_F(VaultKeyTest, LocksTheSameBytesDifferentlyEachTime) {
  EXPECT_NE(key.lock("7", "r", random), key.lock("7", "r", random));
}

TEST_F(VaultKeyTest, NothingElseOpensIt) {
  const std::string locked = key.lock("a remark", "record", random);
  EXPECT_FALSE(key.open(locked, "another record"));
  EXPECT_FALSE(VaultKey::of_device(hub, DeviceId::random(random)).open(locked, "record"));
  EXPECT_FALSE(VaultKey::of_device(SigningKey::generate(random), device).open(locked, "record"));
  for (std::size_t at = 0; at < locked.size(); ++at) {
    std::string bent = locked;
    bent[at] = static_cast<char>(bent[at] ^ 1);
    EXPECT_FALSE(key.open(bent, "record")) << at;
    EXPECT_FALSE(key.open(locked.substr(0, at), "record")) << at;
  }
}

TEST_F(VaultKeyTest, IsThirtyTwoBytes) {
  EXPECT_TRUE(VaultKey::from_bytes(key.view()));
  EXPECT_FALSE(VaultKey::from_bytes("short"));
}

TEST_F(VaultKeyTest, LocksTheChunksOfAFileAlikeWhoeverDoesIt) {
  const std::string name(32, 'n');
  const std::string locked = key.lock_chunk(name, 3, "bytes of a photo");
  EXPECT_EQ(locked, VaultKey::of_device(hub, device).lock_chunk(name, 3, "bytes of a photo"));
  EXPECT_EQ(locked.size(), 16 + VaultKey::kChunkLockBytes);
  EXPECT_EQ(*key.open_chunk(name, 3, locked), "bytes of a photo");
  EXPECT_FALSE(key.open_chunk(name, 4, locked));
  EXPECT_FALSE(key.open_chunk(std::string(32, 'o'), 3, locked));
  EXPECT_FALSE(key.open_chunk(name, 3, locked.substr(1)));
  EXPECT_FALSE(key.open_chunk(name, 3, "short"));
  EXPECT_NE(locked, key.lock_chunk(name, 4, "bytes of a photo"));
}

}  // namespace
}  // namespace duhui
