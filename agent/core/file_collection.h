#pragma once

#include <cstdint>
#include <optional>

#include "agent/core/replica.h"
#include "agent/ports/kv_store.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/sync/blob_inventory.h"
#include "shared/sync/blob_store.h"

namespace duhui::agent {

/// Clears up files on this device that are there for nothing:
///
///   - parts of which the whole is here, and what locking or opening a file left when it was cut
///   off
///   - whole files that no record here names: uploads that nobody attached, once they have been so
///     for `kUnnamedLife` by a clock that is beyond doubt
///
/// Whether a record names a file can be said only while every record can be read and everything
/// that the hub has for this device is here; otherwise no whole file is touched. Blocking, on the
/// replica's thread.
class FileCollection {
 public:
  static constexpr Duration kUnnamedLife = days(30);

  /// All outlive it.
  struct Stores {
    Replica& replica;
    KvStore& store;
    BlobStore& files;
    BlobInventory& files_listed;
    BlobStore& locked;
    BlobInventory& locked_listed;
  };
  explicit FileCollection(Stores stores) : stores_(stores) {}

  struct Sum {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
  };
  struct Report {
    Sum whole;
    Sum parts;  // of files that are not whole yet
    Sum useless_parts;
    std::optional<Sum> unnamed;  // empty: it cannot be told now
    std::uint64_t absent = 0;    // to be sent, and not here
  };
  /// What is here, and what of it for nothing; changes nothing.
  Result<Report> look();

  struct Cleared {
    Sum parts;
    Sum files;
  };
  Result<Cleared> collect_parts();
  /// `now`: by a clock beyond doubt. Precondition: everything that the hub has for this device is
  /// here. `life`: how long a file may be without a name.
  Result<Cleared> collect_unnamed(WallTime now, Duration life = kUnnamedLife);

 private:
  struct Place {
    BlobStore& content;
    BlobInventory& listed;
  };
  /// Whole files that no record names; empty optional: it cannot be told.
  Result<std::optional<std::vector<BlobInventory::Whole>>> unnamed(Place place);
  Result<std::vector<BlobInventory::Begun>> useless_parts(Place place);
  Status remove(const Digest& sha256);

  Stores stores_;
};

}  // namespace duhui::agent
