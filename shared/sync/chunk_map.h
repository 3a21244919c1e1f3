#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <google/protobuf/repeated_field.h>

#include "shared/base/result.h"

namespace duhui {

/// Which 64 KiB chunks of a file are here.
class ChunkMap {
 public:
  using Runs = google::protobuf::RepeatedField<std::uint32_t>;

  /// Nothing is here. Precondition: 0 < size <= kBlobBytesMax.
  explicit ChunkMap(std::uint64_t size);
  /// `runs`: lengths of runs of chunks, missing, held, missing ... `invalid_input`: the size is out
  /// of its limits, or the runs do not fit it.
  static Result<ChunkMap> from_runs(std::uint64_t size, const Runs& runs);
  /// Empty if everything is missing.
  Runs runs() const;

  std::uint64_t size() const { return size_; }
  std::uint32_t chunks() const { return static_cast<std::uint32_t>(held_.size()); }
  /// The last one may be shorter.
  std::uint32_t chunk_bytes(std::uint32_t chunk) const;
  bool held(std::uint32_t chunk) const { return held_[chunk]; }
  void hold(std::uint32_t chunk);
  bool complete() const { return missing_ == 0; }
  std::uint32_t missing() const { return missing_; }
  std::uint64_t missing_bytes() const;
  /// The first one missing from `from` on.
  std::optional<std::uint32_t> next_missing(std::uint32_t from) const;

 private:
  std::uint64_t size_;
  std::vector<bool> held_;
  std::uint32_t missing_;
};

}  // namespace duhui
