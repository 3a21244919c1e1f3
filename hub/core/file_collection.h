#pragma once

#include <cstdint>
#include <vector>

#include "hub/core/blob_jobs.h"
#include "hub/core/jobs.h"

namespace duhui::hub {

/// Clearing up parts of files that can never be asked for again:
///
///   - the whole file is here and was brought for the part's record: an offer of it is answered
///   with
///     a receipt, never with a request
///   - the whole file is here and has another size than the part: no bytes of that size have the
///   hash
///
/// Nothing else is provably useless. A part whose device has forked, was revoked or has never come
/// back may be completed by another one; a record that the database does not know (it was put back
/// to an older copy) comes again. Whole files are never removed here, not those either that no
/// record names: nothing says yet that a backup holds the database that lacks them.
///
///   CollectLookJob (database) --candidates--> CollectDropJob (files)

/// A part that is of no use.
struct UselessPart {
  Digest sha256;
  RecordId record;
  std::uint64_t bytes = 0;
};

/// Those among the parts at the hub.
Result<std::vector<UselessPart>> find_useless_parts(HubTransaction& tx,
                                                    BlobStore& files,
                                                    BlobInventory& inventory);

class CollectLookJob final : public Job {
 public:
  CollectLookJob() : Job(0) {}
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::reads; }

  std::vector<UselessPart> found;  // result
};

class CollectDropJob final : public Job {
 public:
  explicit CollectDropJob(std::vector<UselessPart> useless) : Job(0), parts(std::move(useless)) {}
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::files; }

  const std::vector<UselessPart> parts;
  std::uint64_t dropped = 0;  // result
};

}  // namespace duhui::hub
