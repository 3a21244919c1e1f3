#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/core/file_shelf.h"
#include "agent/core/named_blobs.h"
#include "agent/core/traffic.h"
#include "duhui/sync/v1/frame.pb.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/sync/blob_receiving.h"
#include "shared/sync/blob_sending.h"
#include "shared/sync/blob_store.h"

namespace duhui::agent {

/// The device's files over one link: offers what the hub lacks, one at a time, and fetches what
/// somebody here wants to see. Sans-io; blocking only as far as `files` is.
///
///   sending:   offered --BlobWant--> sending --BlobEnd--> next
///   fetching:  asked --BlobPiece ...--> whole, or BlobEnd
///
/// While the month's budget leaves nothing for files, sending waits and fetching ends.
class BlobExchange {
 public:
  struct Out {
    std::vector<sync::v1::Frame> frames;
    /// Fetches that ended: the file is here, or why it is not.
    std::vector<std::pair<BlobName, Status>> fetched;
  };

  /// All outlive it.
  BlobExchange(NamedBlobs& named,
               FileShelf& shelf,
               Traffic& traffic,
               std::string hub_id,
               std::string hub_key)
      : named_(named),
        shelf_(shelf),
        traffic_(traffic),
        files_(shelf.files()),
        hub_id_(std::move(hub_id)),
        hub_key_(std::move(hub_key)) {}

  /// Offers and sends what may be sent now. `records_first`: something else has to go before a new
  /// file is offered.
  Status pump(bool records_first, MonotonicTime now, Out& out);
  /// A BlobWant, BlobPiece, BlobSeen or BlobEnd of the hub.
  Status received(const sync::v1::Frame& frame, MonotonicTime now, Out& out);
  Status fetch(const BlobName& name, Out& out);
  /// The link is gone: keeps what came of the file under way.
  Status closed(Out& out);

 private:
  Status offer_next(Out& out);
  Status send_pieces(MonotonicTime now, Out& out);
  Status give_up_sending(const Result<FileShelf::Chunk>& loaded);
  Status on_want(const sync::v1::BlobWant& want);
  /// What the hub has of the file under way, for a bundle.
  Status note_at_hub();
  Status on_piece(const sync::v1::BlobPiece& piece, Out& out);
  Status on_end(const sync::v1::BlobEnd& end, Out& out);
  Status save_part();
  void end_fetch(Status how, Out& out);
  Status start_fetch(Out& out);
  /// The month's bytes are used up.
  Status stop_fetching(Out& out);

  NamedBlobs& named_;
  FileShelf& shelf_;
  Traffic& traffic_;
  BlobStore& files_;  // what is fetched
  const std::string hub_id_;
  const std::string hub_key_;
  std::optional<BlobName> offered_;
  std::optional<BlobSending> sending_;
  std::uint32_t noted_missing_ = 0;  // chunks, when it was last written down
  std::uint64_t hub_had_ = 0;        // of the offered one, at its request
  bool originals_ = false;           // everything else was offered lately
  std::optional<BlobName> passed_;   // everything up to here was offered lately
  MonotonicTime began_;              // when the first of them was
  std::optional<BlobReceiving> fetching_;
  std::vector<BlobName> to_fetch_;
  std::uint32_t wants_ = 0;
  std::uint32_t unsaved_ = 0;  // chunks written since the part was saved
  std::uint32_t damaged_ = 0;
};

}  // namespace duhui::agent
