#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hub/core/jobs.h"
#include "shared/sync/blob_receiving.h"
#include "shared/sync/blob_store.h"

namespace duhui::hub {

/// Work on one file for one session.
class BlobJob : public Job {
 public:
  BlobJob(SessionId of, const BlobName& what) : Job(of), name(what) {}

  const BlobName name;
};

/// May this device bring, or read, this file of this record? And what of it is here?
class BlobLookUpJob final : public BlobJob {
 public:
  enum class Purpose : std::uint8_t { bring, read };
  BlobLookUpJob(SessionId of, const BlobName& what, Purpose why, const DeviceRow& by)
      : BlobJob(of, what), purpose(why), device(by) {}
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::reads; }

  const Purpose purpose;
  const DeviceRow device;
  bool has_vault = false;  // what its school may not read is locked on it
  std::uint32_t want = 0;  // of the device's request

  // Results.
  enum class Found : std::uint8_t { unknown, absent, here, in_parts };
  Found found = Found::unknown;
  std::optional<BlobStore::Part> part;  // in_parts
  bool is_whole = false;                // of another record: its bytes prove that they are known
};

/// Writes a chunk that came (without one: looks whether all are here), and when the last one is
/// there makes the file of them.
class BlobWriteJob final : public BlobJob {
 public:
  BlobWriteJob(SessionId of, const BlobName& what, const DeviceId& from)
      : BlobJob(of, what), by(from) {}
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::files; }

  const DeviceId by;
  std::optional<std::uint32_t> chunk;
  std::string bytes;
  std::optional<DeviceId> locked_by;  // the chunk came locked with this device's key
  ChunkMap held{1};                   // once it is written
  bool save = false;
  bool was_whole = false;  // when the file was offered

  // Results.
  bool whole = false;
  bool spoilt = false;     // all chunks are here and make another hash
  bool overtaken = false;  // somebody else has brought it meanwhile
};

/// What came before the link was gone.
class BlobPauseJob final : public BlobJob {
 public:
  BlobPauseJob(SessionId of, const BlobName& what, BlobStore::Part kept, bool whole_before)
      : BlobJob(of, what), part(std::move(kept)), was_whole(whole_before) {}
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::files; }

  const BlobStore::Part part;
  const bool was_whole;
};

/// The file is here, brought by this record's people.
class BlobBroughtJob final : public BlobJob {
 public:
  BlobBroughtJob(SessionId of, const BlobName& what, const DeviceId& from)
      : BlobJob(of, what), by(from) {}
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::writes; }

  const DeviceId by;
};

/// A chunk to be sent.
class BlobReadJob final : public BlobJob {
 public:
  using BlobJob::BlobJob;
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::files; }

  std::uint32_t chunk = 0;
  std::string bytes;  // result
};

}  // namespace duhui::hub
