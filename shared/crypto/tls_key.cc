#include "shared/crypto/tls_key.h"

#include <array>
#include <memory>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace duhui {
namespace {

constexpr std::string_view kCurve = "prime256v1";
constexpr std::size_t kPublicKeyMax = 512;
constexpr std::size_t kSignatureMax = 256;

template <auto kFree>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using BioPointer = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using DigestPointer = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Result<KeyPointer> private_key(std::string_view pem) {
  const BioPointer in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  KeyPointer key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  if (!key) return Error{ErrorCode::corrupt_data, "TLS key: there is no private key"};
  return key;
}

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1 &&
         std::string_view(name.data(), size) == kCurve;
}

}  // namespace

Result<std::string> tls_public_key(std::string_view pem) {
  DUHUI_TRY(key, private_key(pem));
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  if (size <= 0) return Error{ErrorCode::corrupt_data, "TLS key: no public half"};
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

Result<std::string> tls_sign(std::string_view pem, std::string_view bytes) {
  DUHUI_TRY(key, private_key(pem));
  const DigestPointer context(EVP_MD_CTX_new());
  std::array<unsigned char, kSignatureMax> signature{};
  std::size_t size = signature.size();
  if (!is_p256(key.get()) ||
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, bytes_of(bytes), bytes.size()) != 1) {
    return Error{ErrorCode::corrupt_data, "TLS key: cannot sign with it"};
  }
  return std::string(reinterpret_cast<const char*>(signature.data()), size);
}

bool tls_verify(std::string_view public_key, std::string_view bytes, std::string_view signature) {
  if (public_key.size() > kPublicKeyMax || signature.size() > kSignatureMax) return false;
  const unsigned char* at = bytes_of(public_key);
  const KeyPointer key(d2i_PUBKEY(nullptr, &at, static_cast<long>(public_key.size())));
  // Bytes behind the key would make several texts, and several pins, of one key.
  if (!key || at != bytes_of(public_key) + public_key.size() || !is_p256(key.get())) return false;
  const DigestPointer context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(bytes),
                          bytes.size()) == 1;
}

}  // namespace duhui
