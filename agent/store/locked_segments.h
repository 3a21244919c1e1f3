#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/ports/blob_shelf.h"
#include "agent/ports/file_system.h"
#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/crypto/vault_key.h"

namespace duhui::agent {

/// A file that grows and is locked from its first byte:
///
///   name (32 hexadecimal digits), then segments: length (4 bytes, big-endian), nonce, bytes, tag
///
/// A segment is bound to the name and to its place. One that is torn is as if it were not there.
inline constexpr std::size_t kSegmentNameBytes = 32;
inline constexpr std::size_t kSegmentBytesMax = 1 << 20;

/// Adds `bytes` as segments behind the `count` that are there.
Status append_locked(AppendFile& file,
                     std::string_view name,
                     std::uint64_t count,
                     const VaultKey& key,
                     Random& random,
                     std::string_view bytes);

class LockedSegments final : public BlobReader {
 public:
  /// `corrupt_data`: not such a file.
  static Result<std::unique_ptr<LockedSegments>> open(FileSystem& files,
                                                      const std::string& path,
                                                      const VaultKey& key);

  std::uint64_t size() const override { return size_; }
  Result<std::string> read(std::uint64_t offset, std::size_t size) override;
  const std::string& name() const { return name_; }
  std::uint64_t segments() const { return segments_.size(); }
  /// Whether the last one is torn: what is added behind it would be lost.
  bool torn() const { return torn_; }

 private:
  struct Segment {
    std::uint64_t offset = 0;  // of its plain bytes
    std::uint64_t place = 0;   // in the file
    std::uint32_t bytes = 0;   // as it lies there
  };

  explicit LockedSegments(const VaultKey& key) : key_(key) {}
  Status find_segments(std::uint64_t end);
  Status open_segment(std::size_t index);

  const VaultKey key_;
  std::unique_ptr<ReadFile> file_;
  std::string name_;
  std::vector<Segment> segments_;
  std::uint64_t size_ = 0;
  bool torn_ = false;
  std::size_t opened_ = 0;  // the segment whose bytes follow, counted from one
  std::string plain_;
};

}  // namespace duhui::agent
