#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/core/sync_session.h"
#include "agent/ports/file_system.h"
#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/crypto/ticket.h"
#include "shared/net/tls_identity.h"
#include "shared/net/websocket_client.h"

namespace duhui::agent {

/// Who this device is and which hub it belongs to. Kept in identity.json and identity.key, and both
/// once more in identity.spare: no single damaged or missing file takes the device from a school.
struct DeviceCard {
  DeviceIdentity identity;
  std::string name{};  // as the hub calls it; empty before the first contact
  net::HubAddress hub{};
  /// The hub's Ed25519 key as the ticket file told it; empty: typed. The welcome tells it, too.
  std::string hub_key{};
  std::vector<std::string> scopes{};
};

/// Places inside an agent's data folder.
class DataFolder {
 public:
  /// `files` outlives this.
  DataFolder(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string socket() const { return path_ + "/control.sock"; }
  std::string listen_file() const { return path_ + "/listen.json"; }
  std::string settings_file() const { return path_ + "/agent.toml"; }
  /// Photos and documents.
  std::string blobs() const { return path_ + "/blobs"; }
  /// Those that the school may not see.
  std::string locked_blobs() const { return path_ + "/locked"; }
  /// Wrong passwords, so that a start does not forgive them.
  std::string tries_file() const { return path_ + "/tries.json"; }
  /// Which road leads out of which network (RoadMemory).
  std::string roads_file() const { return path_ + "/roads.json"; }
  /// Accounts people made themselves before the real ones came.
  std::string provisional_file() const { return path_ + "/people.json"; }
  /// What is known of uploads that are not over.
  std::string uploads_file() const { return path_ + "/uploads.json"; }
  /// Uploads that are not over, and what pictures were made from.
  std::string files_folder() const { return path_ + "/files"; }

  /// Makes the keys of a new device and keeps the ticket. `conflict`: the folder has a device
  /// already.
  Result<DeviceCard> enrol(const Ticket& ticket, Random& random);
  /// Mends what the spare copy can mend. `not_found`: `init` has not been run. `corrupt_data`: more
  /// than one file is damaged.
  Result<DeviceCard> load();
  /// Replaces identity.json; durable on return.
  Status save(const DeviceCard& card);
  /// The TLS key and certificate for pages in the local network, made when first asked for and
  /// kept in pages.pem, which only the owner may read.
  Result<net::TlsIdentity> page_identity(const std::vector<std::string>& hosts);
  /// Replaces a file; durable on return.
  Status write_file(const std::string& path, const std::string& text);
  /// A small file; empty: there is none.
  Result<std::string> read_kept(const std::string& path);

 private:
  Status make_folders();
  Status keep(const DeviceCard& card, const std::string& key_text);
  std::string key_file() const { return path_ + "/identity.key"; }
  std::string card_file() const { return path_ + "/identity.json"; }
  std::string spare_file() const { return path_ + "/identity.spare"; }

  FileSystem& files_;
  const std::string path_;
};

}  // namespace duhui::agent
