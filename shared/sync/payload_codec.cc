#include "shared/sync/payload_codec.h"

#include <zstd.h>

#include "shared/base/bytes.h"
#include "shared/base/check.h"
#include "shared/sync/dictionary.h"
#include "shared/sync/limits.h"

namespace duhui {
namespace {

constexpr int kLevel = 3;
// Below this a zstd frame's own header eats what compression wins.
constexpr std::size_t kCompressFrom = 48;

std::string join(const std::vector<std::string_view>& ops) {
  std::size_t total = 0;
  for (const std::string_view op : ops) total += op.size() + 5;
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

void PayloadCodec::pack(const std::vector<std::string_view>& ops,
                        bool dictionary_known,
                        sync::v1::Batch* batch) {
  std::string raw = join(ops);
  batch->set_count(static_cast<std::uint32_t>(ops.size()));
  batch->set_raw_bytes(static_cast<std::uint32_t>(raw.size()));
  const RecordDictionary dictionary = record_dictionary();
  const bool with_dictionary = dictionary_known && !dictionary.bytes.empty();
  if (raw.size() >= kCompressFrom) {
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
    if (ZSTD_isError(size) == 0 && size < raw.size()) {
      packed.resize(size);
      batch->set_encoding(with_dictionary ? sync::v1::ENCODING_ZSTD_DICTIONARY
                                          : sync::v1::ENCODING_ZSTD);
      if (with_dictionary) batch->set_dictionary(dictionary.id);
      batch->set_payload(std::move(packed));
      return;
    }
  }
  batch->set_encoding(sync::v1::ENCODING_PLAIN);
  batch->set_payload(std::move(raw));
}

Result<std::string> PayloadCodec::unpack(sync::v1::Encoding encoding,
                                         std::uint32_t dictionary,
                                         std::uint32_t raw_bytes,
                                         std::string_view payload) {
  if (raw_bytes > sync_limits::kBatchRawBytesMax) {
    return Error{ErrorCode::limit_exceeded,
                 "batch payload: " + std::to_string(raw_bytes) + " bytes"};
  }
  if (encoding == sync::v1::ENCODING_PLAIN) {
    if (payload.size() != raw_bytes) {
      return Error{ErrorCode::corrupt_data, "batch payload: length does not match"};
    }
    return std::string(payload);
  }
  const bool with_dictionary = encoding == sync::v1::ENCODING_ZSTD_DICTIONARY;
  if (!with_dictionary && encoding != sync::v1::ENCODING_ZSTD) {
    return Error{ErrorCode::invalid_input, "batch payload: unknown encoding"};
  }
  const RecordDictionary known = record_dictionary();
  if (with_dictionary && (dictionary != known.id || known.bytes.empty())) {
    return Error{ErrorCode::invalid_input,
                 "batch payload: unknown dictionary " + std::to_string(dictionary)};
  }
  ZSTD_DCtx* context = contexts_->decompress;
  ZSTD_DCtx_reset(context, ZSTD_reset_session_and_parameters);
  if (with_dictionary) ZSTD_DCtx_refDDict(context, decompress_dictionary());
  // One byte of room more than announced, so that a longer content is noticed, not cut.
  std::string raw(std::size_t{raw_bytes} + 1, '\0');
  const std::size_t size =
      ZSTD_decompressDCtx(context, raw.data(), raw.size(), payload.data(), payload.size());
  if (ZSTD_isError(size) != 0) {
    return Error{ErrorCode::corrupt_data, std::string("batch payload: ") + ZSTD_getErrorName(size)};
  }
  if (size != raw_bytes) {
    return Error{ErrorCode::corrupt_data, "batch payload: length does not match"};
  }
  raw.resize(size);
  return raw;
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
