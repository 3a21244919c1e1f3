#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/crypto/digest.h"

namespace duhui::net {

/// A server's TLS key and certificate.
struct TlsIdentity {
  std::string pem;       // the private key, then the certificate: a file only its owner may read
  Digest pin;            // SHA-256 of the certificate's public key (SPKI): what clients trust
  Digest fingerprint{};  // SHA-256 of the certificate: what a browser shows to compare
};

/// Nobody checks the dates: a school's clock may show any year, and the pin says all.
struct CertificateDates {
  std::string not_before = "20000101000000Z";
  std::string not_after = "99991231235959Z";  // "has no well-defined expiration", RFC 5280
};

/// A new P-256 key and a certificate signed by itself. `hosts`: names and addresses under which a
/// browser may find it, such as "hub.school:7482" (the port does not count).
Result<TlsIdentity> make_tls_identity(const std::string& common_name,
                                      const CertificateDates& dates = {},
                                      const std::vector<std::string>& hosts = {});
/// The inverse of `pem`. corrupt_data: a part is missing or they do not belong together.
Result<TlsIdentity> parse_tls_identity(std::string_view pem);

}  // namespace duhui::net
