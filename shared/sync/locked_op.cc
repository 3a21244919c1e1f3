#include "shared/sync/locked_op.h"

namespace duhui {
namespace {

constexpr char kMark = '\0';
constexpr std::size_t kSaltSize = 8;

}  // namespace

bool is_locked(std::string_view kept) { return !kept.empty() && kept.front() == kMark; }

Result<sync::v1::LockedOp> read_locked(std::string_view kept) {
  sync::v1::LockedOp locked;
  if (!is_locked(kept) ||
      !locked.ParseFromArray(kept.data() + 1, static_cast<int>(kept.size() - 1)) ||
      locked.digest().size() != sizeof(Digest) || locked.record_id().size() != 16 ||
      locked.record_type() == 0) {
    return Error{ErrorCode::corrupt_data, "locked op: malformed"};
  }
  return locked;
}

Openness openness(std::string_view kept) {
  if (!is_locked(kept)) return Openness::all;
  const auto locked = read_locked(kept);
  return locked && !locked->open_part().empty() ? Openness::part : Openness::nothing;
}

std::string lock_op(const VaultKey& key,
                    std::string_view op_bytes,
                    const sync::v1::Op& op,
                    std::string_view open_part,
                    Random& random) {
  sync::v1::LockedOp locked;
  locked.set_record_id(op.record_id());
  locked.set_record_type(op.record_type());
  locked.set_creates(op.creates());
  locked.set_scope(op.scope());
  locked.set_hlc(op.time().hlc());
  locked.set_rank(op.rank());
  locked.set_digest(sha256(op_bytes).str());
  locked.set_sealed(key.lock(op_bytes, op.record_id(), random));
  locked.set_open_part(std::string(open_part));
  return kMark + locked.SerializeAsString();
}

Result<std::string> open_op(const VaultKey& key, std::string_view kept) {
  if (!is_locked(kept)) return std::string(kept);
  DUHUI_TRY(locked, read_locked(kept));
  DUHUI_TRY(bytes, key.open(locked.sealed(), locked.record_id()));
  if (sha256(bytes).view() != locked.digest()) {
    return Error{ErrorCode::corrupt_data, "locked op: not what it says to be"};
  }
  return bytes;
}

std::string make_salt(Random& random) {
  std::string salt(kSaltSize, '\0');
  random.fill(salt.data(), salt.size());
  return salt;
}

Digest kept_digest(std::string_view kept) {
  if (is_locked(kept)) {
    if (const auto locked = read_locked(kept)) {
      return Digest::from_bytes(locked->digest()).value_or(Digest{});
    }
  }
  return sha256(kept);
}

bool read_head(std::string_view kept, sync::v1::Op* op) {
  if (!is_locked(kept)) return op->ParseFromArray(kept.data(), static_cast<int>(kept.size()));
  const auto locked = read_locked(kept);
  if (!locked) return false;
  op->Clear();
  op->set_record_id(locked->record_id());
  op->set_record_type(locked->record_type());
  op->set_creates(locked->creates());
  op->set_scope(locked->scope());
  op->mutable_time()->set_hlc(locked->hlc());
  op->set_rank(locked->rank());
  return true;
}

}  // namespace duhui
