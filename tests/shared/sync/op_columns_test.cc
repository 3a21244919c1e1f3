#include "shared/sync/op_columns.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "duhui/record/v1/visit.pb.h"
#include "duhui/sync/v1/op.pb.h"
#include "shared/base/bytes.h"
#include "shared/base/random.h"
#include "shared/merge/schema.h"
#include "shared/sync/column_paths.h"

namespace duhui {
namespace {

std::string rows_of(const std::vector<std::string>& ops) {
  std::string rows;
  for (const std::string& op : ops) {
    append_varint(rows, op.size());
    rows += op;
  }
  return rows;
}

std::optional<OpColumns> columns_of(const std::vector<std::string>& ops) {
  return to_columns({ops.begin(), ops.end()});
}

Result<std::string> rows_again(const OpColumns& columns, const std::vector<std::string>& ops) {
  return from_columns(columns.fields, columns.random, static_cast<std::uint32_t>(ops.size()),
                      static_cast<std::uint32_t>(rows_of(ops).size()));
}

std::uint32_t visit_type() { return Schema::instance().find("visit_record")->rule.type(); }

/// One answer of a checklist, as a supervisor corrects it.
sync::v1::Op answer(Random& random, std::uint64_t seq, const std::string& remark) {
  sync::v1::Op op;
  const WallTime now{1'790'000'000'000 + static_cast<std::int64_t>(seq * 1000)};
  op.set_record_id(mint_record_id(now, random).str());
  op.set_record_type(visit_type());
  op.mutable_born()->set_seq(seq);
  op.set_person("u-sup-001");
  op.mutable_time()->set_hlc(static_cast<std::uint64_t>(now.ms) << 16);
  op.mutable_time()->set_wall_minus_hlc_ms(-3);
  op.mutable_time()->set_monotonic_ms(seq * 997);
  record::v1::VisitRecord part;
  (*part.mutable_item_answers())["C3"].set_remark(remark);
  sync::v1::Write* write = op.add_writes();
  write->set_field(3);
  write->set_key("C3");
  write->set_value(part.SerializeAsString());
  write->add_replaces()->set_seq(seq);
  return op;
}

TEST(OpColumns, PutsEqualFieldsTogetherAndBack) {
  SeededRandom random(1);
  std::vector<std::string> ops;
  for (std::uint64_t seq = 1; seq <= 100; ++seq)
    ops.push_back(answer(random, seq, "栏杆松动" + std::to_string(seq)).SerializeAsString());
  const auto columns = columns_of(ops);
  ASSERT_TRUE(columns);
  // One shape serves all; ten bytes of every id are random.
  EXPECT_EQ(columns->random.size(), 100u * 10);
  EXPECT_LT(columns->fields.size() + columns->random.size(), rows_of(ops).size() * 2 / 3);
  // The remarks stand one behind the other.
  EXPECT_NE(columns->fields.find("栏杆松动7栏杆松动8栏杆松动9"), std::string::npos);
  EXPECT_EQ(*rows_again(*columns, ops), rows_of(ops));
}

TEST(OpColumns, SpellAnIdOnlyOnce) {
  SeededRandom random(2);
  std::vector<std::string> ops;
  for (std::uint64_t seq = 1; seq <= 50; ++seq) {
    sync::v1::Op op = answer(random, seq, "改");
    if (seq % 5 != 1) op.set_record_id(sync::v1::Op::default_instance().record_id());
    op.set_record_id(std::string(15, 'a') + static_cast<char>('0' + seq % 3));
    ops.push_back(op.SerializeAsString());
  }
  const auto columns = columns_of(ops);
  ASSERT_TRUE(columns);
  EXPECT_EQ(columns->random.size(), 3u * 10);
  EXPECT_EQ(*rows_again(*columns, ops), rows_of(ops));
}

TEST(OpColumns, KeepWhatTheSchemaDoesNotKnow) {
  SeededRandom random(3);
  std::vector<std::string> ops;
  for (std::uint64_t seq = 1; seq <= 20; ++seq) {
    sync::v1::Op op = answer(random, seq, "新");
    if (seq % 2 == 0) op.set_record_type(60'000);  // a type of a later version
    auto* unknown = op.GetReflection()->MutableUnknownFields(&op);
    unknown->AddVarint(900, seq);
    unknown->AddFixed64(901, seq << 40);
    unknown->AddFixed32(902, 7);
    *unknown->AddLengthDelimited(903) = std::string(seq, '\xff');
    ops.push_back(op.SerializeAsString());
  }
  const auto columns = columns_of(ops);
  ASSERT_TRUE(columns);
  EXPECT_EQ(*rows_again(*columns, ops), rows_of(ops));
}

TEST(OpColumns, RefuseAnOpThatIsNotInItsShortestEncoding) {
  EXPECT_TRUE(columns_of({std::string("\x10\x14", 2)}));
  EXPECT_FALSE(columns_of({std::string("\x10\x94\x00", 3)}));  // a longer 20
  EXPECT_FALSE(columns_of({std::string("\x90\x00\x14", 3)}));  // a longer tag
  EXPECT_FALSE(columns_of({std::string("\x13\x14", 2)}));      // a group
  EXPECT_FALSE(columns_of({std::string("\x00\x14", 2)}));      // field 0
  EXPECT_FALSE(
      columns_of({std::string("\x0a\x05"
                              "abc",
                              5)}));
  EXPECT_FALSE(columns_of({std::string("\x22\x02\x12\x7f", 4)}));  // `born` torn inside
}

TEST(OpColumns, RefuseMoreStructureThanAReaderTakes) {
  sync::v1::Op op;
  for (std::uint32_t n = 0; n < columns::kTokensMax / 4 + 1; ++n) op.add_writes()->set_field(1);
  EXPECT_TRUE(columns_of({op.SerializeAsString()}));
  sync::v1::Op longer = op;
  longer.add_writes()->set_field(1);
  EXPECT_FALSE(columns_of({op.SerializeAsString(), longer.SerializeAsString()}));
}

/// Ops with parts of every kind, some of them broken.
std::string any_op(Random& random) {
  sync::v1::Op op = answer(random, random.below(1u << 20), std::string(random.below(40), 'r'));
  if (random.below(3) == 0) op.set_scope("a/b/c");
  if (random.below(3) == 0) op.add_sees()->set_origin(std::string(16, 'o'));
  for (std::uint64_t n = random.below(3); n > 0; --n) op.add_writes()->set_key("k");
  if (random.below(4) == 0) op.mutable_writes(0)->clear_value();
  if (random.below(4) == 0) op.set_record_id(std::string(random.below(20), 'i'));
  std::string bytes = op.SerializeAsString();
  if (random.below(8) == 0) bytes[random.below(bytes.size())] ^= '\x40';
  return bytes;
}

RC_GTEST_PROP(OpColumns, GiveBackWhatTheyTook, ()) {
  SeededRandom random(*rc::gen::arbitrary<std::uint64_t>());
  std::vector<std::string> ops(1 + random.below(30));
  for (std::string& op : ops) op = any_op(random);
  const auto columns = columns_of(ops);
  RC_CLASSIFY(columns.has_value());
  if (!columns) return;
  const auto rows = rows_again(*columns, ops);
  RC_ASSERT(rows.has_value());
  RC_ASSERT(*rows == rows_of(ops));
}

RC_GTEST_PROP(OpColumns, SurviveBrokenOnes, ()) {
  SeededRandom random(*rc::gen::arbitrary<std::uint64_t>());
  std::vector<std::string> ops(1 + random.below(6));
  for (std::string& op : ops) op = answer(random, random.below(99), "x").SerializeAsString();
  auto columns = columns_of(ops);
  RC_ASSERT(columns.has_value());
  for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
    std::string& hurt = random.below(8) == 0 ? columns->random : columns->fields;
    const std::size_t at = random.below(hurt.size());
    if (random.below(4) == 0) {
      hurt.erase(at, 1 + random.below(4));
    } else {
      hurt[at] = static_cast<char>(random.below(256));
    }
    if (hurt.empty()) break;
  }
  const auto rows = rows_again(*columns, ops);
  RC_ASSERT((!rows || rows->size() == rows_of(ops).size()));
}

TEST(OpColumns, RefuseEveryCutAndEveryAddition) {
  SeededRandom random(4);
  std::vector<std::string> ops;
  for (std::uint64_t seq = 1; seq <= 9; ++seq)
    ops.push_back(answer(random, seq, "看").SerializeAsString());
  const auto columns = columns_of(ops);
  ASSERT_TRUE(columns);
  for (std::size_t size = 0; size < columns->fields.size(); ++size)
    EXPECT_FALSE(rows_again({columns->fields.substr(0, size), columns->random}, ops)) << size;
  EXPECT_FALSE(rows_again({columns->fields + "x", columns->random}, ops));
  EXPECT_FALSE(rows_again({columns->fields, columns->random + "x"}, ops));
  EXPECT_FALSE(rows_again({columns->fields, columns->random.substr(1)}, ops));
  const auto raw_bytes = static_cast<std::uint32_t>(rows_of(ops).size());
  EXPECT_FALSE(from_columns(columns->fields, columns->random, 9, raw_bytes - 1));
  EXPECT_FALSE(from_columns(columns->fields, columns->random, 9, raw_bytes + 1));
  EXPECT_FALSE(from_columns(columns->fields, columns->random, 8, raw_bytes));
}

}  // namespace
}  // namespace duhui
