#include "shared/net/tls_context.h"

#include <openssl/pem.h>

#include "shared/base/check.h"
#include "shared/crypto/ticket.h"
#include "shared/net/openssl_pointers.h"

namespace duhui::net {
namespace {

bool is_as_hubs_make_them(X509* certificate) {
  const ASN1_TIME* end = X509_get0_notAfter(certificate);
  const std::string_view until(reinterpret_cast<const char*>(ASN1_STRING_get0_data(end)),
                               static_cast<std::size_t>(ASN1_STRING_length(end)));
  return X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(certificate)) ==
             0 &&
         until == CertificateDates{}.not_after;
}

/// Called by OpenSSL in place of its own chain building.
int accept_only_the_pin(X509_STORE_CTX* store, void*) {
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* check = static_cast<PinCheck*>(SSL_get_app_data(ssl));
  X509* certificate = X509_STORE_CTX_get0_cert(store);
  if (check == nullptr || certificate == nullptr) return 0;
  check->seen = spki_pin(certificate);
  check->as_hubs_make_them = is_as_hubs_make_them(certificate);
  if (check->any || pin_matches(check->wanted, check->seen)) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
  return 0;
}

ContextPointer make_context(const SSL_METHOD* method) {
  ContextPointer context(SSL_CTX_new(method));
  if (!context) return context;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // A cut connection ends like a closed one: the protocol above knows what is missing.
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_read_ahead(context.get(), 1);  // one system call per record instead of two
  return context;
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::for_server(const TlsIdentity& identity) {
  const int size = static_cast<int>(identity.pem.size());
  const BioPointer key_in(BIO_new_mem_buf(identity.pem.data(), size));
  const BioPointer certificate_in(BIO_new_mem_buf(identity.pem.data(), size));
  const KeyPointer key(PEM_read_bio_PrivateKey(key_in.get(), nullptr, nullptr, nullptr));
  const CertificatePointer certificate(
      PEM_read_bio_X509(certificate_in.get(), nullptr, nullptr, nullptr));
  ContextPointer context = make_context(TLS_server_method());
  if (!key || !certificate || !context ||
      SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
    return Error{ErrorCode::corrupt_data, "use certificate and key: " + take_openssl_error()};
  }
  return std::unique_ptr<TlsContext>(new TlsContext(context.release()));
}

const TlsContext& TlsContext::for_clients() {
  static const TlsContext* const shared = [] {
    ContextPointer context = make_context(TLS_client_method());
    DUHUI_CHECK(context != nullptr);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context.get(), accept_only_the_pin, nullptr);
    return new TlsContext(context.release());
  }();
  return *shared;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

void check_pin(ssl_st* ssl, PinCheck& check) { SSL_set_app_data(ssl, &check); }

Digest certificate_fingerprint(x509_st* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return {};
  const Digest digest =
      sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return digest;
}

Digest spki_pin(x509_st* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return {};
  const Digest pin = sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return pin;
}

}  // namespace duhui::net
