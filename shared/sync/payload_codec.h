#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "duhui/sync/v1/frame.pb.h"
#include "shared/base/result.h"

namespace duhui {

/// What says how a payload is to be read; the fields of sync.v1.Batch and of a stored batch.
struct PackedOps {
  int encoding = 0;  // sync.v1.Encoding, or a number this build does not know
  std::uint32_t dictionary = 0;
  std::uint32_t count = 0;
  std::uint32_t raw_bytes = 0;
  std::string_view payload;
};

inline PackedOps packed_ops(const sync::v1::Batch& batch) {
  return {batch.encoding(), batch.dictionary(), batch.count(), batch.raw_bytes(), batch.payload()};
}

/// What a peer can unpack besides plain and zstd. It says so in Hello and Welcome.
struct Packing {
  bool dictionary = false;  // ours
  bool columns = false;

  friend bool operator==(const Packing&, const Packing&) = default;
};
inline constexpr Packing kEveryPacking{.dictionary = true, .columns = true};

/// Packs ops into batch payloads and back: rows, (varint length, op bytes) x count, or the columns
/// of op_columns where many travel together; zstd (RFC 8878) with the dictionary that is shipped
/// with the schema. Holds compression contexts: not thread-safe, one
/// per thread.
class PayloadCodec {
 public:
  PayloadCodec();
  ~PayloadCodec();
  PayloadCodec(const PayloadCodec&) = delete;
  PayloadCodec& operator=(const PayloadCodec&) = delete;

  /// Fills encoding, dictionary, raw_bytes, payload and count of `batch`. Falls back to the plain
  /// encoding where compression does not pay. The limits are the caller's business.
  void pack(const std::vector<std::string_view>& ops, const Packing& known, sync::v1::Batch* batch);

  /// Packs again what a peer could not unpack.
  Status repack(const Packing& known, sync::v1::Batch* batch);

  /// The rows of a payload. Nothing larger than kBatchRawBytesMax is ever allocated.
  /// `corrupt_data`, `limit_exceeded`; `invalid_input`: an unknown encoding or dictionary.
  Result<std::string> unpack(const PackedOps& packed);

  /// Splits raw bytes into exactly `count` ops; the views point into `raw`.
  static Result<std::vector<std::string_view>> split(std::string_view raw, std::uint32_t count);

  /// Number of the dictionary in this build.
  static std::uint32_t dictionary_id();

  /// Tells a peer what this build unpacks. `Message`: Hello or Welcome.
  template <typename Message>
  static void announce(Message* message) {
    message->add_dictionaries(dictionary_id());
    message->add_encodings(sync::v1::ENCODING_COLUMNS);
  }
  /// What the peer that announced these can unpack.
  template <typename Dictionaries, typename Encodings>
  static Packing known_to(const Dictionaries& dictionaries, const Encodings& encodings) {
    return {.dictionary = std::find(dictionaries.begin(), dictionaries.end(), dictionary_id()) !=
                          dictionaries.end(),
            .columns = std::find(encodings.begin(), encodings.end(), sync::v1::ENCODING_COLUMNS) !=
                       encodings.end()};
  }

 private:
  struct Contexts;

  /// Empty optional: it does not shrink.
  std::optional<std::string> compress(std::string_view raw, bool with_dictionary);
  std::optional<std::string> pack_columns(const std::vector<std::string_view>& ops,
                                          bool with_dictionary);
  /// `dictionary` 0: none.
  Result<std::string> decompress(std::string_view packed,
                                 std::uint32_t dictionary,
                                 std::size_t bytes);
  Result<std::string> unpack_columns(std::string_view payload,
                                     std::uint32_t dictionary,
                                     std::uint32_t count,
                                     std::uint32_t raw_bytes);

  std::unique_ptr<Contexts> contexts_;
};

}  // namespace duhui
