#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "shared/base/result.h"
#include "shared/net/hub_dial.h"
#include "shared/net/message_stream.h"

namespace duhui::net {

/// Where a hub tells anybody which keys it had (duhui.sync.v1.KeyHistory).
constexpr std::string_view kSyncKeysPath = "/sync/v1/keys";

/// Connects to the hub by WebSocket. refused: something answers there that is not the hub we mean.
/// unavailable: try again later. `report` may be null; it outlives the call.
boost::asio::awaitable<Result<std::unique_ptr<MessageStream>>> connect_to_hub(
    HubAddress hub, StreamLimits limits, ConnectReport* report = nullptr);

/// What a hub tells of its keys, and the key it showed on that very connection.
struct FetchedKeys {
  std::string history;
  Digest presented;
};

/// Asks whoever answers at the address; its pin is not looked at, and nothing of the answer may be
/// trusted before it has proven itself. limit_exceeded: longer than `bytes_max`.
/// `report` tells if it was a page for people that answered.
boost::asio::awaitable<Result<FetchedKeys>> fetch_keys(HubAddress hub,
                                                       StreamLimits limits,
                                                       std::size_t bytes_max,
                                                       ConnectReport* report = nullptr);

}  // namespace duhui::net
