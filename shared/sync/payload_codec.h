#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "duhui/sync/v1/frame.pb.h"
#include "shared/base/result.h"

namespace duhui {

/// Packs ops into batch payloads and back: (varint length, op bytes) x count, zstd (RFC 8878) with
/// the dictionary that is shipped with the schema. Holds compression contexts: not thread-safe, one
/// per thread.
class PayloadCodec {
 public:
  PayloadCodec();
  ~PayloadCodec();
  PayloadCodec(const PayloadCodec&) = delete;
  PayloadCodec& operator=(const PayloadCodec&) = delete;

  /// Fills encoding, dictionary, raw_bytes, payload and count of `batch`. Falls back to the plain
  /// encoding where compression does not pay. The limits are the caller's business.
  void pack(const std::vector<std::string_view>& ops,
            bool dictionary_known,
            sync::v1::Batch* batch);

  /// The raw bytes of a payload. Nothing larger than kBatchRawBytesMax is ever allocated.
  /// `corrupt_data`, `limit_exceeded`; `invalid_input`: an unknown encoding or dictionary.
  Result<std::string> unpack(sync::v1::Encoding encoding,
                             std::uint32_t dictionary,
                             std::uint32_t raw_bytes,
                             std::string_view payload);

  /// Splits raw bytes into exactly `count` ops; the views point into `raw`.
  static Result<std::vector<std::string_view>> split(std::string_view raw, std::uint32_t count);

  /// Number of the dictionary in this build.
  static std::uint32_t dictionary_id();

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
};

}  // namespace duhui
