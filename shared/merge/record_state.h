#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
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
  std::vector<Dot> replaced_by;
};

/// Live writes, superseded writes, and dots that were named as replaced before they arrived.
struct Register {
  std::vector<RegisterWrite> live;     // ordered by dot
  std::vector<RegisterWrite> history;  // ordered by dot
  std::map<Dot, std::vector<Dot>> pending;  // replaced dot -> who named it
};

/// What is known of an op besides its writes.
struct OpFacts {
  std::string person;
  std::string reason;
  OpStamp stamp;
  std::uint64_t hlc = 0;
  bool creates = false;
  std::vector<Dot> sees;
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

  /// Replaces a provisional stamp by the hub's. Unknown dot: no effect.
  void restamp(const Dot& dot, const OpStamp& stamp);

  Stage stage() const;
  std::uint32_t type() const { return type_; }
  /// From the creating op; empty for a shell.
  const std::string& scope() const { return scope_; }
  /// The creating op's dot; for a shell, the one its ops name.
  const std::optional<Dot>& born() const { return born_; }

  const std::map<RegisterKey, Register>& registers() const { return registers_; }
  const Register* find(const RegisterKey& key) const;
  const std::map<Dot, OpFacts>& ops() const { return ops_; }
  const OpFacts* op(const Dot& dot) const;

  /// Dots of all live writes, each once, ordered: what a reader of this state has seen.
  std::vector<Dot> frontier() const;

 private:
  std::uint32_t type_ = 0;
  bool created_ = false;
  std::string scope_;
  std::optional<Dot> born_;
  std::map<Dot, OpFacts> ops_;
  std::map<RegisterKey, Register> registers_;
};

/// Whether `op` is well formed: ids of 16 bytes, a non-zero type, `creates` and `born` exclusive, at
/// most one write per register, every limit kept. `own` is the op's dot (replaces must not name it).
Status check_op(const Dot& own, const sync::v1::Op& op);

/// A Dot message of `op_origin`'s op as a Dot; empty optional: malformed.
std::optional<Dot> read_dot(const sync::v1::Dot& dot, const Origin& op_origin);
/// The short form when `dot` is of `op_origin`.
void write_dot(const Dot& dot, const Origin& op_origin, sync::v1::Dot* out);

}  // namespace duhui
