#include <functional>

#include "sample_record.h"
#include "shared/base/scope.h"
#include "shared/merge/limits.h"

namespace duhui {
namespace {

using Change = std::function<void(sync::v1::Op&)>;

const Dot kOwn = dot_of(2, 5);

sync::v1::Op good_op() {
  return OpMaker(2, 5, "li").set(titled("a"), {dot_of(1, 1)}).sees({dot_of(1, 1)}).op;
}

bool is_refused(const Change& change) {
  sync::v1::Op op = good_op();
  change(op);
  const Status status = check_op(kOwn, op);
  return !status && status.error().code == ErrorCode::invalid_input;
}

TEST(CheckOp, AcceptsAWellFormedOp) {
  EXPECT_TRUE(check_op(kOwn, good_op()));
  EXPECT_TRUE(check_op(dot_of(1, 1), OpMaker(1, 1, "wang").creates().op));
}

TEST(CheckOp, RefusesWrongNames) {
  EXPECT_FALSE(check_op({origin_of(2), 0}, good_op()));
  EXPECT_TRUE(is_refused([](auto& op) { op.set_record_id("short"); }));
  EXPECT_TRUE(is_refused([](auto& op) { op.set_record_type(0); }));
}

TEST(CheckOp, RefusesAnUnclearBirth) {
  EXPECT_TRUE(is_refused([](auto& op) { op.set_creates(true); }));
  EXPECT_TRUE(is_refused([](auto& op) { op.clear_born(); }));
  EXPECT_TRUE(is_refused([](auto& op) { op.mutable_born()->set_seq(0); }));
  EXPECT_TRUE(is_refused([](auto& op) { op.mutable_born()->set_origin("short"); }));
  EXPECT_TRUE(is_refused([](auto& op) { write_dot(kOwn, kOwn.origin, op.mutable_born()); }));
  EXPECT_TRUE(is_refused([](auto& op) { op.set_scope("city"); }));
}

TEST(CheckOp, RefusesMalformedWrites) {
  EXPECT_TRUE(is_refused([](auto& op) { op.mutable_writes(0)->set_field(0); }));
  EXPECT_TRUE(is_refused([](auto& op) { op.mutable_writes(0)->set_field(kFieldNumberMax + 1); }));
  EXPECT_TRUE(is_refused([](auto& op) { *op.add_writes() = op.writes(0); }));
  EXPECT_TRUE(is_refused([](auto& op) {  // not next to each other
    op.add_writes()->set_field(9);
    *op.add_writes() = op.writes(0);
  }));
}

TEST(CheckOp, AcceptsWritesInAnyOrder) {
  EXPECT_FALSE(is_refused([](auto& op) {
    op.add_writes()->set_field(9);
    op.add_writes()->set_field(3);
  }));
}

TEST(CheckOp, RefusesDotsThatAreMalformedOrItsOwn) {
  EXPECT_TRUE(is_refused([](auto& op) { op.mutable_writes(0)->add_replaces()->set_seq(5); }));
  EXPECT_TRUE(is_refused([](auto& op) { op.mutable_writes(0)->add_replaces(); }));
  EXPECT_TRUE(is_refused([](auto& op) { op.add_sees()->set_seq(5); }));
  EXPECT_TRUE(is_refused([](auto& op) { op.add_sees()->set_origin("short"); }));
}

TEST(CheckOp, KeepsEveryLimit) {
  const auto text = [](std::size_t size) { return std::string(size, 'x'); };
  EXPECT_TRUE(is_refused([&](auto& op) { op.set_person(text(kPersonBytesMax + 1)); }));
  EXPECT_TRUE(is_refused([&](auto& op) { op.set_reason(text(kReasonBytesMax + 1)); }));
  EXPECT_TRUE(is_refused([&](auto& op) { op.mutable_writes(0)->set_key(text(kKeyBytesMax + 1)); }));
  EXPECT_TRUE(
      is_refused([&](auto& op) { op.mutable_writes(0)->set_value(text(kValueBytesMax + 1)); }));
  EXPECT_TRUE(is_refused([](auto& op) {
    while (op.writes(0).replaces_size() <= kReplacesPerWriteMax) {
      op.mutable_writes(0)->add_replaces()->set_seq(1);
    }
  }));
  EXPECT_TRUE(is_refused([](auto& op) {
    while (op.sees_size() <= kSeesPerOpMax) op.add_sees()->set_seq(1);
  }));
  EXPECT_TRUE(is_refused([](auto& op) {
    for (int field = 2; op.writes_size() <= kWritesPerOpMax; ++field) {
      op.add_writes()->set_field(static_cast<std::uint32_t>(field));
    }
  }));
  OpMaker creation = OpMaker(1, 1, "wang").creates();
  creation.op.set_scope(text(kScopeBytesMax + 1));
  EXPECT_FALSE(check_op(creation.dot, creation.op));
  EXPECT_FALSE(is_refused([&](auto& op) { op.set_reason(text(kReasonBytesMax)); }));
}

TEST(Dots, OfTheSameOriginTravelInTheShortForm) {
  sync::v1::Dot wire;
  write_dot(dot_of(2, 3), origin_of(2), &wire);
  EXPECT_TRUE(wire.origin().empty());
  EXPECT_EQ(read_dot(wire, origin_of(2)), dot_of(2, 3));
  write_dot(dot_of(4, 3), origin_of(2), &wire);
  EXPECT_EQ(read_dot(wire, origin_of(2)), dot_of(4, 3));
}

}  // namespace
}  // namespace duhui
