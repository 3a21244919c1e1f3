#include "shared/crypto/running_digest.h"

#include <openssl/evp.h>

#include "shared/base/check.h"

namespace duhui {

struct RunningDigest::Context {
  EVP_MD_CTX* const state = EVP_MD_CTX_new();

  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(state); }
};

RunningDigest::RunningDigest() : context_(std::make_unique<Context>()) {
  DUHUI_CHECK(context_->state != nullptr);
  DUHUI_CHECK(EVP_DigestInit_ex2(context_->state, EVP_sha256(), nullptr) == 1);
}

RunningDigest::~RunningDigest() = default;

void RunningDigest::add(std::string_view bytes) {
  DUHUI_CHECK(EVP_DigestUpdate(context_->state, bytes.data(), bytes.size()) == 1);
}

Digest RunningDigest::take() {
  Digest digest;
  unsigned int size = 0;
  auto* const out = reinterpret_cast<unsigned char*>(digest.bytes.data());
  DUHUI_CHECK(EVP_DigestFinal_ex(context_->state, out, &size) == 1);
  DUHUI_CHECK(size == digest.bytes.size());
  return digest;
}

}  // namespace duhui
