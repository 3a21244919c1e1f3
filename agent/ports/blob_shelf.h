#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace duhui::agent {

/// The bytes of one file at rest.
class BlobReader {
 public:
  virtual ~BlobReader() = default;

  virtual std::uint64_t size() const = 0;
  /// Up to `size` bytes from `offset`; fewer only at the end. From any thread, one at a time.
  virtual Result<std::string> read(std::uint64_t offset, std::size_t size) = 0;
};

struct ShelvedBlob {
  std::string sha256{};  // lower-case hexadecimal
  std::uint64_t size = 0;
};

/// Where files are kept that records name by their SHA-256, and where they grow until they are
/// whole. Names are hashes and tokens only, never what somebody called a file. Calls block; several
/// threads may call at once, about different tokens.
class BlobShelf {
 public:
  virtual ~BlobShelf() = default;

  /// Whether this device locks away what the school may not read, and can do so now.
  virtual bool can_hide() const = 0;
  /// What is known of a hidden upload, so that it may lie on the disk. `unavailable`: not now.
  virtual Result<std::string> lock_note(const std::string& token, std::string_view note) = 0;
  virtual Result<std::string> open_note(const std::string& token, std::string_view locked) = 0;

  /// Room for a file of `size` bytes that comes in pieces, under a token of 32 hexadecimal digits.
  /// `hidden`: from whoever reads the disk of the inspected school, until a record shows it.
  /// `conflict`: there is one; `limit_exceeded`: the disk has no room for it; `unavailable`: it
  /// cannot be hidden now.
  virtual Status begin(const std::string& token, std::uint64_t size, bool hidden) = 0;
  /// Adds at its end; durable on return. `not_found`: nothing has begun under that token.
  virtual Status append(const std::string& token, std::string_view bytes) = 0;
  /// What has come so far.
  virtual Result<std::unique_ptr<BlobReader>> look(const std::string& token) = 0;
  /// From now on it is there under its hash; durable on return. The token is free again.
  virtual Result<ShelvedBlob> finish(const std::string& token) = 0;
  /// `not_found`: it is not here.
  virtual Result<std::unique_ptr<BlobReader>> open(const std::string& sha256) = 0;
  /// Gives up what has begun; success if nothing has.
  virtual Status drop(const std::string& token) = 0;
};

}  // namespace duhui::agent
