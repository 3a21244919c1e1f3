#pragma once

#include <map>

#include "hub/core/op_reader.h"
#include "hub/ports/store.h"
#include "shared/base/random.h"
#include "shared/crypto/vault_key.h"
#include "shared/merge/schema.h"

namespace duhui::hub {

/// Locks what goes down to a device as far as its school may not read it now
/// (shared/domain/school_part.h). Made for one read of the store and thrown away with it.
class VaultPages {
 public:
  VaultPages(HubTransaction& tx, OpReader& ops, const VaultKey& key, Random& random)
      : tx_(tx), ops_(ops), key_(key), random_(random) {}

  using Runs = google::protobuf::RepeatedPtrField<sync::v1::Batch>;
  /// Those from the place `from` on.
  Status lock(Runs* runs, int from = 0);
  Status lock(google::protobuf::RepeatedPtrField<sync::v1::WalkedRecord>* records);

 private:
  Status lock(sync::v1::Batch& run);
  Result<bool> is_open(const RecordSchema* schema, const RecordId& id);

  HubTransaction& tx_;
  OpReader& ops_;
  const VaultKey& key_;
  Random& random_;
  std::map<RecordId, bool> open_;
};

}  // namespace duhui::hub
