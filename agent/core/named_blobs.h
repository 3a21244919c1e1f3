#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/ports/kv_store.h"
#include "duhui/store/v1/store.pb.h"
#include "duhui/sync/v1/op.pb.h"
#include "shared/base/result.h"
#include "shared/sync/blob_receiving.h"
#include "shared/sync/chunk_map.h"

namespace duhui::agent {

/// Never "kept" without the hub's signature under this very file.
bool is_receipt_for(const sync::v1::BlobReceipt& receipt,
                    const BlobName& name,
                    const std::string& hub_id,
                    const std::string& hub_key);

/// Which files the records saved on this device name, and which of them the hub has. The files
/// themselves are in a BlobStore.
class NamedBlobs {
 public:
  explicit NamedBlobs(KvStore& store) : store_(store) {}

  /// A save: the files its op names are to be sent, as durably as the op.
  static Status name(const sync::v1::Op& op, KvBatch* batch);

  struct Waiting {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;      // that the hub is not known to have
    std::uint64_t originals = 0;  // that wait for a road that costs nothing; in neither
    std::uint64_t refused = 0;    // files that the hub will not take
  };
  Result<Waiting> waiting();
  /// Those to be sent, in their order.
  Result<std::vector<BlobName>> all_waiting();
  /// The first one to be sent behind `after`; `after` empty: the first. `originals`: of photos that
  /// were made smaller, and nothing else; otherwise none of those.
  Result<std::optional<BlobName>> next(const std::optional<BlobName>& after,
                                       bool originals = false);
  /// The records saved here that name it.
  Result<std::vector<RecordId>> records_of(const Digest& sha256);
  /// What is known of it; empty optional: it was named elsewhere.
  Result<std::optional<store::v1::NamedBlob>> find(const Digest& sha256, const RecordId& record);
  /// The chunks that the hub had when it last said so. For what is sent unasked; what is asked for
  /// is said with the question.
  Result<ChunkMap> at_hub(const BlobName& name);
  /// Not worth a sync: lost in a power cut, a few chunks travel twice.
  Status hub_has(const BlobName& name, const ChunkMap& chunks);
  /// The hub has so many bytes of it, as it says on this link; not signed, and never all of it.
  void heard(const BlobName& name, std::uint64_t hub_bytes);
  void forget_heard() { heard_.clear(); }
  Result<std::uint64_t> hub_bytes(const BlobName& name, const store::v1::NamedBlob& known);
  /// The hub has it.
  Status kept(const BlobName& name, const sync::v1::BlobReceipt& receipt);
  /// It will not be offered again.
  Status refused(const BlobName& name, const std::string& why);
  /// The hub may have lost what it had: everything is offered again.
  Status send_all_again(KvBatch* batch);

 private:
  Status done(const BlobName& name, const store::v1::NamedBlob& blob);

  KvStore& store_;
  std::map<BlobName, std::uint64_t> heard_;  // on this link
};

}  // namespace duhui::agent
