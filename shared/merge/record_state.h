#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/merge/op_stamp.h"

namespace duhui {

/// Field number of the deletion register of every record type.
inline constexpr std::uint32_t kDeletedField = 536'000'000;

/// One register of a record: a field (or a group, under its lowest field number), and the map key,
/// set element or author where the field has such.
struct RegisterKey {
  std::uint32_t field = 0;
  std::string key;

  friend auto operator<=>(const RegisterKey&, const RegisterKey&) = default;
  friend bool operator==(const RegisterKey&, const RegisterKey&) = default;
};

/// A write as a register keeps it.
struct RegisterWrite {
  Dot dot;
  /// Fragment of the record message; absent: cleared or removed.
  std::optional<std::string> value;
  std::vector<Dot> replaces;
  /// The writes that named this one as replaced; empty while it is live.
  std::vector<Dot> replaced_by;  // ordered

  friend bool operator==(const RegisterWrite&, const RegisterWrite&) = default;
};

/// A dot that was named as replaced and whose write in this register has not been received.
struct PendingReplacement {
  Dot dot;
  std::vector<Dot> replaced_by;  // ordered

  friend bool operator==(const PendingReplacement&, const PendingReplacement&) = default;
};

/// Live writes, superseded writes, and dots that were named as replaced before they arrived. Each
/// ordered by dot.
struct Register {
  std::vector<RegisterWrite> live;
  std::vector<RegisterWrite> history;
  std::vector<PendingReplacement> pending;

  friend bool operator==(const Register&, const Register&) = default;
};

/// What is known of an op besides its writes.
struct OpFacts {
  /// The record type the op claims; a write of another type than the record's is never shown.
  std::uint32_t type = 0;
  std::string person;
  std::string reason;
  OpStamp stamp;
  std::uint64_t hlc = 0;
  bool creates = false;
  sync::v1::SignIn sign_in = sync::v1::SIGN_IN_UNSPECIFIED;
  std::vector<Dot> sees;  // ordered

  friend bool operator==(const OpFacts&, const OpFacts&) = default;
};

/// Everything known about one record: a pure function of the set of ops applied to it, whatever
/// their order and however often each came (docs/merge.md, laws 1 to 4). No I/O, no clock.
class RecordState {
 public:
  enum class Stage : std::uint8_t {
    empty,  // no op yet
    shell,  // ops, but the creating one has not arrived: hidden
    born,
  };
  enum class Applied : std::uint8_t { applied, duplicate };

  /// Applies one op. `invalid_input`: the op is malformed (see `check_op`) and changed nothing.
  Result<Applied> apply(const Dot& dot, const sync::v1::Op& op, const OpStamp& stamp);
  /// The same, moving the strings out of `op` unless it is malformed or a duplicate.
  Result<Applied> apply(const Dot& dot, sync::v1::Op&& op, const OpStamp& stamp);

  /// Replaces a provisional stamp by the hub's; what was merged and turns out to be a proposal is
  /// taken out again, and the other way round. Unknown dot: no effect.
  void restamp(const Dot& dot, const OpStamp& stamp);

  /// Ordered by key; small records are scanned, not hashed.
  using Registers = std::vector<std::pair<RegisterKey, Register>>;
  /// Ordered by dot.
  using Ops = std::vector<std::pair<Dot, OpFacts>>;

  Stage stage() const;
  /// From the creating op (the one of the smallest dot, should there be several); for a shell the
  /// smallest its ops claim.
  std::uint32_t type() const { return type_; }
  /// From the creating op; empty for a shell.
  const std::string& scope() const { return scope_; }
  /// The creating op's dot; for a shell, the one its ops name.
  const std::optional<Dot>& born() const { return born_; }

  const Registers& registers() const { return registers_; }
  const Register* find(const RegisterKey& key) const;
  const Ops& ops() const { return ops_; }
  const OpFacts* op(const Dot& dot) const;

  /// Writes of ops whose stamp says `proposal`, ordered by register and dot. They are in no
  /// register: nothing shows them but who may decide.
  using Proposals = std::vector<std::pair<RegisterKey, RegisterWrite>>;
  const Proposals& proposals() const { return proposals_; }
  /// Whether somebody wrote (or proposed for) the register after having seen the proposal.
  bool is_dealt_with(const RegisterKey& key, const Dot& proposal) const;

  /// Dots of all live writes and waiting proposals, each once, ordered: what a reader of this state
  /// has seen.
  std::vector<Dot> frontier() const;

  friend bool operator==(const RecordState&, const RecordState&) = default;

 private:
  template <typename AnyOp>
  Result<Applied> take(const Dot& dot, AnyOp&& op, const OpStamp& stamp);
  void note_birth(const Dot& dot, const sync::v1::Op& op);
  Register& register_at(std::uint32_t field, std::string key);
  void put_write(RegisterKey key, RegisterWrite write, bool proposal);
  void merge_proposals_of(const Dot& dot);
  void withdraw_writes_of(const Dot& dot);

  std::uint32_t type_ = 0;
  bool created_ = false;
  std::string scope_;
  std::optional<Dot> born_;
  Ops ops_;
  Registers registers_;
  Proposals proposals_;
};

/// Whether `op` is well formed: ids of 16 bytes, a non-zero type, `creates` and `born` exclusive, a
/// scope on creating ops only, at most one write per register, every limit of limits.h kept. `own`
/// is the op's dot (neither `born`, `replaces` nor `sees` may name it).
Status check_op(const Dot& own, const sync::v1::Op& op);

/// A Dot message of `op_origin`'s op as a Dot; empty optional: malformed.
std::optional<Dot> read_dot(const sync::v1::Dot& dot, const Origin& op_origin);
/// The short form when `dot` is of `op_origin`.
void write_dot(const Dot& dot, const Origin& op_origin, sync::v1::Dot* out);

}  // namespace duhui
