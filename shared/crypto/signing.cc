#include "shared/crypto/signing.h"

#include <algorithm>
#include <cstring>

#include <sodium.h>

#include "shared/base/check.h"
#include "shared/crypto/digest.h"
#include "shared/crypto/text.h"

namespace duhui {
namespace {

constexpr std::string_view kFileHead = "duhui-key-1 ed25519 ";
constexpr std::size_t kChecksumSize = 4;

const unsigned char* bytes_of(std::string_view view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}

std::string checksum(std::string_view seed) {
  return sha256("duhui key checksum", seed).str().substr(0, kChecksumSize);
}

}  // namespace

std::optional<PublicKey> PublicKey::from_bytes(std::string_view view) {
  if (view.size() != 32) return std::nullopt;
  PublicKey key;
  std::memcpy(key.bytes.data(), view.data(), 32);
  return key;
}

SigningKey SigningKey::generate(Random& random) {
  std::array<char, 32> seed{};
  random.fill(seed.data(), seed.size());
  SigningKey key = from_seed(seed);
  sodium_memzero(seed.data(), seed.size());
  return key;
}

SigningKey SigningKey::from_seed(const std::array<char, 32>& seed) {
  SigningKey key;
  key.seed_ = seed;
  const int failed = crypto_sign_seed_keypair(
      reinterpret_cast<unsigned char*>(key.public_key_.bytes.data()),
      reinterpret_cast<unsigned char*>(key.secret_.data()), bytes_of({seed.data(), seed.size()}));
  DUHUI_CHECK(failed == 0);
  return key;
}

Result<SigningKey> SigningKey::from_file_text(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (!text.starts_with(kFileHead)) return Error{ErrorCode::corrupt_data, "key file: not a key"};
  auto bytes = from_base64url(text.substr(kFileHead.size()));
  if (!bytes || bytes->size() != 32 + kChecksumSize) {
    return Error{ErrorCode::corrupt_data, "key file: wrong length"};
  }
  std::array<char, 32> seed{};
  std::copy_n(bytes->begin(), seed.size(), seed.begin());
  const bool intact = std::string_view(*bytes).substr(32) == checksum({seed.data(), seed.size()});
  sodium_memzero(bytes->data(), bytes->size());
  if (!intact) return Error{ErrorCode::corrupt_data, "key file: checksum does not match"};
  SigningKey key = from_seed(seed);
  sodium_memzero(seed.data(), seed.size());
  return key;
}

SigningKey::~SigningKey() {
  sodium_memzero(seed_.data(), seed_.size());
  sodium_memzero(secret_.data(), secret_.size());
}

std::string SigningKey::file_text() const {
  const std::string_view seed(seed_.data(), seed_.size());
  return std::string(kFileHead) + to_base64url(std::string(seed) + checksum(seed)) + "\n";
}

std::string SigningKey::sign(std::string_view bytes) const {
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, bytes_of(bytes),
                       bytes.size(), reinterpret_cast<const unsigned char*>(secret_.data()));
  return signature;
}

std::string sign(const SigningKey& key, std::string_view bytes) { return key.sign(bytes); }

bool verify(const PublicKey& key, std::string_view bytes, std::string_view signature) {
  return signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(bytes_of(signature), bytes_of(bytes), bytes.size(),
                                     bytes_of(key.view())) == 0;
}

}  // namespace duhui
