#include "shared/sync/op_builder.h"

#include <algorithm>
#include <tuple>
#include <unordered_set>

#include "duhui/store/v1/store.pb.h"
#include "shared/crypto/text.h"

namespace duhui {
namespace {

using SeenDots = std::unordered_set<Dot>;

Result<store::v1::SeenToken> read_token(const Intent& intent) {
  const auto bytes = from_base64url(intent.seen);
  store::v1::SeenToken token;
  if (!bytes || !token.ParseFromString(*bytes)) {
    return Error{ErrorCode::invalid_input, "seen: not a token"};
  }
  if (token.record_id() != intent.record.view()) {
    return Error{ErrorCode::invalid_input, "seen: token of another record"};
  }
  return token;
}

Result<SeenDots> seen_dots(const Intent& intent, const RecordState& state, const Origin& own) {
  SeenDots seen;
  if (intent.seen.empty()) {
    for (const Dot& dot : state.frontier()) seen.insert(dot);
    return seen;
  }
  DUHUI_TRY(token, read_token(intent));
  for (const sync::v1::Dot& dot : token.dots()) {
    const auto origin = Origin::from_bytes(dot.origin());
    if (!origin) return Error{ErrorCode::invalid_input, "seen: not a token"};
    seen.insert(Dot{*origin, dot.seq()});
  }
  // A person's own later edits on the same device count as seen: the form stays open while they
  // save.
  for (const auto& [dot, facts] : state.ops()) {
    const bool later =
        dot.origin == own && (token.own_origin() != own.view() || dot.seq > token.own_seq());
    if (later && facts.person == intent.person) seen.insert(dot);
  }
  return seen;
}

void add_write(const IntendedWrite& intended,
               const RecordState& state,
               const SeenDots& seen,
               const Dot& own,
               sync::v1::Op* op) {
  sync::v1::Write* write = op->add_writes();
  write->set_field(intended.key.field);
  if (!intended.key.key.empty()) write->set_key(intended.key.key);
  if (intended.value) write->set_value(*intended.value);
  const auto replace = [&](const Dot& dot) {
    if (seen.contains(dot)) write_dot(dot, own.origin, write->add_replaces());
  };
  if (const Register* current = state.find(intended.key)) {
    for (const RegisterWrite& live : current->live) replace(live.dot);
  }
  // Who writes what somebody proposed has dealt with the proposal, whatever they wrote.
  for (const auto& [key, proposed] : state.proposals()) {
    if (key == intended.key && !state.is_dealt_with(key, proposed.dot)) replace(proposed.dot);
  }
}

/// As `latest` would choose.
bool is_later(const RecordState& state, const Dot& one, const Dot& other) {
  const OpStamp& left = state.op(one)->stamp;
  const OpStamp& right = state.op(other)->stamp;
  return std::tie(left.effective_ms, left.rank, one) >
         std::tie(right.effective_ms, right.rank, other);
}

}  // namespace

std::string make_seen_token(const RecordId& record, const RecordState& state, const Dot& own) {
  store::v1::SeenToken token;
  token.set_record_id(record.str());
  for (const Dot& dot : state.frontier()) {
    sync::v1::Dot* out = token.add_dots();
    out->set_origin(dot.origin.str());
    out->set_seq(dot.seq);
  }
  token.set_own_origin(own.origin.str());
  token.set_own_seq(own.seq);
  return to_base64url(token.SerializeAsString());
}

Result<std::map<RegisterKey, std::optional<std::string>>> changed_since_seen(
    const Intent& intent, const RecordState& state, const Origin& own) {
  std::map<RegisterKey, std::optional<std::string>> changed;
  if (intent.seen.empty()) return changed;
  DUHUI_TRY(seen, seen_dots(intent, state, own));
  const auto was_seen = [&seen](const Dot& dot) { return seen.contains(dot); };
  for (const auto& [key, reg] : state.registers()) {
    const bool same = std::all_of(reg.live.begin(), reg.live.end(),
                                  [&](const RegisterWrite& write) { return was_seen(write.dot); });
    if (same) continue;
    const RegisterWrite* newest = nullptr;
    for (const std::vector<RegisterWrite>* writes : {&reg.live, &reg.history}) {
      for (const RegisterWrite& write : *writes) {
        const bool replaced =
            std::any_of(write.replaced_by.begin(), write.replaced_by.end(), was_seen);
        if (!was_seen(write.dot) || replaced) continue;
        if (newest == nullptr || is_later(state, write.dot, newest->dot)) newest = &write;
      }
    }
    changed[key] = newest == nullptr ? std::nullopt : newest->value;
  }
  return changed;
}

Result<sync::v1::Op> build_op(const Intent& intent, const RecordState& state, const Dot& own) {
  // Ops of others may have come before the record they are about is made here.
  const bool exists = intent.creates ? state.stage() == RecordState::Stage::born
                                     : state.stage() != RecordState::Stage::empty;
  if (intent.creates == exists) {
    return Error{intent.creates ? ErrorCode::conflict : ErrorCode::not_found,
                 intent.creates ? "record exists" : "no such record"};
  }
  auto seen = seen_dots(intent, state, own.origin);
  if (!seen) return std::move(seen).error();
  sync::v1::Op op;
  op.set_record_id(intent.record.str());
  op.set_record_type(intent.type);
  op.set_person(intent.person);
  op.set_rank(intent.rank);
  op.set_sign_in(intent.sign_in);
  if (!intent.reason.empty()) op.set_reason(intent.reason);
  if (intent.creates) {
    op.set_creates(true);
    op.set_scope(intent.scope);
  } else if (state.born()) {
    write_dot(*state.born(), own.origin, op.mutable_born());
  }
  // Whoever makes a record has seen nothing of it.
  if (intent.creates) seen->clear();
  for (const IntendedWrite& write : intent.writes) add_write(write, state, *seen, own, &op);
  if (intent.sees_all) {
    for (const Dot& dot : state.frontier()) {
      if (seen->contains(dot)) write_dot(dot, own.origin, op.add_sees());
    }
  }
  return op;
}

}  // namespace duhui
