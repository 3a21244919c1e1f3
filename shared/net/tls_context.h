#pragma once

#include <memory>
#include <string>

#include "shared/base/result.h"
#include "shared/crypto/digest.h"
#include "shared/net/tls_identity.h"

struct ssl_st;
struct ssl_ctx_st;
struct x509_st;

namespace duhui::net {

/// What all TLS connections of one server, or of all clients, have in common: TLS 1.3 only, no
/// session tickets, buffers given back when idle.
class TlsContext {
 public:
  static Result<std::unique_ptr<TlsContext>> for_server(const TlsIdentity& identity);
  /// The one context of all clients of this process; trust lies in the pin of each connection.
  static const TlsContext& for_clients();

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* get() const { return context_; }

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}

  ssl_ctx_st* const context_;
};

/// What a client wants to see, and what it saw. Outlives the handshake.
struct PinCheck {
  std::string wanted;  // 32 bytes, or the short form of a typed ticket
  Digest seen;
  /// Any key will do: only for what is public and proves itself.
  bool any = false;
  /// The certificate is signed by itself and has no end, as those of hubs: not of somebody who
  /// takes connections apart in between.
  bool as_hubs_make_them = false;
};

/// Lets the client handshake of `ssl` succeed if and only if the server's key matches the pin.
/// Dates, names and authorities are not looked at.
void check_pin(ssl_st* ssl, PinCheck& check);

/// SHA-256 of the certificate itself.
Digest certificate_fingerprint(x509_st* certificate);
/// SHA-256 of the certificate's SubjectPublicKeyInfo.
Digest spki_pin(x509_st* certificate);

}  // namespace duhui::net
