#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <nlohmann/json.hpp>

#include "agent/app/data_folder.h"
#include "agent/core/bundle_delivery.h"
#include "agent/core/replica.h"
#include "shared/api/answer.h"
#include "shared/base/random.h"
#include "shared/carry/bundle_export.h"
#include "shared/carry/carried_file.h"
#include "shared/domain/authority.h"
#include "shared/net/blocking_pool.h"
#include "shared/net/system_clock.h"

namespace duhui::agent {

/// Bundles of this device: written to and read from sticks, for the command line and the pages.
/// The replica is used on the loop in small steps; what waits for a medium runs on a thread of its
/// own. One export or import at a time.
class BundleDesk {
 public:
  struct Parts {
    boost::asio::any_io_executor executor;
    Replica& replica;
    const DeviceCard& card;
    Random& random;
    const net::SystemClock& clock;
    std::string software;
    /// What a bundle brought, after each file.
    std::function<void(const BundleDelivery::Outcome&)> delivered;
  };
  /// What `parts` refers to outlives this.
  explicit BundleDesk(Parts parts) : parts_(std::move(parts)) {}

  /// Where the pages may carry to besides removable media.
  void set_folders(std::vector<std::string> folders) { folders_ = std::move(folders); }

  /// Whether these are requests for the desk.
  static bool answers(std::string_view path);
  /// GET /usb, POST /usb/export, POST /usb/import for whoever is signed in here (they carry sealed
  /// files and see counts); POST /bundles/export and /bundles/import, with any path, for the
  /// operator of the machine.
  boost::asio::awaitable<api::ApiResponse> answer(std::string method,
                                                  std::string path,
                                                  Subject subject,
                                                  std::string body);

  /// Every op that no hub has acknowledged and every file it has not signed for, sealed to the hub.
  /// `target`: a folder or a file. `refused`: the hub's key is not known yet.
  boost::asio::awaitable<Result<nlohmann::json>> export_to(std::string target,
                                                           std::uint64_t part_bytes);
  /// Files, and the bundles in folders; those that are not for this device are passed over and
  /// named.
  boost::asio::awaitable<Result<nlohmann::json>> import_from(std::vector<std::string> paths);

 private:
  struct Candidate;
  boost::asio::awaitable<nlohmann::json> import_file(std::string path);
  boost::asio::awaitable<Status> deliver(CarriedFile& file, BundleDelivery& delivery);
  /// Of a page: one of the sticks; the only one, if none is named.
  Result<std::string> stick_of(const nlohmann::json& body) const;
  /// The hub's key as the welcome or the ticket told it.
  std::string hub_key() const;
  std::string name() const;

  const Parts parts_;
  std::vector<std::string> folders_;
  net::BlockingPool pool_{1};
  bool busy_ = false;
};

}  // namespace duhui::agent
