#include "shared/merge/record_state.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace duhui {
namespace {

std::vector<Dot> read_dots(const google::protobuf::RepeatedPtrField<sync::v1::Dot>& dots,
                           const Origin& op_origin) {
  std::vector<Dot> out;
  out.reserve(static_cast<std::size_t>(dots.size()));
  for (const sync::v1::Dot& dot : dots) {
    if (const auto read = read_dot(dot, op_origin)) out.push_back(*read);
  }
  return out;
}

template <typename Item>
auto position(std::vector<Item>& items, const Dot& dot) {
  return std::lower_bound(items.begin(), items.end(), dot,
                          [](const Item& item, const Dot& d) { return item.dot < d; });
}

template <typename Item>
Item* find_dot(std::vector<Item>& items, const Dot& dot) {
  const auto at = position(items, dot);
  return at != items.end() && at->dot == dot ? &*at : nullptr;
}

void insert_once(std::vector<Dot>& dots, const Dot& dot) {
  const auto at = std::lower_bound(dots.begin(), dots.end(), dot);
  if (at == dots.end() || *at != dot) dots.insert(at, dot);
}

void insert_in_order(std::vector<RegisterWrite>& writes, RegisterWrite write) {
  const auto at = position(writes, write.dot);
  writes.insert(at, std::move(write));
}

void supersede(Register& reg, const Dot& replaced, const Dot& by) {
  if (RegisterWrite* live = find_dot(reg.live, replaced)) {
    RegisterWrite write = std::move(*live);
    reg.live.erase(reg.live.begin() + (live - reg.live.data()));
    write.replaced_by.push_back(by);
    insert_in_order(reg.history, std::move(write));
    return;
  }
  if (RegisterWrite* old = find_dot(reg.history, replaced)) {
    insert_once(old->replaced_by, by);
    return;
  }
  const auto at = position(reg.pending, replaced);
  if (at != reg.pending.end() && at->dot == replaced) {
    insert_once(at->replaced_by, by);
  } else {
    reg.pending.insert(at, PendingReplacement{replaced, {by}});
  }
}

void merge_write(Register& reg, RegisterWrite write) {
  for (const Dot& replaced : write.replaces) supersede(reg, replaced, write.dot);
  const auto pending = position(reg.pending, write.dot);
  if (pending != reg.pending.end() && pending->dot == write.dot) {
    write.replaced_by = std::move(pending->replaced_by);
    reg.pending.erase(pending);
    insert_in_order(reg.history, std::move(write));
  } else {
    insert_in_order(reg.live, std::move(write));
  }
}

/// The inverse of merge_write: the register as if the write had never come. Empty optional: it has
/// no such write.
std::optional<RegisterWrite> withdraw(Register& reg, const Dot& dot) {
  std::vector<RegisterWrite>& home = find_dot(reg.live, dot) != nullptr ? reg.live : reg.history;
  RegisterWrite* found = find_dot(home, dot);
  if (found == nullptr) return std::nullopt;
  RegisterWrite write = std::move(*found);
  home.erase(home.begin() + (found - home.data()));
  for (const Dot& replaced : write.replaces) {
    if (RegisterWrite* old = find_dot(reg.history, replaced)) {
      std::erase(old->replaced_by, dot);
      if (!old->replaced_by.empty()) continue;
      RegisterWrite back = std::move(*old);
      reg.history.erase(reg.history.begin() + (old - reg.history.data()));
      insert_in_order(reg.live, std::move(back));
    } else if (PendingReplacement* pending = find_dot(reg.pending, replaced)) {
      std::erase(pending->replaced_by, dot);
      if (pending->replaced_by.empty()) {
        reg.pending.erase(reg.pending.begin() + (pending - reg.pending.data()));
      }
    }
  }
  // Whoever replaced it still did.
  if (!write.replaced_by.empty()) {
    reg.pending.insert(position(reg.pending, dot), {dot, std::move(write.replaced_by)});
    write.replaced_by.clear();
  }
  return write;
}

// The strings of an op that may be consumed are moved, those of a constant one copied.
const sync::v1::Write& write_at(const sync::v1::Op& op, int at) { return op.writes(at); }
sync::v1::Write& write_at(sync::v1::Op& op, int at) { return *op.mutable_writes(at); }
const std::string& key_of(const sync::v1::Write& write) { return write.key(); }
std::string&& key_of(sync::v1::Write& write) { return std::move(*write.mutable_key()); }
const std::string& value_of(const sync::v1::Write& write) { return write.value(); }
std::string&& value_of(sync::v1::Write& write) { return std::move(*write.mutable_value()); }
const std::string& person_of(const sync::v1::Op& op) { return op.person(); }
std::string&& person_of(sync::v1::Op& op) { return std::move(*op.mutable_person()); }
const std::string& reason_of(const sync::v1::Op& op) { return op.reason(); }
std::string&& reason_of(sync::v1::Op& op) { return std::move(*op.mutable_reason()); }

bool op_before(const std::pair<Dot, OpFacts>& op, const Dot& dot) { return op.first < dot; }

bool key_before(const RegisterKey& a, std::uint32_t field, std::string_view key) {
  return a.field != field ? a.field < field : a.key < key;
}

}  // namespace

template <typename AnyOp>
Result<RecordState::Applied> RecordState::take(const Dot& dot, AnyOp&& op, const OpStamp& stamp) {
  const auto place = std::lower_bound(ops_.begin(), ops_.end(), dot, op_before);
  if (place != ops_.end() && place->first == dot) return Applied::duplicate;
  DUHUI_CHECK_OK(check_op(dot, op));

  note_birth(dot, op);
  if (registers_.empty()) registers_.reserve(static_cast<std::size_t>(op.writes_size()));
  for (int at = 0; at < op.writes_size(); ++at) {
    auto& from = write_at(op, at);
    RegisterWrite write{.dot = dot, .value = {}, .replaces = {}, .replaced_by = {}};
    if (from.has_value()) write.value.emplace(value_of(from));
    if (from.replaces_size() > 0) write.replaces = read_dots(from.replaces(), dot.origin);
    put_write({from.field(), key_of(from)}, std::move(write), stamp.proposal);
  }

  OpFacts facts;
  facts.type = op.record_type();
  facts.stamp = stamp;
  facts.hlc = op.time().hlc();
  facts.creates = op.creates();
  facts.sign_in = op.sign_in();
  facts.sees = read_dots(op.sees(), dot.origin);
  std::sort(facts.sees.begin(), facts.sees.end());
  facts.person = person_of(op);
  facts.reason = reason_of(op);
  ops_.emplace(place, dot, std::move(facts));
  return Applied::applied;
}

Result<RecordState::Applied> RecordState::apply(const Dot& dot,
                                                const sync::v1::Op& op,
                                                const OpStamp& stamp) {
  return take(dot, op, stamp);
}

Result<RecordState::Applied> RecordState::apply(const Dot& dot,
                                                sync::v1::Op&& op,
                                                const OpStamp& stamp) {
  return take(dot, op, stamp);
}

void RecordState::note_birth(const Dot& dot, const sync::v1::Op& op) {
  if (op.creates()) {
    if (created_ && *born_ < dot) return;
    created_ = true;
    born_ = dot;
    type_ = op.record_type();
    scope_ = op.scope();
  } else if (!created_) {
    const auto named = read_dot(op.born(), dot.origin);
    if (!born_ || *named < *born_) born_ = named;
    if (type_ == 0 || op.record_type() < type_) type_ = op.record_type();
  }
}

Register& RecordState::register_at(std::uint32_t field, std::string key) {
  if (registers_.empty() || key_before(registers_.back().first, field, key)) {
    return registers_.emplace_back(RegisterKey{field, std::move(key)}, Register{}).second;
  }
  auto at = std::lower_bound(registers_.begin(), registers_.end(), key,
                             [field](const auto& entry, const std::string& k) {
                               return key_before(entry.first, field, k);
                             });
  if (at->first.field != field || at->first.key != key) {
    at = registers_.emplace(at, RegisterKey{field, std::move(key)}, Register{});
  }
  return at->second;
}

void RecordState::put_write(RegisterKey key, RegisterWrite write, bool proposal) {
  if (!proposal) {
    merge_write(register_at(key.field, std::move(key.key)), std::move(write));
    return;
  }
  const auto at = std::lower_bound(proposals_.begin(), proposals_.end(), std::tie(key, write.dot),
                                   [](const auto& entry, const auto& place) {
                                     return std::tie(entry.first, entry.second.dot) < place;
                                   });
  proposals_.emplace(at, std::move(key), std::move(write));
}

void RecordState::restamp(const Dot& dot, const OpStamp& stamp) {
  const auto at = std::lower_bound(ops_.begin(), ops_.end(), dot, op_before);
  if (at == ops_.end() || at->first != dot) return;
  const bool was = std::exchange(at->second.stamp, stamp).proposal;
  if (was && !stamp.proposal) merge_proposals_of(dot);
  if (!was && stamp.proposal) withdraw_writes_of(dot);
}

void RecordState::merge_proposals_of(const Dot& dot) {
  Proposals others;
  for (auto& [key, write] : std::exchange(proposals_, {})) {
    if (write.dot == dot) {
      put_write(std::move(key), std::move(write), false);
    } else {
      others.emplace_back(std::move(key), std::move(write));
    }
  }
  proposals_ = std::move(others);
}

void RecordState::withdraw_writes_of(const Dot& dot) {
  for (auto& [key, reg] : registers_) {
    if (auto write = withdraw(reg, dot)) put_write(key, std::move(*write), true);
  }
  std::erase_if(registers_, [](const auto& entry) { return entry.second == Register{}; });
}

bool RecordState::is_dealt_with(const RegisterKey& key, const Dot& proposal) const {
  // A later proposal, too: the earlier one is what its author gave up.
  for (const auto& [place, write] : proposals_) {
    if (place == key && std::ranges::find(write.replaces, proposal) != write.replaces.end()) {
      return true;
    }
  }
  const Register* reg = find(key);
  if (reg == nullptr) return false;
  const auto at = std::lower_bound(reg->pending.begin(), reg->pending.end(), proposal,
                                   [](const auto& item, const Dot& d) { return item.dot < d; });
  return at != reg->pending.end() && at->dot == proposal;
}

RecordState::Stage RecordState::stage() const {
  if (created_) return Stage::born;
  return ops_.empty() ? Stage::empty : Stage::shell;
}

const Register* RecordState::find(const RegisterKey& key) const {
  const auto at = std::lower_bound(registers_.begin(), registers_.end(), key,
                                   [](const auto& entry, const RegisterKey& k) {
                                     return key_before(entry.first, k.field, k.key);
                                   });
  return at != registers_.end() && at->first == key ? &at->second : nullptr;
}

const OpFacts* RecordState::op(const Dot& dot) const {
  const auto at = std::lower_bound(ops_.begin(), ops_.end(), dot, op_before);
  return at != ops_.end() && at->first == dot ? &at->second : nullptr;
}

std::vector<Dot> RecordState::frontier() const {
  std::vector<Dot> dots;
  for (const auto& [key, reg] : registers_) {
    for (const RegisterWrite& write : reg.live) dots.push_back(write.dot);
  }
  for (const auto& [key, write] : proposals_) {
    if (!is_dealt_with(key, write.dot)) dots.push_back(write.dot);
  }
  std::sort(dots.begin(), dots.end());
  dots.erase(std::unique(dots.begin(), dots.end()), dots.end());
  return dots;
}

}  // namespace duhui
