#pragma once

#include <atomic>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "hub/api/hub_access.h"
#include "hub/app/hub_folder.h"
#include "hub/app/hub_runner.h"
#include "shared/crypto/system_random.h"
#include "shared/net/system_clock.h"
#include "shared/net/task_scope.h"

namespace duhui::hub {

/// The running hub for its API. Called on the API's own thread, which waits while the loop and the
/// storage threads do what it asked for; nobody waits for it but its clients.
class LiveAccess final : public HubAccess {
 public:
  struct Parts {
    boost::asio::any_io_executor loop;
    HubRunner& runner;
    HubFolder& folder;
    const net::SystemClock& clock;
  };
  LiveAccess(Parts parts, HubFacts facts);

  const HubFacts& facts() const override { return facts_; }
  WallTime now() override { return parts_.clock.wall(); }
  MonotonicTime monotonic() override { return parts_.clock.monotonic(); }
  Status read(const std::function<Status(HubTransaction&, OpReader&)>& work) override;
  Status change(const std::function<Status(HubTransaction&)>& work) override;
  Result<std::vector<Dot>> save(std::vector<Intent> intents) override;
  Result<Decided> decide(Decision decision,
                         std::vector<Dot> dots,
                         const std::string& person) override;
  std::set<DeviceId> connected_devices() override;
  std::map<DeviceId, FileCounters> file_counters() override;
  FilesAtRest files_at_rest() override { return {&parts_.folder.blobs(), &parts_.folder.blobs()}; }
  void drop_device(const DeviceId& device, const std::string& why) override;
  Random& random() override { return random_; }
  const SigningKey& key() const override { return parts_.folder.key(); }
  Status check_database() override { return parts_.folder.store().verify(); }
  BlobStore* files() override { return &parts_.folder.blobs(); }
  Status converse(HubPeer& peer) override;
  Result<nlohmann::json> take_bundles(const std::vector<std::string>& paths) override;
  Result<nlohmann::json> make_bundles(const BundleOrder& order) override;
  bool stopping() override { return stopping_; }

  /// On the loop: long work of the API ends soon.
  void stop() { stopping_ = true; }
  /// On the loop: returns when nothing that was asked for is under way.
  boost::asio::awaitable<void> drained() { return tasks_.wait(); }

 private:
  /// Runs what `start` returns on the loop and waits for it here.
  template <typename T>
  T on_loop(const std::function<boost::asio::awaitable<T>()>& start);

  const Parts parts_;
  const HubFacts facts_;
  SystemRandom random_;
  OpReader ops_;
  std::atomic<bool> stopping_ = false;
  net::TaskScope tasks_;
};

}  // namespace duhui::hub
