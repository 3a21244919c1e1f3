#pragma once

#include <cstdint>
#include <functional>

#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/crypto/digest.h"
#include "shared/sync/blob_receiving.h"

namespace duhui {

/// What lies in a BlobStore, for counting and for clearing up. Calls block; a file that comes or
/// goes meanwhile may be told or not. Errors: `storage_failed`.
class BlobInventory {
 public:
  struct Whole {
    Digest sha256;
    std::uint64_t size = 0;
  };
  struct Begun {
    Digest sha256;
    RecordId record;
    std::uint64_t size = 0;   // of the whole, as its map says; 0: it says nothing
    std::uint64_t bytes = 0;  // on the disk
  };

  virtual ~BlobInventory() = default;
  /// In any order, until `visit` returns false.
  virtual Status each_whole(const std::function<bool(const Whole&)>& visit) = 0;
  virtual Status each_part(const std::function<bool(const Begun&)>& visit) = 0;
  /// Gone for good; absent: success.
  virtual Status remove_part(const Digest& sha256, const RecordId& record) = 0;
};

}  // namespace duhui
