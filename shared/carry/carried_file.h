#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "shared/base/result.h"
#include "shared/carry/bundle_file.h"
#include "shared/sync/bundle_format.h"

namespace duhui {

/// One bundle file that came by stick: read through once to prove it, then once more for its
/// frames, of the very same content.
class CarriedFile {
 public:
  /// `receiver` outlives this.
  static Result<std::unique_ptr<CarriedFile>> open(const std::string& path,
                                                   const SigningKey& receiver,
                                                   sync::v1::BundleDirection direction);

  /// Reads a little more. True: it is whole, and signed with the key it names itself
  /// (`opening().public_key()`); whether that is somebody to be believed is the caller's question.
  Result<bool> prove_more();

  /// After it was proven.
  const sync::v1::BundleHeader& header() const { return *first_.header(); }
  const sync::v1::BundleOpening& opening() const { return first_.opening(); }
  /// Whether the header was read, even if nothing is proven.
  bool has_header() const { return first_.header() != nullptr; }

  /// The next frame; empty optional: there is no more. corrupt_data: the file was changed
  /// meanwhile.
  Result<std::optional<std::string>> next_frame();

 private:
  CarriedFile(std::unique_ptr<InBundle> file,
              const SigningKey& receiver,
              sync::v1::BundleDirection direction)
      : file_(std::move(file)), first_(receiver, direction), second_(receiver, direction) {}

  std::unique_ptr<InBundle> file_;
  BundleReader first_;
  BundleReader second_;
  std::deque<std::string> frames_;
};

}  // namespace duhui
