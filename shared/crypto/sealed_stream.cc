#include "shared/crypto/sealed_stream.h"

#include <algorithm>

#include <sodium.h>

#include "shared/base/check.h"

namespace duhui {
namespace {

static_assert(kPieceOverhead == crypto_secretstream_xchacha20poly1305_ABYTES);
static_assert(kStreamHeaderSize == crypto_secretstream_xchacha20poly1305_HEADERBYTES);
static_assert(crypto_secretstream_xchacha20poly1305_KEYBYTES == 32);

const unsigned char* bytes_of(std::string_view view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

struct RunningDigest::State {
  crypto_hash_sha256_state hash{};
};

RunningDigest::RunningDigest() : state_(std::make_unique<State>()) {
  crypto_hash_sha256_init(&state_->hash);
}

RunningDigest::~RunningDigest() = default;

void RunningDigest::add(std::string_view bytes) {
  crypto_hash_sha256_update(&state_->hash, bytes_of(bytes), bytes.size());
}

Digest RunningDigest::now() const {
  crypto_hash_sha256_state so_far = state_->hash;
  Digest digest;
  crypto_hash_sha256_final(&so_far, reinterpret_cast<unsigned char*>(digest.bytes.data()));
  return digest;
}

StreamKey StreamKey::random(Random& random) {
  StreamKey key;
  random.fill(key.bytes_.data(), key.bytes_.size());
  return key;
}

Result<StreamKey> StreamKey::from_bytes(std::string_view bytes) {
  StreamKey key;
  if (bytes.size() != key.bytes_.size()) {
    return Error{ErrorCode::invalid_input, "stream key: wrong length"};
  }
  std::copy(bytes.begin(), bytes.end(), key.bytes_.begin());
  return key;
}

StreamKey::~StreamKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

struct PieceSealer::State {
  crypto_secretstream_xchacha20poly1305_state stream{};
};

PieceSealer::PieceSealer(const StreamKey& key)
    : state_(std::make_unique<State>()), header_(kStreamHeaderSize, '\0') {
  DUHUI_CHECK(sodium_init() >= 0);
  DUHUI_CHECK(crypto_secretstream_xchacha20poly1305_init_push(&state_->stream, bytes_of(header_),
                                                              bytes_of(key.view())) == 0);
}

PieceSealer::~PieceSealer() { sodium_memzero(&state_->stream, sizeof state_->stream); }

std::string PieceSealer::seal(std::string_view piece, bool last, std::string_view beside) {
  std::string sealed(piece.size() + kPieceOverhead, '\0');
  const unsigned char tag =
      last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : static_cast<unsigned char>(0);
  DUHUI_CHECK(crypto_secretstream_xchacha20poly1305_push(
                  &state_->stream, bytes_of(sealed), nullptr, bytes_of(piece), piece.size(),
                  bytes_of(beside), beside.size(), tag) == 0);
  return sealed;
}

struct PieceOpener::State {
  crypto_secretstream_xchacha20poly1305_state stream{};
};

PieceOpener::PieceOpener() : state_(std::make_unique<State>()) {}

PieceOpener::~PieceOpener() { sodium_memzero(&state_->stream, sizeof state_->stream); }

Result<std::unique_ptr<PieceOpener>> PieceOpener::begin(const StreamKey& key,
                                                        std::string_view header) {
  if (header.size() != kStreamHeaderSize) {
    return Error{ErrorCode::invalid_input, "sealed stream: header of a wrong length"};
  }
  std::unique_ptr<PieceOpener> opener(new PieceOpener);
  if (crypto_secretstream_xchacha20poly1305_init_pull(&opener->state_->stream, bytes_of(header),
                                                      bytes_of(key.view())) != 0) {
    return Error{ErrorCode::corrupt_data, "sealed stream: header"};
  }
  return opener;
}

Result<PieceOpener::Piece> PieceOpener::open(std::string_view sealed, std::string_view beside) {
  if (sealed.size() < kPieceOverhead) {
    return Error{ErrorCode::corrupt_data, "sealed stream: too short a piece"};
  }
  Piece piece{.bytes = std::string(sealed.size() - kPieceOverhead, '\0')};
  unsigned char tag = 0;
  if (crypto_secretstream_xchacha20poly1305_pull(&state_->stream, bytes_of(piece.bytes), nullptr,
                                                 &tag, bytes_of(sealed), sealed.size(),
                                                 bytes_of(beside), beside.size()) != 0) {
    return Error{ErrorCode::corrupt_data, "sealed stream: a piece was changed, or one is missing"};
  }
  piece.last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
  return piece;
}

}  // namespace duhui
