#include "shared/crypto/vault_key.h"

#include <algorithm>

#include <sodium.h>

#include "shared/base/check.h"

namespace duhui {
namespace {

constexpr std::string_view kPurpose = "duhui vault v1\n";
constexpr std::string_view kFilePurpose = "duhui vault file v1\n";
constexpr std::size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagSize = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == 32);
static_assert(VaultKey::kLockBytes == kNonceSize + kTagSize);

const unsigned char* bytes_of(std::string_view view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::array<unsigned char, kNonceSize> chunk_nonce(std::uint32_t chunk) {
  std::array<unsigned char, kNonceSize> nonce{};
  for (std::size_t n = 0; n < 4; ++n) nonce[n] = static_cast<unsigned char>(chunk >> (8 * n));
  return nonce;
}

bool sodium_ready() {
  static const bool ready = sodium_init() >= 0;
  return ready;
}

}  // namespace

VaultKey VaultKey::of_device(const SigningKey& hub, const DeviceId& device) {
  DUHUI_CHECK(sodium_ready());
  VaultKey key;
  const std::string said = std::string(kPurpose) + device.str();
  const auto& seed = hub.seed();
  // BLAKE2b with a key (RFC 7693): a pseudo-random function of what is said.
  crypto_generichash(reinterpret_cast<unsigned char*>(key.bytes_.data()), key.bytes_.size(),
                     bytes_of(said), said.size(), bytes_of({seed.data(), seed.size()}),
                     seed.size());
  return key;
}

std::optional<VaultKey> VaultKey::from_bytes(std::string_view view) {
  VaultKey key;
  if (view.size() != key.bytes_.size()) return std::nullopt;
  std::ranges::copy(view, key.bytes_.begin());
  return key;
}

VaultKey::~VaultKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

std::string VaultKey::lock(std::string_view bytes, std::string_view beside, Random& random) const {
  DUHUI_CHECK(sodium_ready());
  std::string locked(kNonceSize + bytes.size() + kTagSize, '\0');
  random.fill(locked.data(), kNonceSize);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      bytes_of(locked) + kNonceSize, nullptr, bytes_of(bytes), bytes.size(), bytes_of(beside),
      beside.size(), nullptr, bytes_of(locked), bytes_of(view()));
  return locked;
}

Result<std::string> VaultKey::open(std::string_view locked, std::string_view beside) const {
  DUHUI_CHECK(sodium_ready());
  const Error wrong{ErrorCode::corrupt_data, "vault: not of this key, or damaged"};
  if (locked.size() < kNonceSize + kTagSize) return wrong;
  std::string bytes(locked.size() - kNonceSize - kTagSize, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          bytes_of(bytes), nullptr, nullptr, bytes_of(locked) + kNonceSize,
          locked.size() - kNonceSize, bytes_of(beside), beside.size(), bytes_of(locked),
          bytes_of(view())) != 0) {
    return wrong;
  }
  return bytes;
}

VaultKey VaultKey::of_file(std::string_view sha256) const {
  VaultKey key;
  const std::string said = std::string(kFilePurpose) + std::string(sha256);
  crypto_generichash(reinterpret_cast<unsigned char*>(key.bytes_.data()), key.bytes_.size(),
                     bytes_of(said), said.size(), bytes_of(view()), bytes_.size());
  return key;
}

std::string VaultKey::lock_chunk(std::string_view sha256,
                                 std::uint32_t chunk,
                                 std::string_view bytes) const {
  DUHUI_CHECK(sodium_ready());
  static_assert(kChunkLockBytes == kTagSize);
  const VaultKey key = of_file(sha256);
  const auto nonce = chunk_nonce(chunk);
  std::string locked(bytes.size() + kTagSize, '\0');
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes_of(locked), nullptr, bytes_of(bytes),
                                             bytes.size(), nullptr, 0, nullptr, nonce.data(),
                                             bytes_of(key.view()));
  return locked;
}

Result<std::string> VaultKey::open_chunk(std::string_view sha256,
                                         std::uint32_t chunk,
                                         std::string_view locked) const {
  DUHUI_CHECK(sodium_ready());
  const Error wrong{ErrorCode::corrupt_data, "vault: a chunk not of this key, or damaged"};
  if (locked.size() < kTagSize) return wrong;
  const VaultKey key = of_file(sha256);
  const auto nonce = chunk_nonce(chunk);
  std::string bytes(locked.size() - kTagSize, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(bytes_of(bytes), nullptr, nullptr,
                                                 bytes_of(locked), locked.size(), nullptr, 0,
                                                 nonce.data(), bytes_of(key.view())) != 0) {
    return wrong;
  }
  return bytes;
}

}  // namespace duhui
