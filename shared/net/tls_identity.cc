#include "shared/net/tls_identity.h"

#include <array>

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "shared/net/openssl_pointers.h"
#include "shared/net/tls_context.h"

namespace duhui::net {
namespace {

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
}

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// "DNS:hub.school,IP:192.168.1.7"
std::string alternative_names(const std::vector<std::string>& hosts) {
  std::string names;
  for (std::string host : hosts) {
    if (host.starts_with('[')) {
      host = host.substr(1, host.find(']') - 1);
    } else {
      host = host.substr(0, host.find(':'));
    }
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    const bool address = ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
                         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
    names += (names.empty() ? "" : ",") + std::string(address ? "IP:" : "DNS:") + host;
  }
  return names;
}

bool add_names(X509* certificate, const std::vector<std::string>& hosts) {
  if (hosts.empty()) return true;
  const std::string names = alternative_names(hosts);
  X509_EXTENSION* const extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool fill_in(X509* certificate,
             EVP_PKEY* key,
             const std::string& name,
             const CertificateDates& dates,
             const std::vector<std::string>& hosts) {
  X509_NAME* const subject = X509_get_subject_name(certificate);
  return X509_set_version(certificate, X509_VERSION_3) == 1 &&
         ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
         ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), dates.not_before.c_str()) ==
             1 &&
         ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), dates.not_after.c_str()) == 1 &&
         X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, bytes_of(name),
                                    static_cast<int>(name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, subject) == 1 &&
         X509_set_pubkey(certificate, key) == 1 && add_names(certificate, hosts) &&
         X509_sign(certificate, key, EVP_sha256()) != 0;
}

}  // namespace

Result<TlsIdentity> make_tls_identity(const std::string& common_name,
                                      const CertificateDates& dates,
                                      const std::vector<std::string>& hosts) {
  const KeyPointer key(EVP_EC_gen("P-256"));
  const CertificatePointer certificate(X509_new());
  const BioPointer out(BIO_new(BIO_s_mem()));
  if (!key || !certificate || !out ||
      !fill_in(certificate.get(), key.get(), common_name, dates, hosts) ||
      PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_X509(out.get(), certificate.get()) != 1) {
    return Error{ErrorCode::invalid_input, "make certificate: " + take_openssl_error()};
  }
  return TlsIdentity{text_of(out.get()), spki_pin(certificate.get()),
                     certificate_fingerprint(certificate.get())};
}

Result<TlsIdentity> parse_tls_identity(std::string_view pem) {
  const BioPointer key_in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const BioPointer certificate_in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const KeyPointer key(PEM_read_bio_PrivateKey(key_in.get(), nullptr, nullptr, nullptr));
  const CertificatePointer certificate(
      PEM_read_bio_X509(certificate_in.get(), nullptr, nullptr, nullptr));
  if (!key || !certificate || X509_check_private_key(certificate.get(), key.get()) != 1) {
    return Error{ErrorCode::corrupt_data, "read certificate and key: " + take_openssl_error()};
  }
  return TlsIdentity{std::string(pem), spki_pin(certificate.get()),
                     certificate_fingerprint(certificate.get())};
}

}  // namespace duhui::net
