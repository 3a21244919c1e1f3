#include "shared/sync/locked_op.h"

#include <gtest/gtest.h>

namespace duhui {
namespace {

class LockedOpTest : public testing::Test {
 protected:
  LockedOpTest() {
    op.set_record_id(std::string(16, 'r'));
    op.set_record_type(20);
    op.set_creates(true);
    op.set_scope("city/school");
    op.set_person("wang");
    op.set_rank(2);
    op.mutable_time()->set_hlc(77);
    op.add_writes()->set_value("a secret remark");
    bytes = op.SerializeAsString();
  }
  std::string locked(std::string_view open_part = {}) {
    return lock_op(key, bytes, op, open_part, random);
  }

  SeededRandom random{3};
  VaultKey key = VaultKey::of_device(SigningKey::generate(random), DeviceId::random(random));
  sync::v1::Op op;
  std::string bytes;
};

TEST_F(LockedOpTest, NoOpBeginsLikeALockedOne) {
  EXPECT_FALSE(is_locked(bytes));
  EXPECT_FALSE(is_locked(""));
  EXPECT_TRUE(is_locked(locked()));
}

TEST_F(LockedOpTest, HidesTheOpAndKeepsItsPlace) {
  const std::string kept = locked();
  EXPECT_EQ(kept.find("secret"), std::string::npos);
  EXPECT_EQ(kept.find("wang"), std::string::npos);
  sync::v1::Op head;
  ASSERT_TRUE(read_head(kept, &head));
  EXPECT_EQ(head.record_id(), op.record_id());
  EXPECT_EQ(head.record_type(), op.record_type());
  EXPECT_EQ(head.scope(), op.scope());
  EXPECT_EQ(head.time().hlc(), op.time().hlc());
  EXPECT_EQ(head.rank(), op.rank());
  EXPECT_TRUE(head.creates());
  EXPECT_TRUE(head.person().empty());
  EXPECT_EQ(kept_digest(kept), sha256(bytes));
}

TEST_F(LockedOpTest, OpensToTheExactBytes) {
  const auto exact = open_op(key, locked());
  ASSERT_TRUE(exact);
  EXPECT_EQ(*exact, bytes);
  EXPECT_EQ(*open_op(key, bytes), bytes);  // one that is not locked is what it is
}

TEST_F(LockedOpTest, SaysHowMuchCanBeRead) {
  EXPECT_EQ(openness(bytes), Openness::all);
  EXPECT_EQ(openness(locked()), Openness::nothing);
  EXPECT_EQ(openness(locked("part")), Openness::part);
}

TEST_F(LockedOpTest, RefusesWhatIsNotWhatItSaysToBe) {
  auto told = read_locked(locked());
  ASSERT_TRUE(told);
  told->set_digest(sha256("another op").str());
  EXPECT_FALSE(open_op(key, std::string(1, '\0') + told->SerializeAsString()));
  told = read_locked(locked());
  told->set_record_id(std::string(16, 's'));  // moved to another record
  EXPECT_FALSE(open_op(key, std::string(1, '\0') + told->SerializeAsString()));
  for (const std::string& junk : {std::string(1, '\0'), std::string("\0junk", 5)}) {
    EXPECT_FALSE(read_locked(junk));
    EXPECT_FALSE(open_op(key, junk));
    sync::v1::Op head;
    EXPECT_FALSE(read_head(junk, &head));
    EXPECT_EQ(openness(junk), Openness::nothing);
  }
}

}  // namespace
}  // namespace duhui
