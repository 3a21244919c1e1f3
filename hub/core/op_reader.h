#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/ports/store.h"
#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/merge/record_state.h"
#include "shared/sync/payload_codec.h"

namespace duhui::hub {

/// A stored batch, unpacked.
struct UnpackedBatch {
  Origin origin;
  std::uint64_t first_seq = 0;
  std::string raw;
  std::vector<std::string_view> ops;  // into raw
  std::string chain;                  // H(last)
};

/// Reads ops out of stored batches, keeping the most recently used ones unpacked. One per storage
/// thread; not thread-safe. Batches never change, so what is kept stays true.
class OpReader {
 public:
  explicit OpReader(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// The batch that holds `seq`. `corrupt_data` when the hub has no such op.
  Result<std::shared_ptr<const UnpackedBatch>> batch_at(HubTransaction& tx, const Dot& dot);
  /// The exact bytes of an op; valid while the returned batch lives.
  Result<std::string> op(HubTransaction& tx, const Dot& dot);
  /// The record as its row tells, replayed.
  Result<RecordState> load(HubTransaction& tx, const RecordRow& row);
  /// H(seq) of a stream; empty optional: beyond its head.
  Result<std::optional<std::string>> chain_at(HubTransaction& tx,
                                              const StreamRow& stream,
                                              std::uint64_t seq);

  /// Keeps a batch that is just being stored, so that it need not be read back.
  void keep(std::shared_ptr<const UnpackedBatch> batch);
  /// A transaction was rolled back: forget what may not exist.
  void clear();

  PayloadCodec& codec() { return codec_; }

 private:
  using Key = std::pair<Origin, std::uint64_t>;  // origin, last seq
  struct Kept {
    std::shared_ptr<const UnpackedBatch> batch;
    std::list<Key>::iterator age;
  };

  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::map<Key, Kept> kept_;
  std::list<Key> ages_;  // most recently used first
  PayloadCodec codec_;
  sync::v1::Op scratch_;  // what it has allocated serves the next op
};

}  // namespace duhui::hub
