#include <functional>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "naive_merge.h"
#include "sample_record.h"

namespace duhui {
namespace {

using naive::has;
using naive::History;
using naive::Kind;
using naive::Ops;
using naive::Reg;

RegisterKey key_of(Reg reg) {
  switch (reg) {
    case naive::title:
      return {1, {}};
    case naive::group:
      return {2, {}};
    case naive::answer:
      return {4, "A1"};
    case naive::tool:
      return {5, "photo/"};
    case naive::events:
      return {6, {}};
    case naive::paragraph_0:
      return {7, "p0"};
    case naive::paragraph_1:
      return {7, "p1"};
    case naive::paragraph_2:
      return {7, "p2"};
    case naive::level:
      return {8, {}};
    case naive::first:
      return {11, {}};
    case naive::grade:
      return {12, {}};
    case naive::number:
      return {13, {}};
    case naive::notes:
      return {18, {}};
    case naive::deletion:
      return {kDeletedField, {}};
    case naive::reg_count:
      break;
  }
  return {};
}

/// The fragment of value 0 or 1 of a register.
std::string make_fragment(Reg reg, int value) {
  const std::string text = value == 0 ? "no" : "yes";
  Sheet sheet;
  switch (reg) {
    case naive::title:
      sheet.set_title(text);
      break;
    case naive::group:
      sheet.set_place(text), sheet.set_floor(value + 1);
      break;
    case naive::answer:
      sheet = answered("A1", value != 0, "remark");
      break;
    case naive::tool:
      sheet.add_tools()->set_kind("photo");
      sheet.mutable_tools(0)->set_count(value);
      break;
    case naive::events:
      sheet.add_events()->set_to(text);
      break;
    case naive::paragraph_0:
    case naive::paragraph_1:
    case naive::paragraph_2:
      sheet.add_paragraphs()->set_author(key_of(reg).key);
      sheet.mutable_paragraphs(0)->set_text(text);
      break;
    case naive::level:
      sheet.set_level(static_cast<merge_sample::Level>(value + 1));
      break;
    case naive::first:
      sheet.set_first(text);
      break;
    case naive::grade:
      sheet.set_grade(text);
      break;
    case naive::number:
      sheet.set_number(text);
      break;
    case naive::notes:
      sheet.add_notes(text);
      break;
    case naive::deletion:
    case naive::reg_count:
      return OpMaker::deleted_value();
  }
  return sheet.SerializeAsString();
}

const std::string& fragment(Reg reg, int value) {
  static const auto all = [] {
    std::vector<std::string> out;
    for (int at = 0; at < 2 * naive::reg_count; ++at) {
      out.push_back(make_fragment(static_cast<Reg>(at / 2), at % 2));
    }
    return out;
  }();
  return all[static_cast<std::size_t>(2 * reg + value)];
}

Dot dot_of(const naive::Op& op) { return duhui::dot_of(op.replica + 1, op.seq); }

/// Stamps of the i-th op, in four patterns: all at once, as they came, backwards, mixed.
std::int64_t effective_of(std::size_t op, std::size_t pattern) {
  constexpr std::int64_t kTimes[4][6] = {
      {5, 5, 5, 5, 5, 5}, {1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1}, {5, 5, 1, 9, 1, 5}};
  return kTimes[pattern][op];
}

/// Builds histories op by op: each replica knows its own ops and what it pulled.
class Builder {
 public:
  explicit Builder(std::size_t pattern) : pattern_(pattern) {}

  bool is_full(int replica) const { return written_[static_cast<std::size_t>(replica)] == 2; }

  /// `pulls`: which replicas' knowledge arrives just before.
  void add(Kind kind, int replica, unsigned pulls) {
    Ops known = known_[static_cast<std::size_t>(replica)];
    for (std::size_t from = 0; from < 3; ++from) {
      if ((pulls >> from & 1u) != 0) known |= known_[from];
    }
    const std::size_t index = history.ops.size();
    naive::Op op;
    op.kind = kind;
    op.replica = replica;
    op.seq = ++written_[static_cast<std::size_t>(replica)];
    // In one pattern two replicas are two devices of the same person.
    op.person = "p" + std::to_string(pattern_ == 3 && replica == 2 ? 1 : replica);
    op.effective = effective_of(index, pattern_);
    op.rank = static_cast<std::uint32_t>((index * 2 + pattern_) % 3);
    op.at_hub = replica == 0;
    op.known = known;
    fill(op, static_cast<int>(index % 2));
    history.ops.push_back(std::move(op));
    known_[static_cast<std::size_t>(replica)] = known | 1u << index;
  }

  History history;

 private:
  void fill(naive::Op& op, int value) const {
    const naive::Model model(history, op.known);
    const auto write = [&](Reg reg, std::optional<int> what) {
      op.writes.push_back({reg, what, model.live(reg)});
    };
    switch (op.kind) {
      case Kind::create:
      case Kind::set_title:
        return write(naive::title, value);
      case Kind::set_group:
        return write(naive::group, value);
      case Kind::set_answer:
        return write(naive::answer, value);
      case Kind::clear_answer:
        return write(naive::answer, std::nullopt);
      case Kind::resolve_answer:
        return write(naive::answer, 1);
      case Kind::add_tool:
        return write(naive::tool, value);
      case Kind::remove_tool:
        return write(naive::tool, std::nullopt);
      case Kind::append_note:
        return write(naive::notes, value);
      case Kind::write_paragraph:
        return write(static_cast<Reg>(naive::paragraph_0 + op.replica), value);
      case Kind::transition:
        op.sees = model.frontier();
        return write(naive::events, value);
      case Kind::remove:
        op.sees = model.frontier();
        return write(naive::deletion, 1);
      case Kind::raise_level:
        return write(naive::level, value);
      case Kind::set_first:
        return write(naive::first, value);
      case Kind::set_grade:
        return write(naive::grade, value);
      case Kind::set_number:
        return write(naive::number, value);
    }
  }

  std::size_t pattern_;
  std::array<Ops, 3> known_{};
  std::array<std::uint64_t, 3> written_{};
};

std::vector<Dot> dots_in(const History& history, Ops ops) {
  std::vector<Dot> out;
  for (std::size_t op = 0; op < history.ops.size(); ++op) {
    if (has(ops, static_cast<int>(op))) out.push_back(dot_of(history.ops[op]));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<OpMaker> encode(const History& history) {
  std::vector<OpMaker> out;
  for (const naive::Op& op : history.ops) {
    OpMaker& maker = out.emplace_back(op.replica + 1, op.seq, op.person);
    if (op.kind == Kind::create) maker.creates();
    if (op.kind == Kind::resolve_answer) maker.reason("decided");
    maker.stamp.effective_ms = op.effective;
    maker.stamp.rank = op.rank;
    maker.stamp.at_hub = op.at_hub;
    for (const naive::Write& write : op.writes) {
      std::optional<std::string> value;
      if (write.value) value = fragment(write.reg, *write.value);
      maker.write(key_of(write.reg), std::move(value), dots_in(history, write.replaces));
    }
    maker.sees(dots_in(history, op.sees));
  }
  return out;
}

std::string describe(const History& history) {
  std::ostringstream out;
  for (const naive::Op& op : history.ops) {
    out << "\n  r" << op.replica << "/" << op.seq << " kind " << static_cast<int>(op.kind)
        << " known " << op.known << " at " << op.effective << " rank " << op.rank << " person "
        << op.person;
  }
  return out.str();
}

std::vector<Dot> sorted_dots(const std::vector<AuthoredValue>& values) {
  std::vector<Dot> dots = dots_of(values);
  std::sort(dots.begin(), dots.end());
  return dots;
}

bool same_register(const History& history,
                   const ShownRegister* shown,
                   const naive::Expected& want) {
  static const ShownRegister kNothing;
  const ShownRegister& got = shown != nullptr ? *shown : kNothing;
  std::vector<Dot> in_order;
  for (const int op : want.shown)
    in_order.push_back(dot_of(history.ops[static_cast<std::size_t>(op)]));
  return dots_of(got.shown) == in_order &&
         sorted_dots(got.siblings) == dots_in(history, want.siblings) &&
         sorted_dots(got.proposals) == dots_in(history, want.proposals) &&
         sorted_dots(got.history) == dots_in(history, want.rest);
}

bool same_amendments(const History& history,
                     const std::vector<Amendment>& got,
                     const std::vector<std::pair<int, Reg>>& want) {
  std::map<Dot, std::vector<RegisterKey>> got_by_op, want_by_op;
  for (const Amendment& amendment : got) got_by_op[amendment.dot] = amendment.registers;
  for (const auto& [op, reg] : want) {
    auto& keys = want_by_op[dot_of(history.ops[static_cast<std::size_t>(op)])];
    keys.push_back(key_of(reg));
    std::sort(keys.begin(), keys.end());
  }
  return got_by_op == want_by_op;
}

/// Whether the merged record shows what the model says; empty: it does.
std::string difference(const History& history, const RecordState& state, Ops received) {
  const naive::Model model(history, received);
  if (state.frontier() != dots_in(history, model.frontier())) return "frontier";
  std::optional<Ops> inside;
  for (int op = 0; op < static_cast<int>(history.ops.size()) && !inside; ++op) {
    const naive::Op& it = history.ops[static_cast<std::size_t>(op)];
    if (has(received, op) && it.kind == Kind::transition) inside = it.sees | 1u << op;
  }
  const std::vector<Dot> frozen_at = dots_in(history, inside.value_or(0));
  for (const bool frozen : {false, true}) {
    if (frozen && !inside) continue;
    const RecordView shown =
        seen(state, {.override_policy = {}, .frozen_at = frozen ? &frozen_at : nullptr});
    for (int reg = 0; reg < naive::deletion; ++reg) {
      const auto r = static_cast<Reg>(reg);
      const auto want = model.shown(r, frozen ? inside : std::nullopt);
      if (!same_register(history, shown.find(key_of(r)), want)) {
        return "register " + std::to_string(reg) + (frozen ? " frozen" : "");
      }
    }
    if (shown.deleted != model.is_deleted()) return "deleted";
    if (shown.restored.has_value() != model.is_restored()) return "restored";
    if (frozen && !same_amendments(history, shown.amendments, model.amendments(*inside))) {
      return "amendments";
    }
  }
  return {};
}

/// Checks one history in every delivery order with every gap and duplicate. Instead of walking n!
/// orders it shows, for every set S of received ops and every op in S, that applying that op last
/// leads to the same state: by induction over the size of S every order ends there.
void check_history(const History& history) {
  const std::vector<OpMaker> makers = encode(history);
  const std::size_t count = makers.size();
  std::vector<RecordState> states(std::size_t{1} << count);
  for (Ops received = 1; received < states.size(); ++received) {
    bool first = true;
    for (std::size_t last = 0; last < count; ++last) {
      if (!has(received, static_cast<int>(last))) continue;
      RecordState state = states[received & ~(1u << last)];
      const auto applied = state.apply(makers[last].dot, makers[last].op, makers[last].stamp);
      ASSERT_TRUE(applied && *applied == RecordState::Applied::applied) << describe(history);
      if (first) {
        states[received] = std::move(state);
      } else {
        ASSERT_TRUE(state == states[received]) << "order" << describe(history);
      }
      first = false;
    }
    RecordState again = states[received];
    for (std::size_t op = 0; op < count; ++op) {
      if (!has(received, static_cast<int>(op))) continue;
      const auto applied = again.apply(makers[op].dot, makers[op].op, makers[op].stamp);
      ASSERT_TRUE(applied && *applied == RecordState::Applied::duplicate);
    }
    ASSERT_TRUE(again == states[received]) << "duplicate" << describe(history);
    const std::string differs = difference(history, states[received], received);
    ASSERT_EQ(differs, "") << "received " << received << describe(history);
  }
}

const std::vector<Kind> kEveryKind{
    Kind::set_title,  Kind::set_group,   Kind::set_answer,     Kind::clear_answer,
    Kind::add_tool,   Kind::remove_tool, Kind::append_note,    Kind::write_paragraph,
    Kind::transition, Kind::remove,      Kind::resolve_answer,
};

// Sanitizers make each history ten times dearer: they look at a sample.
#if defined(DUHUI_SANITIZED)
constexpr std::size_t kStep = 23;
#else
constexpr std::size_t kStep = 1;
#endif

/// What one op slot may be.
struct Slot {
  Kind kind;
  int replica;
  unsigned pulls;
};

/// Checks every (or every kStep-th) combination of slots after a creating op on replica 0; how many
/// there are.
std::size_t check_all(const std::vector<std::vector<Slot>>& slots) {
  std::size_t checked = 0;
  std::vector<std::size_t> at(slots.size(), 0);
  for (bool more = true; more && !testing::Test::HasFatalFailure();) {
    Builder builder(checked % 4);
    builder.add(Kind::create, 0, 0);
    bool possible = true;
    for (std::size_t slot = 0; slot < slots.size() && possible; ++slot) {
      const Slot& choice = slots[slot][at[slot]];
      possible = !builder.is_full(choice.replica);
      if (possible) builder.add(choice.kind, choice.replica, choice.pulls);
    }
    if (possible) {
      if (checked % kStep == 0) check_history(builder.history);
      ++checked;
    }
    more = false;
    for (std::size_t slot = 0; slot < slots.size() && !more; ++slot) {
      at[slot] = (at[slot] + 1) % slots[slot].size();
      more = at[slot] != 0;
    }
  }
  return checked;
}

std::vector<Slot> slots_of(const std::vector<Kind>& kinds,
                           const std::vector<int>& replicas,
                           const std::vector<unsigned>& pulls) {
  std::vector<Slot> out;
  for (const Kind kind : kinds) {
    for (const int replica : replicas) {
      for (const unsigned pull : pulls) out.push_back({kind, replica, pull});
    }
  }
  return out;
}

/// Pulls of a replica from each subset of the two others.
std::vector<unsigned> pulls_of(int replica) {
  const unsigned a = 1u << (replica + 1) % 3, b = 1u << (replica + 2) % 3;
  return {0, a, b, a | b};
}

TEST(EveryHistory, OfThreeOpsAnywhereMergesAsTheModelSays) {
  const std::vector<Slot> any = [] {
    std::vector<Slot> out;
    for (const int replica : {0, 1, 2}) {
      const auto slots = slots_of(kEveryKind, {replica}, pulls_of(replica));
      out.insert(out.end(), slots.begin(), slots.end());
    }
    return out;
  }();
  EXPECT_EQ(check_all({any}), 132u);
  const std::size_t checked = check_all({any, any});
  EXPECT_GE(checked, 15'000u);
  RecordProperty("histories", static_cast<int>(checked));
}

TEST(EveryHistory, OfFourOpsOnThreeReplicasMergesAsTheModelSays) {
  const std::size_t checked =
      check_all({slots_of(kEveryKind, {1}, pulls_of(1)), slots_of(kEveryKind, {2}, pulls_of(2)),
                 slots_of(kEveryKind, {0}, pulls_of(0))});
  EXPECT_EQ(checked, 85'184u);
}

TEST(EveryHistory, OfThreeTimesTwoOpsOfKindsThatMeetMergesAsTheModelSays) {
  const std::vector<std::vector<Kind>> families{
      {Kind::set_title, Kind::transition, Kind::remove},
      {Kind::set_answer, Kind::clear_answer},
      {Kind::set_answer, Kind::resolve_answer},
      {Kind::add_tool, Kind::remove_tool},
      {Kind::append_note, Kind::remove},
      {Kind::append_note, Kind::transition},
      {Kind::write_paragraph, Kind::set_group},
      {Kind::raise_level, Kind::set_first},
      {Kind::set_grade, Kind::set_number},
      {Kind::set_number, Kind::transition},
  };
  std::size_t checked = 0;
  for (const auto& kinds : families) {
    std::vector<std::vector<Slot>> slots;
    for (const int replica : {1, 2, 0, 1, 2}) slots.push_back(slots_of(kinds, {replica}, {0, 7}));
    checked += check_all(slots);
  }
  EXPECT_EQ(checked, 7'776u + 9 * 1'024u);
}

}  // namespace
}  // namespace duhui
