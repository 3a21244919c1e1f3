#include "shared/sync/stream_chain.h"

#include <gtest/gtest.h>

#include "shared/base/bytes.h"
#include "shared/crypto/digest.h"

namespace duhui {
namespace {

Origin origin_of(char byte) {
  Origin origin;
  origin.bytes.fill(byte);
  return origin;
}

TEST(StreamChain, BeginsWithThirtyTwoZeros) { EXPECT_EQ(empty_chain(), std::string(32, '\0')); }

// Computed by another implementation of SHA-256: any program must come to the same.
TEST(StreamChain, HasTheseValues) {
  const std::string one = extend_chain(empty_chain(), "first op");
  const std::string two = extend_chain(one, "second op");
  const std::string three = extend_chain(two, "");
  EXPECT_EQ(to_hex(one), "5f16aa4e6d67c155a91414218439b4ae25057e6286d6da16d6cfc4408df0f112");
  EXPECT_EQ(to_hex(two), "55eb9f3b2eb92ace77b6c85ec527f48af2ff2c164c2ba297ea7cdcf4951749d7");
  EXPECT_EQ(to_hex(three), "60d6a5be647aa5f0eab639aa2fd4cef5a96098da17afa701bc9208abdb5bfa1b");
}

TEST(StreamChain, DependsOnEveryOpAndOnTheirOrder) {
  const std::string ab = extend_chain(extend_chain(empty_chain(), "a"), "b");
  const std::string ba = extend_chain(extend_chain(empty_chain(), "b"), "a");
  const std::string joined = extend_chain(empty_chain(), "ab");
  EXPECT_NE(ab, ba);
  EXPECT_NE(ab, joined);
}

TEST(StreamChain, SumsTheFirstEightBytesOfTheOpsDigest) {
  const Digest digest = sha256("first op");
  EXPECT_EQ(op_checksum("first op"), read_big_endian_64(digest.view()));
  EXPECT_EQ(op_checksum(digest), op_checksum("first op"));
  EXPECT_EQ(extend_chain(empty_chain(), digest), extend_chain(empty_chain(), "first op"));
}

TEST(Statement, OfOnePurposeIsNeverValidForAnother) {
  const Dot dot{origin_of('o'), 7};
  const std::string chain(32, 'c');
  HubId hub;
  DeviceId device;
  const std::vector<std::string> all{batch_statement(dot, chain), seal_statement(dot, "op"),
                                     receipt_statement(hub, dot, chain, 5),
                                     device_statement("binding", device, std::string(32, 'k'))};
  for (std::size_t a = 0; a < all.size(); ++a) {
    for (std::size_t b = 0; b < all.size(); ++b) {
      if (a == b) continue;
      EXPECT_NE(all[a].substr(0, all[a].find('\n')), all[b].substr(0, all[b].find('\n')));
    }
  }
}

TEST(Statement, CoversEveryPartOfWhatItStates) {
  const Dot dot{origin_of('o'), 7};
  const std::string chain(32, 'c');
  const std::string statement = batch_statement(dot, chain);
  EXPECT_NE(statement, batch_statement(Dot{origin_of('p'), 7}, chain));
  EXPECT_NE(statement, batch_statement(Dot{origin_of('o'), 8}, chain));
  EXPECT_NE(statement, batch_statement(dot, std::string(32, 'd')));
  EXPECT_NE(seal_statement(dot, "op"), seal_statement(dot, "other op"));
  DeviceId device;
  EXPECT_NE(device_statement("one channel", device, "k"),
            device_statement("another channel", device, "k"));
}

}  // namespace
}  // namespace duhui
