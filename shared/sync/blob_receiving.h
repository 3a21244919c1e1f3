#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "duhui/sync/v1/frame.pb.h"
#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/crypto/digest.h"
#include "shared/sync/chunk_map.h"

namespace duhui {

/// A file that is under way, and the record it is for. Parts are kept apart by record: what one
/// record's people have brought says nothing to those who only know the hash.
struct BlobName {
  Digest sha256;
  std::uint64_t size = 0;
  RecordId record;

  friend auto operator<=>(const BlobName&, const BlobName&) = default;
};

/// Empty optional: not a hash, not a record, or a size out of its limits.
std::optional<BlobName> blob_name(std::string_view sha256,
                                  std::uint64_t size,
                                  std::string_view record_id);

/// What the hub signs when it has a file.
std::string blob_statement(const sync::v1::BlobReceipt& receipt);

/// The receiver's side of one request. Sans-io: pieces in, whole chunks out.
class BlobReceiving {
 public:
  struct Chunk {
    std::uint32_t index = 0;
    std::string bytes;  // as it came
    bool locked = false;
  };

  /// `begun`: what was kept of the first missing chunk.
  BlobReceiving(std::uint32_t want, const BlobName& name, ChunkMap held, std::string begun);

  const BlobName& name() const { return name_; }
  std::uint32_t want() const { return want_; }
  sync::v1::BlobWant request() const;
  /// A chunk that is whole and passes its sum. Chunks that come in one piece may come in any order;
  /// the beginning of another one is kept. `invalid_input`: a piece that nobody asked for, or a
  /// chunk that does not pass: it stays missing.
  Result<std::optional<Chunk>> received(const sync::v1::BlobPiece& piece);
  /// The chunk is written.
  void written(std::uint32_t chunk);
  /// What to tell the sender, if it is time to: nothing from a chunk on that waits to be written,
  /// so that a slow disk slows the sender down.
  std::optional<sync::v1::BlobSeen> take_seen();

  const ChunkMap& held() const { return held_; }
  /// The same and what waits to be written.
  const ChunkMap& pending() const { return complete_; }
  /// To be kept for the next request.
  const std::string& begun() const { return begun_; }
  /// The sender has reached the end; what is still missing has to be asked for again.
  bool at_end() const { return at_end_; }

 private:
  Result<std::optional<Chunk>> checked(const sync::v1::BlobPiece& last, std::string bytes);

  std::uint32_t want_;
  BlobName name_;
  ChunkMap held_;      // written
  ChunkMap complete_;  // the same and what waits to be written
  std::string begun_;
  std::optional<std::uint32_t> chunk_;  // that begun_ is of
  struct Unwritten {
    std::uint32_t chunk = 0;
    std::uint64_t end = 0;  // bytes taken with its last piece
  };
  std::deque<Unwritten> unwritten_;
  std::uint64_t written_ = 0;  // bytes taken with the last chunk that was
  std::uint64_t taken_ = 0;
  std::uint64_t told_ = 0;
  bool chunk_ended_ = false;
  bool at_end_ = false;
};

}  // namespace duhui
