#pragma once

#include <memory>
#include <string>

#include "hub/ports/store.h"
#include "hub/store/sqlite/sqlite_hub_store.h"
#include "shared/base/ids.h"
#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/blobs/file_blob_store.h"
#include "shared/crypto/signing.h"
#include "shared/net/tls_identity.h"

namespace duhui::hub {

/// The files of one hub:
///
///   hub.db      SQLite: everything, with hub.db-wal and hub.db-shm
///   hub.key     Ed25519: signs receipts, certificates of enrolment and the hub's own ops
///   tls.key     the TLS key devices have pinned
///   tls.crt     its certificate
///   tls.history how devices find from an older TLS key to this one (hub/app/tls_rotation.h)
///   pages.pem   TLS key and certificate of pages in the local network, once they are enabled
///   blobs/      photos and documents (shared/blobs/file_blob_store.h)
///   lock        held by the process that has the folder open
///   log/        what serve had to say, in three files
///   hub.toml    settings (optional); listen.json, control.sock: of the running service
///
/// One process has it open at a time.
class HubFolder {
 public:
  /// Makes the folder, or completes one whose making was interrupted; keys that are there stay, so
  /// that devices find the hub they know after its database was lost. `conflict`: it has a
  /// database.
  static Status create(const std::string& path, const std::string& name, Random& random);
  /// `not_found`: no hub there; `unavailable`: another process has it open.
  static Result<std::unique_ptr<HubFolder>> open(const std::string& path);

  ~HubFolder();
  HubFolder(const HubFolder&) = delete;
  HubFolder& operator=(const HubFolder&) = delete;

  SqliteHubStore& store() { return *store_; }
  FileBlobStore& blobs() { return *blobs_; }
  const HubId& id() const { return id_; }
  const std::string& name() const { return name_; }
  const SigningKey& key() const { return key_; }
  const net::TlsIdentity& tls() const { return tls_; }
  const std::string& path() const { return path_; }
  /// Made when first asked for; only the owner may read its file.
  Result<net::TlsIdentity> page_identity(const std::vector<std::string>& hosts) const;

 private:
  HubFolder(std::string path, int lock, const SigningKey& key, net::TlsIdentity tls)
      : path_(std::move(path)), lock_(lock), key_(key), tls_(std::move(tls)) {}

  const std::string path_;
  const int lock_;
  const SigningKey key_;
  const net::TlsIdentity tls_;
  std::unique_ptr<SqliteHubStore> store_;
  std::unique_ptr<FileBlobStore> blobs_;
  HubId id_;
  std::string name_;
};

/// The whole file. `not_found`: there is none; `storage_failed` otherwise.
Result<std::string> read_file(const std::string& path);
/// tls.crt, then tls.key.
Status write_tls_identity(const std::string& path, const net::TlsIdentity& identity);
/// Written beside, synced and renamed: a reader sees the old text or the new one.
Status write_file(const std::string& path, const std::string& text, bool only_owner);

}  // namespace duhui::hub
