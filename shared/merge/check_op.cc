#include <algorithm>
#include <vector>

#include "shared/base/scope.h"
#include "shared/merge/limits.h"
#include "shared/merge/record_state.h"

namespace duhui {
namespace {

Error malformed(std::string detail) { return {ErrorCode::invalid_input, std::move(detail)}; }

Error over(const char* what) {
  return {ErrorCode::invalid_input, std::string("op over its limit: ") + what};
}

Status check_dots(const Dot& own,
                  const google::protobuf::RepeatedPtrField<sync::v1::Dot>& dots,
                  const char* where) {
  for (const sync::v1::Dot& dot : dots) {
    const auto read = read_dot(dot, own.origin);
    if (!read) return malformed(std::string(where) + " holds a malformed dot");
    if (*read == own) return malformed(std::string(where) + " names the op itself");
  }
  return Done{};
}

Status check_write(const Dot& own, const sync::v1::Write& write) {
  if (write.field() == 0 || write.field() > kFieldNumberMax) return malformed("field number");
  if (write.key().size() > kKeyBytesMax) return over("key bytes");
  if (write.value().size() > kValueBytesMax) return over("value bytes");
  if (write.replaces_size() > kReplacesPerWriteMax) return over("replaces per write");
  return check_dots(own, write.replaces(), "replaces");
}

bool key_less(const sync::v1::Write* a, const sync::v1::Write* b) {
  return a->field() != b->field() ? a->field() < b->field() : a->key() < b->key();
}

Status check_one_write_per_register(const sync::v1::Op& op) {
  const auto& writes = op.writes();
  bool ascending = true;  // as well-behaved writers send them
  for (int at = 1; at < writes.size() && ascending; ++at) {
    ascending = key_less(&writes[at - 1], &writes[at]);
  }
  if (ascending) return Done{};
  std::vector<const sync::v1::Write*> sorted(writes.pointer_begin(), writes.pointer_end());
  std::sort(sorted.begin(), sorted.end(), key_less);
  for (std::size_t at = 1; at < sorted.size(); ++at) {
    if (!key_less(sorted[at - 1], sorted[at])) return malformed("two writes of one register");
  }
  return Done{};
}

Status check_birth(const Dot& own, const sync::v1::Op& op) {
  if (op.creates()) {
    if (op.has_born()) return malformed("a creating op names another birth");
    return Done{};
  }
  if (!op.has_born()) return malformed("neither creates nor names the birth");
  const auto born = read_dot(op.born(), own.origin);
  if (!born) return malformed("born is a malformed dot");
  if (*born == own) return malformed("born names the op itself");
  if (!op.scope().empty()) return malformed("only a creating op may have a scope");
  return Done{};
}

}  // namespace

Status check_op(const Dot& own, const sync::v1::Op& op) {
  if (own.seq == 0) return malformed("seq 0");
  if (op.record_id().size() != 16) return malformed("record id is not 16 bytes");
  if (op.record_type() == 0) return malformed("record type 0");
  if (op.writes_size() > kWritesPerOpMax) return over("writes");
  if (op.sees_size() > kSeesPerOpMax) return over("sees");
  if (op.person().size() > kPersonBytesMax) return over("person bytes");
  if (op.reason().size() > kReasonBytesMax) return over("reason bytes");
  if (op.scope().size() > kScopeBytesMax) return over("scope bytes");
  DUHUI_CHECK_OK(check_birth(own, op));
  for (const sync::v1::Write& write : op.writes()) DUHUI_CHECK_OK(check_write(own, write));
  DUHUI_CHECK_OK(check_one_write_per_register(op));
  return check_dots(own, op.sees(), "sees");
}

std::optional<Dot> read_dot(const sync::v1::Dot& dot, const Origin& op_origin) {
  if (dot.seq() == 0) return std::nullopt;
  if (dot.origin().empty()) return Dot{op_origin, dot.seq()};
  const auto origin = Origin::from_bytes(dot.origin());
  if (!origin) return std::nullopt;
  return Dot{*origin, dot.seq()};
}

void write_dot(const Dot& dot, const Origin& op_origin, sync::v1::Dot* out) {
  if (dot.origin == op_origin) {
    out->clear_origin();
  } else {
    out->set_origin(dot.origin.bytes.data(), dot.origin.bytes.size());
  }
  out->set_seq(dot.seq);
}

}  // namespace duhui
