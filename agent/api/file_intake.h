#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "agent/ports/blob_shelf.h"
#include "shared/base/result.h"
#include "shared/media/shrink.h"
#include "shared/media/sniff.h"

namespace duhui::agent {

/// What somebody said of a file before it came.
struct FilePromise {
  std::string name{};  // untrusted
  std::uint64_t size = 0;
  std::string sha256{};  // lower-case hexadecimal; empty: not told
  bool keep_location = false;
  bool hidden = false;  // see BlobShelf::begin

  friend bool operator==(const FilePromise&, const FilePromise&) = default;
};

/// How files are taken in.
struct FileSettings {
  bool keep_original = true;  // of pictures that were made smaller
  std::uint32_t photo_kib = media::kShrunkBytes / 1024;
  std::uint32_t photo_side = media::kShrunkSide;
};

/// Tokens of what an intake writes by itself.
struct SpareTokens {
  std::string shown{};
  std::string original{};
};

/// Judges a whole upload by its content, makes pictures smaller, and shelves what may stay. Blocks,
/// for seconds where a picture is large; on any thread. The answer is what a record's attachment
/// says of it:
///
///   {"sha256","size","mime","file_name","kind","width","height","thumbnail","taken_at","geo",
///    "original": {"sha256","size","mime"}}
///
/// `refused`: its rule's name first, and the upload is gone; any other error: it may be tried
/// again.
Result<nlohmann::json> take_in(BlobShelf& shelf,
                               const std::string& token,
                               const SpareTokens& spare,
                               const FilePromise& promise,
                               const FileSettings& settings);

std::string_view to_string(media::Kind kind);

}  // namespace duhui::agent
