#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "duhui/sync/v1/frame.pb.h"
#include "shared/base/result.h"
#include "shared/sync/blob_receiving.h"
#include "shared/sync/chunk_map.h"

namespace duhui::hub {

/// The files of a device's bundle on their way into a session of the hub. A bundle holds an offer
/// and pieces that nobody asked for, a chunk each; of these the hub is given those that it lacks,
/// as many at a time as a link would have on its way.
///
///   BlobOffer --BlobWant--> BlobPiece ... --BlobSeen ...--> settled: the next offer
///            \--BlobEnd--> ended: its pieces are passed over
class BundleFiles {
 public:
  enum class Next : std::uint8_t {
    say,   // to the hub, as it is now
    drop,  // the hub has it, or will not take it
    wait,  // for the hub; to be tried again
  };
  /// A BlobOffer or BlobPiece as it lies in the bundle. `refused`: no device puts that there.
  Result<Next> next(sync::v1::Frame* frame);
  /// A BlobWant, BlobSeen or BlobEnd of the hub.
  Status heard(const sync::v1::Frame& frame);
  /// Nothing that was said waits for an answer.
  bool settled() const;

  struct Count {
    std::uint64_t kept = 0;     // the hub has signed for them
    std::uint64_t known = 0;    // it had them before
    std::uint64_t waiting = 0;  // it cannot take them now
    std::uint64_t bytes = 0;    // that it has taken
    std::string why{};          // of those that wait, the last one's reason
  };
  const Count& count() const { return count_; }
  /// Those that were offered, for the bundle that answers.
  const std::vector<sync::v1::BlobOffer>& offers() const { return offers_; }

 private:
  struct File {
    BlobName name;
    std::optional<ChunkMap> given{};  // once asked for: what the hub has or was given
    std::uint32_t want = 0;
    std::uint64_t sent = 0;  // bytes, for the present request
    std::uint64_t seen = 0;
    bool brought = false;  // something of it
    bool ended = false;
  };

  Result<Next> offer(const sync::v1::BlobOffer& offer);
  Result<Next> piece(sync::v1::BlobPiece* piece);
  void ended(const sync::v1::BlobEnd& end);

  std::optional<File> file_;
  Count count_;
  std::vector<sync::v1::BlobOffer> offers_;
};

}  // namespace duhui::hub
