#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "merge_sample.pb.h"
#include "shared/merge/record_state.h"
#include "shared/merge/schema.h"
#include "shared/merge/view.h"

namespace duhui {

using merge_sample::Sheet;

inline const RecordSchema& sheet_schema() {
  static const Schema schema({Sheet::descriptor()->file()});
  return *schema.find("sheet");
}

/// Replica `r` writes with the origin rr..rr.
inline Origin origin_of(int replica) {
  Origin origin;
  origin.bytes.fill(static_cast<char>(replica));
  return origin;
}

inline Dot dot_of(int replica, std::uint64_t seq) { return {origin_of(replica), seq}; }

/// An op under construction; every call gives the op back.
struct OpMaker {
  Dot dot;
  sync::v1::Op op;
  OpStamp stamp;

  OpMaker(int replica, std::uint64_t seq, std::string person) : dot(dot_of(replica, seq)) {
    op.set_record_id(std::string(16, 'r'));
    op.set_record_type(900);
    op.set_person(std::move(person));
    write_dot(dot_of(1, 1), dot.origin, op.mutable_born());
    stamp.effective_ms = 1'000 * static_cast<std::int64_t>(seq);
    stamp.quality = sync::v1::TIME_QUALITY_GOOD;
  }
  OpMaker& creates() {
    op.set_creates(true);
    op.clear_born();
    op.set_scope("city/zone");
    return *this;
  }
  OpMaker& at(std::int64_t ms) {
    stamp.effective_ms = ms;
    return *this;
  }
  OpMaker& rank(std::uint32_t rank) {
    stamp.rank = rank;
    return *this;
  }
  OpMaker& at_hub() {
    stamp.at_hub = true;
    return *this;
  }
  OpMaker& reason(std::string reason) {
    op.set_reason(std::move(reason));
    return *this;
  }
  OpMaker& sees(std::vector<Dot> dots) {
    for (const Dot& seen : dots) write_dot(seen, dot.origin, op.add_sees());
    return *this;
  }
  OpMaker& write(RegisterKey key,
                 std::optional<std::string> value,
                 std::vector<Dot> replaces = {}) {
    sync::v1::Write& write = *op.add_writes();
    write.set_field(key.field);
    write.set_key(key.key);
    if (value) write.set_value(*value);
    for (const Dot& replaced : replaces) write_dot(replaced, dot.origin, write.add_replaces());
    return *this;
  }
  /// The registers of `sheet`, as a form would save them.
  OpMaker& set(const Sheet& sheet, std::vector<Dot> replaces = {}) {
    auto fragments = split(sheet_schema(), sheet);
    EXPECT_TRUE(fragments);
    for (const Fragment& fragment : *fragments) write(fragment.key, fragment.value, replaces);
    return *this;
  }
  OpMaker& removes(std::vector<Dot> seen, std::vector<Dot> replaces = {}) {
    return write({kDeletedField, {}}, deleted_value(), std::move(replaces)).sees(std::move(seen));
  }
  static std::string deleted_value() { return std::string("\x80\xe0\xd6\xfc\x0f\x01", 6); }
};

inline Sheet titled(std::string title) {
  Sheet sheet;
  sheet.set_title(std::move(title));
  return sheet;
}

inline Sheet answered(std::string item, bool value, std::string remark = {}) {
  Sheet sheet;
  auto& answer = (*sheet.mutable_answers())[std::move(item)];
  answer.mutable_value()->set_truth(value);
  answer.set_remark(std::move(remark));
  return sheet;
}

inline Sheet noted(std::string note) {
  Sheet sheet;
  sheet.add_notes(std::move(note));
  return sheet;
}

inline Sheet event(std::string to) {
  Sheet sheet;
  sheet.add_events()->set_to(std::move(to));
  return sheet;
}

inline void apply(RecordState& state, const OpMaker& maker) {
  const auto applied = state.apply(maker.dot, maker.op, maker.stamp);
  ASSERT_TRUE(applied) << to_string(applied.error());
}

inline RecordState state_of(std::initializer_list<OpMaker> makers) {
  RecordState state;
  for (const OpMaker& maker : makers) apply(state, maker);
  return state;
}

inline RecordView seen(const RecordState& state, const ViewOptions& options = {}) {
  return view(sheet_schema(), state, options);
}

inline Sheet parsed(const RecordView& shown) {
  Sheet sheet;
  EXPECT_TRUE(sheet.ParseFromString(shown.message_bytes()));
  return sheet;
}

inline std::string why(const RecordState& state,
                       const RegisterKey& key,
                       const ViewOptions& options = {}) {
  return explain(sheet_schema(), state, key, options).rule;
}

inline std::vector<Dot> dots_of(const std::vector<AuthoredValue>& values) {
  std::vector<Dot> dots;
  for (const AuthoredValue& value : values) dots.push_back(value.dot);
  return dots;
}

}  // namespace duhui
