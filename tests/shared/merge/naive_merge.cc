#include "naive_merge.h"

#include <tuple>

namespace duhui::naive {
namespace {

bool is_list(Reg reg) { return reg == notes || reg == events; }
bool stays_open(Reg reg) { return reg == events; }

}  // namespace

const Write* Model::write_of(int op, Reg reg) const {
  for (const Write& write : history_.ops[static_cast<std::size_t>(op)].writes) {
    if (write.reg == reg) return &write;
  }
  return nullptr;
}

Ops Model::writers(Reg reg) const {
  Ops out = 0;
  for (int op = 0; op < static_cast<int>(history_.ops.size()); ++op) {
    if (has(received_, op) && write_of(op, reg) != nullptr) out |= 1u << op;
  }
  return out;
}

/// Received and named by no received write.
Ops Model::live(Reg reg) const {
  const Ops all = writers(reg);
  Ops named = 0;
  for (int op = 0; all >> op != 0; ++op) {
    if (has(all, op)) named |= write_of(op, reg)->replaces;
  }
  return all & ~named;
}

Ops Model::frontier() const {
  Ops out = 0;
  for (int reg = 0; reg < reg_count; ++reg) out |= live(static_cast<Reg>(reg));
  return out;
}

bool Model::later(int a, int b) const {
  const auto order = [this](int op) {
    const Op& o = history_.ops[static_cast<std::size_t>(op)];
    return std::tuple(o.effective, o.rank, o.replica, o.seq);
  };
  return order(a) > order(b);
}

int Model::latest(Ops ops) const {
  int best = -1;
  for (int op = 0; ops >> op != 0; ++op) {
    if (has(ops, op) && (best < 0 || later(op, best))) best = op;
  }
  return best;
}

Ops Model::with_value(Ops ops, Reg reg) const {
  Ops out = 0;
  for (int op = 0; ops >> op != 0; ++op) {
    if (has(ops, op) && write_of(op, reg)->value) out |= 1u << op;
  }
  return out;
}

/// The writes that count: all, or those a freezing event knew, directly or through a later one.
Ops Model::counted(Reg reg, std::optional<Ops> inside) const {
  if (!inside || stays_open(reg)) return writers(reg);
  Ops out = writers(reg) & *inside;
  for (Ops before = 0; before != out;) {
    before = out;
    for (int op = 0; before >> op != 0; ++op) {
      if (has(before, op)) out |= write_of(op, reg)->replaces & writers(reg);
    }
  }
  return out;
}

/// The writes a policy chooses among.
Ops Model::pool(Reg reg, Ops counted) const {
  Ops named = 0;
  for (int op = 0; counted >> op != 0; ++op) {
    if (has(counted, op)) named |= write_of(op, reg)->replaces;
  }
  return is_list(reg) ? counted : counted & ~named;
}

/// Repeatedly the earliest of those whose predecessors are all out.
std::vector<int> Model::listed(Ops ops, Reg reg) const {
  std::vector<int> out;
  for (Ops left = ops; left != 0;) {
    int next = -1;
    for (int op = 0; left >> op != 0; ++op) {
      if (!has(left, op) || (write_of(op, reg)->replaces & left) != 0) continue;
      const auto order = [this](int o) {
        const Op& it = history_.ops[static_cast<std::size_t>(o)];
        return std::tuple(it.effective, it.replica, it.seq);
      };
      if (next < 0 || order(op) < order(next)) next = op;
    }
    out.push_back(next);
    left &= ~(1u << next);
  }
  return out;
}

/// Of one person only the latest write speaks, and only if it says something.
Ops Model::voices(Ops ops, Reg reg) const {
  Ops out = 0;
  for (int op = 0; ops >> op != 0; ++op) {
    if (!has(ops, op)) continue;
    bool overtaken = false;
    for (int other = 0; ops >> other != 0; ++other) {
      const auto& person = history_.ops[static_cast<std::size_t>(op)].person;
      overtaken = overtaken || (has(ops, other) && later(other, op) &&
                                history_.ops[static_cast<std::size_t>(other)].person == person);
    }
    if (!overtaken) out |= 1u << op;
  }
  return with_value(out, reg);
}

bool Model::followed_by_hub(int op, Reg reg, Ops counted) const {
  for (int next = 0; counted >> next != 0; ++next) {
    if (!has(counted, next) || !has(write_of(next, reg)->replaces, op)) continue;
    if (history_.ops[static_cast<std::size_t>(next)].at_hub) return true;
    if (followed_by_hub(next, reg, counted)) return true;
  }
  return false;
}

void Model::decide(Reg reg, Ops pool, Ops all, Expected& out) const {
  const auto show = [&](int op) {
    if (op >= 0 && write_of(op, reg)->value) out.shown.push_back(op);
  };
  const Ops valued = with_value(pool, reg);
  switch (reg) {
    case answer: {
      const Ops speaking = voices(pool, reg);
      bool differ = false;
      for (int op = 0; speaking >> op != 0; ++op) {
        differ = differ || (has(speaking, op) && value(op, reg) != value(latest(speaking), reg));
      }
      if (differ) {
        out.siblings = speaking;
      } else {
        show(latest(speaking));
      }
      return;
    }
    case tool:
      return show(latest(valued));
    case notes:
    case events:
      out.shown = listed(valued, reg);
      return;
    case level:
    case grade: {
      // `level`: highest rank, then greatest value, then latest. `grade`: highest rank, then
      // latest.
      int best = -1;
      const Ops candidates = reg == level ? valued : pool;
      for (int op = 0; candidates >> op != 0; ++op) {
        if (!has(candidates, op)) continue;
        const auto better = [&](int a, int b) {
          const auto rank = [&](int o) { return history_.ops[static_cast<std::size_t>(o)].rank; };
          if (rank(a) != rank(b)) return rank(a) > rank(b);
          if (reg == level && value(a, reg) != value(b, reg)) return value(a, reg) > value(b, reg);
          return later(a, b);
        };
        if (best < 0 || better(op, best)) best = op;
      }
      return show(best);
    }
    case first: {
      int best = -1;
      for (int op = 0; valued >> op != 0; ++op) {
        if (has(valued, op) && (best < 0 || later(best, op))) best = op;
      }
      return show(best);
    }
    case number: {
      Ops decided = 0;
      for (int op = 0; all >> op != 0; ++op) {
        const bool at_hub = history_.ops[static_cast<std::size_t>(op)].at_hub;
        if (has(all, op) && at_hub && !followed_by_hub(op, reg, all)) decided |= 1u << op;
        if (has(pool, op) && !at_hub) out.proposals |= 1u << op;
      }
      return show(latest(decided));
    }
    default:
      return show(latest(pool));
  }
}

Expected Model::shown(Reg reg, std::optional<Ops> inside) const {
  const Ops all = counted(reg, inside);
  Expected out;
  decide(reg, pool(reg, all), all, out);
  out.rest = writers(reg) & ~out.siblings & ~out.proposals;
  for (const int op : out.shown) out.rest &= ~(1u << op);
  return out;
}

std::vector<std::pair<int, Reg>> Model::amendments(Ops inside) const {
  std::vector<std::pair<int, Reg>> out;
  for (int op = 0; op < static_cast<int>(history_.ops.size()); ++op) {
    for (int reg = 0; reg < deletion; ++reg) {
      const auto r = static_cast<Reg>(reg);
      if (!stays_open(r) && has(live(r), op) && !has(inside, op)) out.emplace_back(op, r);
    }
  }
  return out;
}

/// Live writes elsewhere that the deletion had not seen.
Ops Model::unseen(int deleting) const {
  Ops out = 0;
  for (int reg = 0; reg < deletion; ++reg) out |= live(static_cast<Reg>(reg));
  return out & ~history_.ops[static_cast<std::size_t>(deleting)].sees & ~(1u << deleting);
}

bool Model::is_deleted() const {
  for (int op = 0; live(deletion) >> op != 0; ++op) {
    if (has(live(deletion), op) && unseen(op) == 0) return true;
  }
  return false;
}

bool Model::is_restored() const { return live(deletion) != 0 && !is_deleted(); }

}  // namespace duhui::naive
