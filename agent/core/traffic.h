#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "agent/core/byte_budget.h"
#include "agent/core/hub_clock.h"
#include "agent/ports/kv_store.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/sync/blob_receiving.h"

namespace duhui::agent {

/// Plain numbers that only grow, since the program started: for whoever measures.
struct TransferCounters {
  std::uint64_t batches_sent = 0;
  std::uint64_t ops_sent = 0;     // each time it was sent
  std::uint64_t op_receipts = 0;  // whose signature held
  std::uint64_t pieces_sent = 0;
  std::uint64_t piece_bytes_sent = 0;
  std::uint64_t piece_bytes_resent = 0;  // of these, sent before in this run
  std::uint64_t pieces_received = 0;
  std::uint64_t piece_bytes_received = 0;
  std::uint64_t file_receipts = 0;    // whose signature held
  std::uint64_t files_refused = 0;    // by the hub, for good
  std::uint64_t files_postponed = 0;  // by the hub, or not known there yet
  std::uint64_t files_fetched = 0;
  std::uint64_t fetches_failed = 0;
};

/// What this device has sent and received, and what of it may still travel this month. Outlives the
/// links; kept in the database.
class Traffic {
 public:
  /// `store` outlives it.
  explicit Traffic(KvStore& store) : store_(store) {}

  /// What earlier runs counted.
  Status load();
  ByteBudget& budget() { return budget_; }
  const ByteBudget& budget() const { return budget_; }
  TransferCounters& counters() { return counters_; }
  const HubClock& clock() const { return clock_; }

  void hub_said(WallTime hub, const ClockReading& device);
  /// A link opens.
  void opened(const ClockReading& device);
  /// A frame of the link that is open, as it is handed to the carrier or came from it.
  void frame(ByteKind kind, std::uint64_t bytes);
  /// `thumbnails` of them: inside a frame of text.
  void text_frame(std::uint64_t bytes, std::uint64_t thumbnails);
  /// Bytes on the wire of the open link so far, with all that carries the frames.
  void wire(std::uint64_t bytes);
  /// A piece of a file is sent: `at` in the chunk.
  void piece_sent(const BlobName& name, std::uint32_t chunk, std::uint32_t at, std::uint32_t count);

  /// The month goes on, and what was counted is kept now and then. `open`: a link is.
  Status look(const ClockReading& device, bool open);

 private:
  Status keep(std::uint64_t ahead);

  /// How far each chunk of a file was sent.
  struct Sent {
    BlobName name;
    std::vector<std::uint32_t> through;
  };

  KvStore& store_;
  ByteBudget budget_;
  TransferCounters counters_;
  HubClock clock_;
  std::deque<Sent> sent_;         // the newest files
  std::uint64_t link_bytes_ = 0;  // counted of the open link
  std::uint64_t ahead_ = 0;       // as kept last
};

}  // namespace duhui::agent
