#pragma once

#include <algorithm>
#include <sstream>

#include <rapidcheck.h>

#include "sample_record.h"

namespace duhui {

/// One random edit: numbers from which an op is built, so that rapidcheck can shrink them.
struct Step {
  int replica = 0;
  int kind = 0;
  int pulls = 0;  // replicas whose ops arrive just before
  int value = 0;
  int ms = 0;
  int rank = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << "{r" << step.replica << " kind " << step.kind << " pulls " << step.pulls
             << " value " << step.value << " ms " << step.ms << " rank " << step.rank << "}";
}

inline constexpr int kRandomKinds = 20;
inline const RegisterKey kUnknownRegister{700, {}};

inline std::string unknown_fragment(int value) {
  return std::string("\xe2\x2b\x01", 3) + static_cast<char>('a' + value);
}

/// What the form of a step holds; empty optional: it clears (`cleared`).
inline std::optional<Sheet> form_of(const Step& step, RegisterKey& cleared) {
  const std::string text(1, static_cast<char>('a' + step.value));
  Sheet sheet;
  switch (step.kind) {
    case 0:
      return titled(text);
    case 1:
      sheet.set_place(text), sheet.set_floor(step.value);
      return sheet;
    case 2:
    case 3:
      return answered("A1", step.value % 2 == 0, text);
    case 4:
      return answered(text, true);
    case 5:
      sheet.add_tools()->set_kind("photo");
      sheet.mutable_tools(0)->set_count(step.value);
      return sheet;
    case 6:
      return event(text);
    case 7:
      return noted(text);
    case 8:
      sheet.add_paragraphs()->set_author("p" + std::to_string(step.replica));
      sheet.mutable_paragraphs(0)->set_text(text);
      return sheet;
    case 9:
      sheet.set_level(static_cast<merge_sample::Level>(1 + step.value % 2));
      return sheet;
    case 10:
      sheet.set_highest(step.value + 1), sheet.set_lowest(-step.value - 1);
      return sheet;
    case 11:
      sheet.set_first(text), sheet.set_grade(text);
      return sheet;
    case 12:
      sheet.set_number(text);
      return sheet;
    case 13:
      sheet.set_pupils(step.value + 1);
      return sheet;
    case 14:
      cleared = {4, "A1"};
      return std::nullopt;
    case 15:
      cleared = {5, "photo/"};
      return std::nullopt;
    case 16:
      cleared = {1, {}};
      return std::nullopt;
    default:
      return sheet;
  }
}

/// A creating op and what four replicas made of it, each seeing its own ops and what it pulled.
class RandomHistory {
 public:
  explicit RandomHistory(const std::vector<Step>& steps) {
    ops.push_back(OpMaker(1, 1, "p0").creates().set(titled("new")));
    seqs_[0] = 1;
    apply(known_[0], ops.front());
    has_[0].push_back(0);
    for (const Step& step : steps) add(step);
  }

  std::vector<OpMaker> ops;

 private:
  void add(const Step& step) {
    const auto replica = static_cast<std::size_t>(step.replica);
    for (std::size_t from = 0; from < 4; ++from) {
      if ((step.pulls >> from & 1) == 0 || from == replica) continue;
      for (const std::size_t op : has_[from]) learn(replica, op);
    }
    const RecordState& state = known_[replica];
    OpMaker maker(step.replica + 1, ++seqs_[replica], "p" + std::to_string(step.replica % 3));
    maker.at(step.ms).rank(static_cast<std::uint32_t>(step.rank));
    if (step.replica == 0) maker.at_hub();
    fill(maker, step, state);
    ops.push_back(std::move(maker));
    learn(replica, ops.size() - 1);
  }

  static std::vector<Dot> live_of(const RecordState& state, const RegisterKey& key) {
    std::vector<Dot> out;
    if (const Register* reg = state.find(key)) {
      for (const RegisterWrite& write : reg->live) out.push_back(write.dot);
    }
    return out;
  }

  static void fill(OpMaker& maker, const Step& step, const RecordState& state) {
    RegisterKey cleared;
    const auto write = [&](const RegisterKey& key, std::optional<std::string> value) {
      maker.write(key, std::move(value), live_of(state, key));
    };
    if (step.kind == 17) return write(kUnknownRegister, unknown_fragment(step.value));
    if (step.kind == 18) {
      maker.sees(state.frontier());
      return write({kDeletedField, {}}, OpMaker::deleted_value());
    }
    if (step.kind == 19) {  // replaces what nobody ever wrote
      return void(maker.write({1, {}}, titled("odd").SerializeAsString(), {dot_of(9, 9)}));
    }
    const auto form = form_of(step, cleared);
    if (!form) return write(cleared, std::nullopt);
    const auto fragments = split(sheet_schema(), *form);
    for (const Fragment& fragment : *fragments) write(fragment.key, fragment.value);
    if (step.kind == 6) maker.sees(state.frontier());
  }

  void learn(std::size_t replica, std::size_t op) {
    auto& has = has_[replica];
    if (std::find(has.begin(), has.end(), op) != has.end()) return;
    has.push_back(op);
    apply(known_[replica], ops[op]);
  }

  RecordState known_[4];
  std::vector<std::size_t> has_[4];
  std::uint64_t seqs_[4] = {0, 0, 0, 0};
};

inline RecordState merged(const std::vector<OpMaker>& ops) {
  RecordState state;
  for (const OpMaker& op : ops) apply(state, op);
  return state;
}

/// Everything a view says, as text.
inline std::string dump(const RecordView& view) {
  std::ostringstream out;
  const auto values = [&](const char* name, const std::vector<AuthoredValue>& list) {
    for (const AuthoredValue& value : list) {
      out << ' ' << name << ' ' << to_string(value.dot) << '=' << value.value.value_or("(none)")
          << ' ' << value.person << value.reason << value.stamp.effective_ms;
    }
  };
  for (const ShownRegister& reg : view.registers) {
    out << reg.key.field << '/' << reg.key.key << ' ' << static_cast<int>(reg.policy);
    values("shown", reg.shown);
    values("sibling", reg.siblings);
    values("history", reg.history);
    values("proposal", reg.proposals);
    out << '\n';
  }
  for (const Amendment& amendment : view.amendments) out << "amended " << to_string(amendment.dot);
  if (view.deleted_by) out << "deleted by " << to_string(view.deleted_by->dot);
  if (view.restored) out << "restored for " << to_string(view.restored->because_of);
  return out.str();
}

}  // namespace duhui

template <>
struct rc::Arbitrary<duhui::Step> {
  static Gen<duhui::Step> arbitrary() {
    using duhui::Step;
    return gen::build<Step>(
        gen::set(&Step::replica, gen::inRange(0, 4)),
        gen::set(&Step::kind, gen::inRange(0, duhui::kRandomKinds)),
        gen::set(&Step::pulls, gen::inRange(0, 16)), gen::set(&Step::value, gen::inRange(0, 4)),
        gen::set(&Step::ms, gen::inRange(0, 4)), gen::set(&Step::rank, gen::inRange(0, 3)));
  }
};
