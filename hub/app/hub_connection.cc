#include <utility>

#include "hub/api/hub_api.h"
#include "hub/app/hub_commands.h"
#include "hub/app/local_access.h"
#include "shared/net/patience.h"

namespace duhui::hub {

struct HubConnection::Local {
  Local(std::unique_ptr<HubFolder> opened, HubAddresses addresses, const std::string& version)
      : folder(std::move(opened)), access(*folder, std::move(addresses), version), api(access) {}
  const std::unique_ptr<HubFolder> folder;
  LocalAccess access;
  HubApi api;
};

HubConnection::HubConnection() = default;
HubConnection::~HubConnection() = default;

Result<std::unique_ptr<HubConnection>> HubConnection::open(const HubSettings& settings,
                                                           const std::string& version) {
  // Whoever has the folder is a service that will answer soon, or a command that will end soon.
  return net::patiently([&] { return try_to_open(settings, version); });
}

Result<std::unique_ptr<HubConnection>> HubConnection::try_to_open(const HubSettings& settings,
                                                                  const std::string& version) {
  std::unique_ptr<HubConnection> connection(new HubConnection);
  const std::string socket = settings.data + "/control.sock";
  if (cli::SocketCaller::answers(socket)) {
    connection->caller_ = std::make_unique<cli::SocketCaller>(socket);
    return connection;
  }
  DUHUI_TRY(folder, HubFolder::open(settings.data));
  HubAddresses addresses{.devices_host = settings.devices.host,
                         .devices_port = settings.devices.port,
                         .http_host = settings.http.host,
                         .http_port = settings.http.port,
                         .public_address = settings.public_address};
  connection->local_ = std::make_unique<Local>(std::move(folder), std::move(addresses), version);
  DUHUI_CHECK_OK(connection->local_->access.learn_templates());
  HubApi& api = connection->local_->api;
  connection->caller_ = std::make_unique<cli::LocalCaller>(
      [&api](const api::EdgeRequest& request) { return api::settled(api.answer(request)); });
  return connection;
}

}  // namespace duhui::hub
