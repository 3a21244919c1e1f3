#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "hub/core/blob_jobs.h"
#include "hub/core/file_counters.h"
#include "shared/base/time.h"
#include "shared/sync/blob_receiving.h"
#include "shared/sync/blob_sending.h"

namespace duhui::hub {

/// The files of one session: one that the device brings, and one that it fetches.
///
///   bringing:  BlobOffer --look up--> BlobWant --pieces, written--> whole --> BlobEnd with receipt
///   fetching:  BlobWant --look up--> pieces, or BlobEnd
///
/// Sans-io: frames and finished jobs in, frames and jobs out. Bounded: one chunk under way in
/// memory and one in a job, each way.
class BlobExchange {
 public:
  struct Out {
    std::vector<sync::v1::Frame> frames;
    std::vector<std::unique_ptr<Job>> jobs;
  };

  /// `counters`: of the device; both outlive this.
  BlobExchange(SessionId session,
               DeviceRow device,
               const HubIdentity& identity,
               FileCounters& counters)
      : session_(session), device_(std::move(device)), identity_(&identity), counters_(&counters) {}

  /// A BlobOffer, BlobPiece, BlobWant or BlobSeen. An error is a peer that breaks the protocol.
  Status received(const sync::v1::Frame& frame, bool has_vault, MonotonicTime now, Out& out);
  void done(BlobJob& job, WallTime wall, MonotonicTime now, Out& out);
  void closed(Out& out);
  /// Chunks that came here and may not be noted on the medium yet: they are written before what
  /// another session brings from now on.
  void add_brought(const BlobName& name, ChunkMap* held) const;

 private:
  Status on_offer(const sync::v1::BlobOffer& offer, Out& out);
  Status on_piece(const sync::v1::BlobPiece& piece, MonotonicTime now, Out& out);
  /// Of one chunk more.
  bool is_time_to_save(MonotonicTime now);
  Status on_want(const sync::v1::BlobWant& want, bool has_vault, Out& out);
  void looked_up(BlobLookUpJob& job, WallTime wall, MonotonicTime now, Out& out);
  void written(BlobWriteJob& job, Out& out);
  void read(BlobReadJob& job, MonotonicTime now, Out& out);
  void look_up(const BlobName& name, Out& out);
  void ask(BlobStore::Part part, Out& out);
  void ask_for_damaged(Out& out);
  void send_pieces(MonotonicTime now, Out& out);
  void kept(const BlobName& name, WallTime wall, Out& out);
  void end(const BlobName& name, sync::v1::BlobEnd::Outcome outcome, std::string detail, Out& out);

  SessionId session_;
  DeviceRow device_;
  const HubIdentity* identity_;
  FileCounters* counters_;

  std::optional<BlobName> offered_;  // looked up, or being finished
  std::optional<BlobReceiving> bringing_;
  std::uint32_t wants_ = 0;
  std::uint32_t writing_ = 0;  // jobs
  std::uint32_t unsaved_ = 0;  // chunks since the part was saved
  MonotonicTime saved_at_;
  std::uint32_t damaged_ = 0;
  bool finishing_ = false;
  bool was_whole_ = false;
  bool touched_ = false;  // something of it came

  std::optional<sync::v1::BlobWant> asked_;  // being looked up
  std::optional<BlobName> fetched_;
  std::optional<BlobSending> sending_;
  bool reading_ = false;
};

}  // namespace duhui::hub
