#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace duhui::media {

/// Bytes at rest, read in pieces: a film is longer than memory.
class Source {
 public:
  virtual ~Source() = default;

  virtual std::uint64_t size() const = 0;
  /// Up to `size` bytes from `offset`; fewer only at the end.
  virtual Result<std::string> read(std::uint64_t offset, std::size_t size) const = 0;
};

/// Bytes in memory, which outlive this.
class MemorySource final : public Source {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t size() const override { return bytes_.size(); }
  Result<std::string> read(std::uint64_t offset, std::size_t size) const override {
    const auto from = static_cast<std::size_t>(std::min<std::uint64_t>(offset, bytes_.size()));
    return std::string(bytes_.substr(from, size));
  }

 private:
  const std::string_view bytes_;
};

}  // namespace duhui::media
