#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "hub/core/audit.h"
#include "hub/core/decisions.h"
#include "hub/core/file_counters.h"
#include "hub/core/hub_peer.h"
#include "hub/core/op_reader.h"
#include "hub/ports/store.h"
#include "shared/base/ids.h"
#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/crypto/signing.h"
#include "shared/sync/blob_inventory.h"
#include "shared/sync/blob_store.h"
#include "shared/sync/op_builder.h"

namespace duhui::hub {

/// Where the hub answers in this run; ports are 0 while no service runs.
struct HubAddresses {
  std::string devices_host{};  // as bound
  std::uint16_t devices_port = 0;
  std::string http_host{};
  std::uint16_t http_port = 0;
  /// What tickets say, "host:port" or a host; empty: work it out.
  std::string public_address{};
};

/// What does not change while the program runs.
struct HubFacts {
  HubId id;
  std::string name{};
  std::string version{};
  Origin origin;      // the hub's own stream in this run
  std::string pin{};  // SHA-256 of the TLS key: 32 bytes
  HubAddresses addresses{};
  bool serving = false;
  WallTime started_at{};
};

/// Both views of one store.
struct FilesAtRest {
  BlobStore* content = nullptr;
  BlobInventory* inventory = nullptr;
};

/// A bundle that is to be made.
struct BundleOrder {
  DeviceId device;
  std::string target{};  // a folder or a file
  std::uint64_t part_bytes = 0;
};

/// The hub as its API sees it: inside the running service, or over the data folder alone. All calls
/// block; from one thread.
class HubAccess {
 public:
  virtual ~HubAccess() = default;

  virtual const HubFacts& facts() const = 0;
  virtual WallTime now() = 0;
  virtual MonotonicTime monotonic() = 0;
  /// Runs on the calling thread, on one snapshot; `ops` reads the stored ops of that snapshot.
  virtual Status read(const std::function<Status(HubTransaction&, OpReader& ops)>& work) = 0;
  /// One transaction on tables that are not records (devices, tickets, settings).
  virtual Status change(const std::function<Status(HubTransaction&)>& work) = 0;
  /// Saves in the hub's own stream, durable on return; connected devices are told at once.
  virtual Result<std::vector<Dot>> save(std::vector<Intent> intents) = 0;
  /// What `person` decides about ops in quarantine, in one transaction; connected devices are told.
  virtual Result<Decided> decide(Decision decision,
                                 std::vector<Dot> dots,
                                 const std::string& person) = 0;
  virtual std::set<DeviceId> connected_devices() = 0;
  /// By device, since the service started; nothing while none runs.
  virtual std::map<DeviceId, FileCounters> file_counters() { return {}; }
  /// The files as they lie on the disk; null: this hub keeps none. Read only, beside whoever
  /// writes.
  virtual FilesAtRest files_at_rest() { return {}; }
  /// Its sessions end; it may come back unless it was revoked.
  virtual void drop_device(const DeviceId& device, const std::string& why) = 0;
  virtual Random& random() = 0;
  /// Signs what the hub says of itself.
  virtual const SigningKey& key() const = 0;
  /// Reads the whole database and checks its structure.
  virtual Status check_database() = 0;
  /// What devices brought; read from any thread. Null: this hub keeps no files.
  virtual BlobStore* files() { return nullptr; }
  /// A bundle's conversation with the hub; blocks until it is over.
  virtual Status converse(HubPeer&) { return no_bundles(); }
  /// Bundle files on this machine, see hub/app/bundle_work.h.
  virtual Result<nlohmann::json> take_bundles(const std::vector<std::string>&) {
    return no_bundles();
  }
  virtual Result<nlohmann::json> make_bundles(const BundleOrder&) { return no_bundles(); }
  /// The program is asked to stop: end long work.
  virtual bool stopping() = 0;

  /// Appends to the audit log, with the time of now. An act with a transaction of its own calls
  /// append_audit() inside it instead. If this fails, the act must not happen.
  Status audit(AuditEntry entry) {
    entry.at = now();
    return change([&](HubTransaction& tx) { return append_audit(tx, entry); });
  }

 private:
  static Error no_bundles() { return {ErrorCode::unavailable, "no bundles here"}; }
};

}  // namespace duhui::hub
