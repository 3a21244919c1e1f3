#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/api/agent_api.h"
#include "agent/api/agent_records.h"
#include "agent/api/file_desk.h"
#include "agent/api/vault_door.h"
#include "agent/app/agent_settings.h"
#include "agent/app/bundle_desk.h"
#include "agent/app/data_folder.h"
#include "agent/app/kept_file.h"
#include "agent/app/link.h"
#include "agent/app/road_memory.h"
#include "agent/core/file_collection.h"
#include "agent/core/replica.h"
#include "agent/store/agent_store.h"
#include "agent/store/posix_file_system.h"
#include "agent/store/upload_shelf.h"
#include "shared/api/edge.h"
#include "shared/api/sign_in_audit.h"
#include "shared/api/sign_in_desk.h"
#include "shared/blobs/file_blob_store.h"
#include "shared/crypto/system_random.h"
#include "shared/net/blocking_pool.h"
#include "shared/net/http.h"
#include "shared/net/http_server.h"
#include "shared/net/system_clock.h"

namespace duhui::agent {

/// An agent's data folder, opened, with everything that works on it: the replica, its API, the
/// link.
///
/// One thread: the loop that runs the coroutines, or the command line's own. Replica and link share
/// it, so that a save and a frame never meet half-way; a synced write holds it for milliseconds.
class AgentService final : private LinkEvents {
 public:
  /// Takes the folder's lock. `not_found`: no device yet. `unavailable`: somebody else has it open.
  static Result<std::unique_ptr<AgentService>> open(boost::asio::any_io_executor executor,
                                                    const std::string& data,
                                                    bool with_link,
                                                    const AgentSettings& settings = {});
  AgentService(const AgentService&) = delete;
  AgentService& operator=(const AgentService&) = delete;
  ~AgentService() override = default;

  /// One request, worked out on this thread: for the command line.
  api::ApiResponse answer_now(const api::EdgeRequest& request);
  Result<nlohmann::json> status() { return api_->status(); }
  OpenedStore& store() { return store_; }
  Replica& replica() { return *replica_; }
  Link& link() { return *link_; }
  FileCollection file_collection() {
    return FileCollection(
        {*replica_, *store_.store, *blobs_, *blobs_, *locked_blobs_, *locked_blobs_});
  }

  /// Listens on the control socket and on loopback, keeps the link, until SIGTERM or SIGINT;
  /// returns when all of it has ended. `ready` is called with the addresses once they answer.
  boost::asio::awaitable<Status> serve(AgentSettings settings,
                                       std::function<void(const nlohmann::json&)> ready);

  /// Connects to the hub and waits until everything is exchanged. Without a service.
  boost::asio::awaitable<bool> sync_once(Duration limit);

  BundleDesk& bundles() { return *bundles_; }
  /// One request of the API, also POST /sync.
  boost::asio::awaitable<net::HttpResponse> answer(net::HttpRequest request);

 private:
  AgentService(boost::asio::any_io_executor executor, const std::string& data);

  /// What day it is, as well as it is known.
  WallTime calendar() const;
  Status open_replica();
  Status open_files();
  void make_bundle_desk();
  /// What a welcome says, on a link or in a bundle. `pin`: the whole pin of the hub's key.
  void take_welcome(const std::string& pin, const std::string& device_name);
  void make_link(const AgentSettings& settings);
  void make_api(const api::SignInLimits& limits);
  void tell(const api::SignInEvent& event);
  AgentHooks hooks();
  boost::asio::awaitable<net::HttpResponse> sync(std::string body);
  /// All the way to an answer; what takes time is done on `pool`.
  boost::asio::awaitable<api::ApiResponse> answer_of(api::EdgeRequest asked,
                                                     net::BlockingPool& pool);
  boost::asio::awaitable<void> watch_vault();
  Result<nlohmann::json> open_listeners(const AgentSettings& settings);
  Result<nlohmann::json> open_lan(const web::LanSettings& settings);

  void welcomed(const Digest& pin, const std::string& device_name) override;
  void records_changed(const std::vector<RecordId>& ids) override;
  void acknowledged(std::uint64_t through) override;
  void vault_changed() override;
  void file_fetched(const BlobName& name, const Status& how) override;

  boost::asio::any_io_executor executor_;
  PosixFileSystem files_;
  SystemRandom random_;
  net::SystemClock clock_;
  DataFolder folder_;
  std::optional<DeviceCard> card_;
  OpenedStore store_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<FileBlobStore> blobs_;
  std::unique_ptr<FileBlobStore> locked_blobs_;
  std::unique_ptr<AgentRecords> records_;
  KeptFile tries_;
  KeptFile provisional_;
  KeptFile uploads_;
  std::unique_ptr<UploadShelf> shelf_;
  api::SignInAudit sign_ins_;
  std::unique_ptr<api::SignInDesk> desk_;
  std::unique_ptr<VaultDoor> door_;
  std::unique_ptr<FileDesk> file_desk_;
  std::unique_ptr<AgentApi> api_;
  net::BlockingPool passwords_{1};
  net::BlockingPool disk_{1};  // files: a large picture keeps nobody from signing in
  std::unique_ptr<BundleDesk> bundles_;
  RoadMemory roads_;
  std::unique_ptr<Link> link_;  // null: opened for one command
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::vector<std::string> addresses_;
  std::optional<Duration> clock_offset_;  // at the last welcome of this run
};

/// What opening the store found, for the API.
nlohmann::json storage_report(const OpenReport& report);
std::string program_version();

}  // namespace duhui::agent
