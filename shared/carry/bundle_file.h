#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/crypto/sealed_stream.h"

namespace duhui {

/// A file on a stick, written so that it is there when it has its name: beside it first, synced,
/// read back from the medium and compared, then renamed, and the folder synced. What was not
/// finished leaves nothing behind but what a pulled stick leaves: a ".tmp" that nobody reads.
class OutBundle {
 public:
  /// storage_failed, limit_exceeded (the medium is full), refused (may not write there).
  static Result<std::unique_ptr<OutBundle>> create(const std::string& path);
  ~OutBundle();
  OutBundle(const OutBundle&) = delete;
  OutBundle& operator=(const OutBundle&) = delete;

  Status append(std::string_view bytes);
  /// corrupt_data: what was read back is not what was written.
  Status finish();
  std::uint64_t bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

 private:
  OutBundle(std::string path, int file) : path_(std::move(path)), file_(file) {}
  Status read_back() const;
  std::string beside() const { return path_ + ".tmp"; }

  const std::string path_;
  int file_;
  RunningDigest digest_;
  std::uint64_t bytes_ = 0;
  bool finished_ = false;
};

/// A file that is read from front to back, perhaps more than once.
class InBundle {
 public:
  /// not_found; refused: no ordinary file, or not to be read by this program.
  static Result<std::unique_ptr<InBundle>> open(const std::string& path);
  ~InBundle();
  InBundle(const InBundle&) = delete;
  InBundle& operator=(const InBundle&) = delete;

  /// At most 64 KiB; empty at the end. storage_failed: the medium cannot be read.
  Result<std::string> read();
  Status rewind();

 private:
  InBundle(std::string path, int file) : path_(std::move(path)), file_(file) {}

  const std::string path_;
  const int file_;
};

}  // namespace duhui
