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

namespace duhui::agent {

/// Which files the records saved on this device name, and which of them the hub has. The files
/// themselves are in a BlobStore.
class NamedBlobs {
 public:
  explicit NamedBlobs(KvStore& store) : store_(store) {}

  /// A save: the files its op names are to be sent, as durably as the op.
  static Status name(const sync::v1::Op& op, KvBatch* batch);

  struct Waiting {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;    // that the hub is not known to have
    std::uint64_t refused = 0;  // files that the hub will not take
  };
  Result<Waiting> waiting();
  /// Those to be sent, in their order.
  Result<std::vector<BlobName>> all_waiting();
  /// The first one to be sent behind `after`; `after` empty: the first.
  Result<std::optional<BlobName>> next(const std::optional<BlobName>& after);
  /// The records saved here that name it.
  Result<std::vector<RecordId>> records_of(const Digest& sha256);
  /// What is known of it; empty optional: it was named elsewhere.
  Result<std::optional<store::v1::NamedBlob>> find(const Digest& sha256, const RecordId& record);
  /// The hub has so many bytes of it; not signed, and never all of it.
  void heard(const BlobName& name, std::uint64_t hub_bytes);
  std::uint64_t hub_bytes(const BlobName& name, const store::v1::NamedBlob& known) const;
  /// Keeps what was heard, for the next start.
  Status keep_heard();
  /// The hub has it.
  Status kept(const BlobName& name, const sync::v1::BlobReceipt& receipt);
  /// It will not be offered again.
  Status refused(const BlobName& name, const std::string& why);
  /// The hub may have lost what it had: everything is offered again.
  Status send_all_again(KvBatch* batch);

 private:
  Status done(const BlobName& name, const store::v1::NamedBlob& blob);

  KvStore& store_;
  std::map<BlobName, std::uint64_t> heard_;  // since keep_heard()
};

}  // namespace duhui::agent
