#include "shared/crypto/vault_key.h"

#include <algorithm>

#include <sodium.h>

#include "shared/base/check.h"

namespace duhui {
namespace {

constexpr std::string_view kPurpose = "duhui vault v1\n";
constexpr std::size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagSize = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == 32);

const unsigned char* bytes_of(std::string_view view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

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

}  // namespace duhui
