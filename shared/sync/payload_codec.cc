#include "shared/sync/payload_codec.h"

#include <zstd.h>

#include "shared/base/bytes.h"
#include "shared/base/check.h"
#include "shared/sync/dictionary.h"
#include "shared/sync/limits.h"
#include "shared/sync/op_columns.h"

namespace duhui {
namespace {

constexpr int kLevel = 3;
// Below this a zstd frame's own header eats what compression wins.
constexpr std::size_t kCompressFrom = 48;
// Fewer ops repeat too little to pay for spelling out their shapes; the dictionary knows rows.
constexpr std::size_t kColumnsFrom = 8;

std::size_t joined_size(const std::vector<std::string_view>& ops) {
  std::size_t total = 0;
  for (const std::string_view op : ops) {
    total += op.size() + 1;
    for (std::size_t size = op.size(); size > 0x7f; size >>= 7) ++total;
  }
  return total;
}

std::string join(const std::vector<std::string_view>& ops, std::size_t total) {
  std::string raw;
  raw.reserve(total);
  for (const std::string_view op : ops) {
    append_varint(raw, op.size());
    raw.append(op);
  }
  return raw;
}

struct FreeDictionary {
  void operator()(ZSTD_CDict* dictionary) const { ZSTD_freeCDict(dictionary); }
  void operator()(ZSTD_DDict* dictionary) const { ZSTD_freeDDict(dictionary); }
};

// Half a megabyte of tables, read by any number of threads: one per process, made on first use, so
// that a device that never packs does not pay for them.
const ZSTD_CDict* compress_dictionary() {
  static const std::unique_ptr<ZSTD_CDict, FreeDictionary> made(
      ZSTD_createCDict(record_dictionary().bytes.data(), record_dictionary().bytes.size(), kLevel));
  return made.get();
}

const ZSTD_DDict* decompress_dictionary() {
  static const std::unique_ptr<ZSTD_DDict, FreeDictionary> made(
      ZSTD_createDDict(record_dictionary().bytes.data(), record_dictionary().bytes.size()));
  return made.get();
}

}  // namespace

struct PayloadCodec::Contexts {
  ZSTD_CCtx* compress = ZSTD_createCCtx();
  ZSTD_DCtx* decompress = ZSTD_createDCtx();

  ~Contexts() {
    ZSTD_freeCCtx(compress);
    ZSTD_freeDCtx(decompress);
  }
};

PayloadCodec::PayloadCodec() : contexts_(std::make_unique<Contexts>()) {
  DUHUI_CHECK(contexts_->compress != nullptr && contexts_->decompress != nullptr);
}

PayloadCodec::~PayloadCodec() = default;

std::uint32_t PayloadCodec::dictionary_id() { return record_dictionary().id; }

std::optional<std::string> PayloadCodec::compress(std::string_view raw, bool with_dictionary) {
  ZSTD_CCtx* context = contexts_->compress;
  std::string packed(ZSTD_compressBound(raw.size()), '\0');
  ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kLevel);
  // The batch carries its own length and dictionary number, and its chain makes a checksum
  // needless.
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0);
  if (with_dictionary) ZSTD_CCtx_refCDict(context, compress_dictionary());
  const std::size_t size =
      ZSTD_compress2(context, packed.data(), packed.size(), raw.data(), raw.size());
  if (ZSTD_isError(size) != 0 || size >= raw.size()) return std::nullopt;
  packed.resize(size);
  return packed;
}

std::optional<std::string> PayloadCodec::pack_columns(const std::vector<std::string_view>& ops,
                                                      bool with_dictionary) {
  const auto columns = to_columns(ops);
  if (!columns) return std::nullopt;
  const auto packed = compress(columns->fields, with_dictionary);
  if (!packed) return std::nullopt;
  std::string payload;
  payload.reserve(columns->random.size() + packed->size() + 10);
  append_varint(payload, columns->random.size());
  payload += columns->random;
  append_varint(payload, columns->fields.size());
  payload += *packed;
  return payload;
}

void PayloadCodec::pack(const std::vector<std::string_view>& ops,
                        const Packing& known,
                        sync::v1::Batch* batch) {
  const RecordDictionary dictionary = record_dictionary();
  const bool with_dictionary = known.dictionary && !dictionary.bytes.empty();
  const std::size_t raw_bytes = joined_size(ops);
  batch->set_count(static_cast<std::uint32_t>(ops.size()));
  batch->set_raw_bytes(static_cast<std::uint32_t>(raw_bytes));
  batch->clear_dictionary();
  std::optional<std::string> payload;
  if (known.columns && ops.size() >= kColumnsFrom) {
    payload = pack_columns(ops, with_dictionary);
    batch->set_encoding(sync::v1::ENCODING_COLUMNS);
  }
  if (!payload || payload->size() >= raw_bytes) {
    std::string raw = join(ops, raw_bytes);
    payload = raw.size() < kCompressFrom ? std::nullopt : compress(raw, with_dictionary);
    batch->set_encoding(with_dictionary ? sync::v1::ENCODING_ZSTD_DICTIONARY
                                        : sync::v1::ENCODING_ZSTD);
    if (!payload) {
      batch->set_encoding(sync::v1::ENCODING_PLAIN);
      batch->set_payload(std::move(raw));
      return;
    }
  }
  if (with_dictionary) batch->set_dictionary(dictionary.id);
  batch->set_payload(*std::move(payload));
}

Status PayloadCodec::repack(const Packing& known, sync::v1::Batch* batch) {
  const bool readable = (known.dictionary || batch->dictionary() == 0) &&
                        (known.columns || batch->encoding() != sync::v1::ENCODING_COLUMNS);
  if (readable) return Done{};
  DUHUI_TRY(raw, unpack(packed_ops(*batch)));
  DUHUI_TRY(ops, split(raw, batch->count()));
  pack(ops, known, batch);
  return Done{};
}

Result<std::string> PayloadCodec::decompress(std::string_view packed,
                                             std::uint32_t dictionary,
                                             std::size_t bytes) {
  const RecordDictionary known = record_dictionary();
  if (dictionary != 0 && (dictionary != known.id || known.bytes.empty())) {
    return Error{ErrorCode::invalid_input,
                 "batch payload: unknown dictionary " + std::to_string(dictionary)};
  }
  ZSTD_DCtx* context = contexts_->decompress;
  ZSTD_DCtx_reset(context, ZSTD_reset_session_and_parameters);
  if (dictionary != 0) ZSTD_DCtx_refDDict(context, decompress_dictionary());
  // One byte of room more than announced, so that a longer content is noticed, not cut.
  std::string raw(bytes + 1, '\0');
  const std::size_t size =
      ZSTD_decompressDCtx(context, raw.data(), raw.size(), packed.data(), packed.size());
  if (ZSTD_isError(size) != 0) {
    return Error{ErrorCode::corrupt_data, std::string("batch payload: ") + ZSTD_getErrorName(size)};
  }
  if (size != bytes) {
    return Error{ErrorCode::corrupt_data, "batch payload: length does not match"};
  }
  raw.resize(size);
  return raw;
}

Result<std::string> PayloadCodec::unpack_columns(std::string_view payload,
                                                 std::uint32_t dictionary,
                                                 std::uint32_t count,
                                                 std::uint32_t raw_bytes) {
  const auto random_bytes = take_varint(payload);
  if (!random_bytes || *random_bytes > payload.size()) {
    return Error{ErrorCode::corrupt_data, "batch payload: cut off"};
  }
  const std::string_view random = payload.substr(0, static_cast<std::size_t>(*random_bytes));
  payload.remove_prefix(random.size());
  const auto bytes = take_varint(payload);
  if (!bytes) return Error{ErrorCode::corrupt_data, "batch payload: cut off"};
  if (*bytes > sync_limits::kBatchRawBytesMax) {
    return Error{ErrorCode::limit_exceeded,
                 "batch payload: " + std::to_string(*bytes) + " bytes of columns"};
  }
  DUHUI_TRY(fields, decompress(payload, dictionary, static_cast<std::size_t>(*bytes)));
  return from_columns(fields, random, count, raw_bytes);
}

Result<std::string> PayloadCodec::unpack(const PackedOps& packed) {
  if (packed.raw_bytes > sync_limits::kBatchRawBytesMax) {
    return Error{ErrorCode::limit_exceeded,
                 "batch payload: " + std::to_string(packed.raw_bytes) + " bytes"};
  }
  if (packed.count > sync_limits::kBatchOpsMax) {
    return Error{ErrorCode::limit_exceeded, "batch: " + std::to_string(packed.count) + " ops"};
  }
  switch (packed.encoding) {
    case sync::v1::ENCODING_PLAIN:
      if (packed.payload.size() != packed.raw_bytes) {
        return Error{ErrorCode::corrupt_data, "batch payload: length does not match"};
      }
      return std::string(packed.payload);
    case sync::v1::ENCODING_ZSTD:
      return decompress(packed.payload, 0, packed.raw_bytes);
    case sync::v1::ENCODING_ZSTD_DICTIONARY:
      if (packed.dictionary == 0) break;
      return decompress(packed.payload, packed.dictionary, packed.raw_bytes);
    case sync::v1::ENCODING_COLUMNS:
      return unpack_columns(packed.payload, packed.dictionary, packed.count, packed.raw_bytes);
    default:
      break;
  }
  return Error{ErrorCode::invalid_input, "batch payload: unknown encoding"};
}

Result<std::vector<std::string_view>> PayloadCodec::split(std::string_view raw,
                                                          std::uint32_t count) {
  if (count == 0 || count > sync_limits::kBatchOpsMax) {
    return Error{ErrorCode::limit_exceeded, "batch: " + std::to_string(count) + " ops"};
  }
  std::vector<std::string_view> ops;
  ops.reserve(count);
  while (!raw.empty()) {
    const auto size = take_varint(raw);
    if (!size || *size > raw.size() || *size > sync_limits::kOpBytesMax || ops.size() == count) {
      return Error{ErrorCode::corrupt_data, "batch: op " + std::to_string(ops.size()) + " is torn"};
    }
    ops.push_back(raw.substr(0, static_cast<std::size_t>(*size)));
    raw.remove_prefix(static_cast<std::size_t>(*size));
  }
  if (ops.size() != count) {
    return Error{ErrorCode::corrupt_data, "batch: " + std::to_string(ops.size()) +
                                              " ops instead of " + std::to_string(count)};
  }
  return ops;
}

}  // namespace duhui
