#include "shared/crypto/digest.h"

#include <memory>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "shared/base/check.h"

namespace duhui {
namespace {

/// Fetching the algorithm by name costs more than hashing a record, so it is done once.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  DUHUI_CHECK(algorithm != nullptr);
  return algorithm;
}

/// One context per thread, reused: creating one costs three allocations.
EVP_MD_CTX* context_of_this_thread() {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  DUHUI_CHECK(context != nullptr);
  return context.get();
}

}  // namespace

std::optional<Digest> Digest::from_bytes(std::string_view view) {
  if (view.size() != 32) return std::nullopt;
  Digest digest;
  std::memcpy(digest.bytes.data(), view.data(), 32);
  return digest;
}

Digest sha256(std::string_view bytes) { return sha256(bytes, {}); }

Digest sha256(std::string_view first, std::string_view second) {
  EVP_MD_CTX* const context = context_of_this_thread();
  Digest digest;
  bool ok = EVP_DigestInit_ex2(context, sha256_algorithm(), nullptr) == 1;
  ok = ok && EVP_DigestUpdate(context, first.data(), first.size()) == 1;
  if (!second.empty()) ok = ok && EVP_DigestUpdate(context, second.data(), second.size()) == 1;
  unsigned int size = 0;
  ok = ok && EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(digest.bytes.data()),
                                &size) == 1;
  DUHUI_CHECK(ok && size == digest.bytes.size());
  return digest;
}

struct DigestStream::Context {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> evp{EVP_MD_CTX_new()};

  void begin() const {
    DUHUI_CHECK(evp != nullptr && EVP_DigestInit_ex2(evp.get(), sha256_algorithm(), nullptr) == 1);
  }
};

DigestStream::DigestStream() : context_(std::make_unique<Context>()) { context_->begin(); }
DigestStream::DigestStream(DigestStream&&) noexcept = default;
DigestStream& DigestStream::operator=(DigestStream&&) noexcept = default;
DigestStream::~DigestStream() = default;

void DigestStream::add(std::string_view bytes) {
  DUHUI_CHECK(EVP_DigestUpdate(context_->evp.get(), bytes.data(), bytes.size()) == 1);
}

Digest DigestStream::take() {
  Digest digest;
  unsigned int size = 0;
  const bool done =
      EVP_DigestFinal_ex(context_->evp.get(), reinterpret_cast<unsigned char*>(digest.bytes.data()),
                         &size) == 1;
  DUHUI_CHECK(done && size == digest.bytes.size());
  context_->begin();
  return digest;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace duhui
