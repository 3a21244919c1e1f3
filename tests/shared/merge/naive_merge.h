#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shared/merge/record_state.h"

namespace duhui::naive {

/// A set of ops of one history, by index.
using Ops = unsigned;

inline bool has(Ops ops, int op) { return (ops >> op & 1u) != 0; }

/// The registers of the sample record that histories write.
enum Reg : int {
  title,
  group,
  answer,
  tool,
  notes,
  paragraph_0,
  paragraph_1,
  paragraph_2,
  events,
  level,
  first,
  grade,
  number,
  deletion,
  reg_count
};

enum class Kind : std::uint8_t {
  create,
  set_title,
  set_group,
  set_answer,
  clear_answer,
  resolve_answer,
  add_tool,
  remove_tool,
  append_note,
  write_paragraph,
  transition,
  remove,
  raise_level,
  set_first,
  set_grade,
  set_number,
};

struct Write {
  Reg reg = title;
  std::optional<int> value;
  Ops replaces = 0;
};

struct Op {
  Kind kind = Kind::create;
  int replica = 0;
  std::uint64_t seq = 0;
  std::string person;
  std::int64_t effective = 0;
  std::uint32_t rank = 0;
  bool at_hub = false;
  std::vector<Write> writes;
  Ops sees = 0;
  Ops known = 0;  // what its replica held when it was saved
};

struct History {
  std::vector<Op> ops;
};

/// What one register should show. Indices of ops; `shown` in order, the others as sets.
struct Expected {
  std::vector<int> shown;
  Ops siblings = 0;
  Ops proposals = 0;
  Ops rest = 0;
};

/// What the record should show after exactly `received` was applied. Straight from the definitions
/// of docs/merge.md, by brute force; shares no code with shared/merge.
class Model {
 public:
  Model(const History& history, Ops received) : history_(history), received_(received) {}

  const Write* write_of(int op, Reg reg) const;
  Ops writers(Reg reg) const;
  Ops live(Reg reg) const;
  Ops frontier() const;

  /// `inside`: the ops a freezing event had seen, with itself; absent: not frozen.
  Expected shown(Reg reg, std::optional<Ops> inside) const;
  /// (op, register) of every pending amendment.
  std::vector<std::pair<int, Reg>> amendments(Ops inside) const;

  bool is_deleted() const;
  bool is_restored() const;

 private:
  bool later(int a, int b) const;
  int latest(Ops ops) const;
  Ops with_value(Ops ops, Reg reg) const;
  int value(int op, Reg reg) const { return *write_of(op, reg)->value; }
  Ops counted(Reg reg, std::optional<Ops> inside) const;
  Ops pool(Reg reg, Ops counted) const;
  std::vector<int> listed(Ops ops, Reg reg) const;
  bool followed_by_hub(int op, Reg reg, Ops counted) const;
  Ops voices(Ops ops, Reg reg) const;
  Ops unseen(int deleting) const;
  void decide(Reg reg, Ops pool, Ops all, Expected& out) const;

  const History& history_;
  const Ops received_;
};

}  // namespace duhui::naive
