#include "shared/crypto/sealing.h"

#include <array>

#include <sodium.h>

#include "shared/base/check.h"

namespace duhui {
namespace {

static_assert(kSealOverhead == crypto_box_SEALBYTES);

const unsigned char* bytes_of(std::string_view view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}

bool sodium_ready() {
  static const bool ready = sodium_init() >= 0;
  return ready;
}

}  // namespace

Result<std::string> seal(const PublicKey& to, std::string_view bytes) {
  DUHUI_CHECK(sodium_ready());
  std::array<unsigned char, crypto_box_PUBLICKEYBYTES> box_key{};
  if (crypto_sign_ed25519_pk_to_curve25519(box_key.data(), bytes_of(to.view())) != 0) {
    return Error{ErrorCode::invalid_input, "seal: not a public key"};
  }
  std::string sealed(bytes.size() + kSealOverhead, '\0');
  if (crypto_box_seal(reinterpret_cast<unsigned char*>(sealed.data()), bytes_of(bytes),
                      bytes.size(), box_key.data()) != 0) {
    return Error{ErrorCode::invalid_input, "seal: not a usable public key"};
  }
  return sealed;
}

Result<std::string> unseal(const SigningKey& key, std::string_view sealed) {
  DUHUI_CHECK(sodium_ready());
  if (sealed.size() < kSealOverhead) {
    return Error{ErrorCode::corrupt_data, "unseal: too short"};
  }
  std::array<unsigned char, crypto_box_PUBLICKEYBYTES> box_public{};
  std::array<unsigned char, crypto_box_SECRETKEYBYTES> box_secret{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> sign_secret{};
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> sign_public{};
  const auto& seed = key.seed();
  crypto_sign_seed_keypair(sign_public.data(), sign_secret.data(),
                           bytes_of({seed.data(), seed.size()}));
  DUHUI_CHECK(crypto_sign_ed25519_pk_to_curve25519(box_public.data(), sign_public.data()) == 0);
  DUHUI_CHECK(crypto_sign_ed25519_sk_to_curve25519(box_secret.data(), sign_secret.data()) == 0);
  std::string bytes(sealed.size() - kSealOverhead, '\0');
  const int failed =
      crypto_box_seal_open(reinterpret_cast<unsigned char*>(bytes.data()), bytes_of(sealed),
                           sealed.size(), box_public.data(), box_secret.data());
  sodium_memzero(box_secret.data(), box_secret.size());
  sodium_memzero(sign_secret.data(), sign_secret.size());
  if (failed != 0) return Error{ErrorCode::corrupt_data, "unseal: not for this key, or damaged"};
  return bytes;
}

}  // namespace duhui
