// Any bytes as ops: what is well formed merges to the same state in any order, and `live` is what
// a naive reading of the rule says.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "shared/merge/record_state.h"
#include "shared/merge/schema.h"
#include "shared/merge/view.h"
#include "tests/fuzz/input.h"

namespace duhui {
namespace {

struct Arrived {
  Dot dot;
  sync::v1::Op op;
  OpStamp stamp;
};

/// Ops of few streams, so that they meet; a dot is given once.
std::vector<Arrived> read_ops(fuzz::Input& input) {
  std::vector<Arrived> ops;
  std::set<Dot> taken;
  while (!input.empty() && ops.size() < 24) {
    Arrived arrived;
    const std::uint8_t name = input.byte();
    arrived.dot.origin.bytes.fill(static_cast<char>('A' + name % 3));
    arrived.dot.seq = 1 + name / 3 % 16;
    arrived.stamp.effective_ms = input.byte();
    arrived.stamp.rank = input.byte() % 8u;
    arrived.stamp.at_hub = arrived.stamp.rank == 7;
    arrived.stamp.quality = sync::v1::TIME_QUALITY_GOOD;
    const std::string_view bytes = input.part();
    if (!arrived.op.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) continue;
    if (!check_op(arrived.dot, arrived.op) || !taken.insert(arrived.dot).second) continue;
    ops.push_back(std::move(arrived));
  }
  return ops;
}

RecordState applied(const std::vector<Arrived>& ops) {
  RecordState state;
  for (const Arrived& arrived : ops) {
    const auto result = state.apply(arrived.dot, arrived.op, arrived.stamp);
    fuzz::require(result.has_value(), "a well formed op is applied");
    fuzz::require(*result == RecordState::Applied::applied, "a new dot is no duplicate");
  }
  return state;
}

/// "Received writes that no received write of the register replaces", written down naively.
std::map<RegisterKey, std::set<Dot>> naive_live(const std::vector<Arrived>& ops) {
  std::map<RegisterKey, std::set<Dot>> written;
  std::map<RegisterKey, std::set<Dot>> replaced;
  for (const Arrived& arrived : ops) {
    for (const sync::v1::Write& write : arrived.op.writes()) {
      const RegisterKey key{write.field(), write.key()};
      written[key].insert(arrived.dot);
      for (const sync::v1::Dot& dot : write.replaces()) {
        replaced[key].insert(*read_dot(dot, arrived.dot.origin));
      }
    }
  }
  for (auto& [key, dots] : written) {
    const std::set<Dot>& gone = replaced[key];
    std::erase_if(dots, [&](const Dot& dot) { return gone.contains(dot); });
  }
  return written;
}

void check_live(const RecordState& state, const std::vector<Arrived>& ops) {
  const auto expected = naive_live(ops);
  std::size_t registers = 0;
  for (const auto& [key, reg] : state.registers()) {
    std::set<Dot> live;
    for (const RegisterWrite& write : reg.live) live.insert(write.dot);
    const auto at = expected.find(key);
    fuzz::require(live == (at == expected.end() ? std::set<Dot>{} : at->second),
                  "live is as the rule says");
    registers += at == expected.end() ? 0 : 1;
  }
  fuzz::require(registers == expected.size(), "every written register is there");
}

/// As its own type, or as a visit if nobody knows that: hostile types are looked at, too.
void look(const RecordState& state) {
  const RecordSchema* own = Schema::instance().find(state.type());
  const RecordSchema& schema = own == nullptr ? *Schema::instance().find("visit_record") : *own;
  static_cast<void>(view(schema, state, {}).message_bytes());
  const std::vector<Dot> frozen = state.frontier();
  const ViewOptions options{.override_policy = {}, .frozen_at = &frozen};
  static_cast<void>(view(schema, state, options).message_bytes());
  static_cast<void>(shown_message(schema, state, {}));
  for (const auto& [key, reg] : state.registers()) {
    static_cast<void>(explain(schema, state, key, {}));
    for (const RegisterWrite& write : reg.live) {
      if (write.value) static_cast<void>(check_fragment(schema, key, *write.value).has_value());
    }
  }
}

void run(fuzz::Input input) {
  std::vector<Arrived> ops = read_ops(input);
  const RecordState state = applied(ops);
  check_live(state, ops);
  for (const Arrived& arrived : ops) {
    RecordState again = state;
    const auto twice = again.apply(arrived.dot, arrived.op, arrived.stamp);
    fuzz::require(twice && *twice == RecordState::Applied::duplicate && again == state,
                  "a duplicate is free");
  }
  std::reverse(ops.begin(), ops.end());
  fuzz::require(applied(ops) == state, "any order comes to the same state");
  look(state);
}

}  // namespace
}  // namespace duhui

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  duhui::run(duhui::fuzz::Input(bytes, size));
  return 0;
}
