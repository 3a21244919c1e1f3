#include "shared/net/websocket_client.h"

#include <utility>

#include "shared/net/websocket_stream.h"

namespace duhui::net {

namespace asio = boost::asio;

asio::awaitable<Result<FetchedKeys>> fetch_keys(HubAddress hub,
                                                StreamLimits limits,
                                                std::size_t bytes_max,
                                                ConnectReport* report) {
  ConnectReport nobody_asks;
  ConnectReport& told = report == nullptr ? nobody_asks : *report;
  auto channel = co_await dial_hub(hub, limits, &told, true);
  if (!channel) co_return std::move(channel).error();
  std::string request = "GET " + std::string(kSyncKeysPath) + " HTTP/1.1\r\nHost: " + hub.host +
                        "\r\nConnection: close\r\n\r\n";
  auto asked =
      co_await exchange(channel->stream, std::move(request), bytes_max, limits.handshake_timeout);
  if (!asked) co_return Error{asked.error().code, "ask for keys: " + asked.error().detail};
  HttpResponse& answer = asked->answer;
  if (is_page_for_people(answer)) told.obstacle = Obstacle::sign_in_page;
  if (answer.status != 200) {
    co_return Error{ErrorCode::unavailable,
                    "ask for keys: answered " + std::to_string(answer.status)};
  }
  co_return FetchedKeys{std::move(answer.body), channel->shown};
}

asio::awaitable<Result<std::unique_ptr<MessageStream>>> connect_to_hub(HubAddress hub,
                                                                       StreamLimits limits,
                                                                       ConnectReport* report) {
  ConnectReport nobody_asks;
  ConnectReport& told = report == nullptr ? nobody_asks : *report;
  auto channel = co_await dial_hub(hub, limits, &told);
  if (!channel) co_return std::move(channel).error();
  const std::string host = hub.host + ":" + std::to_string(hub.port);
  auto stream = co_await request_websocket(std::move(channel->stream), host, limits, channel->peer,
                                           channel->shown);
  if (!stream) told.obstacle = Obstacle::upgrade_refused;
  co_return stream;
}

}  // namespace duhui::net
