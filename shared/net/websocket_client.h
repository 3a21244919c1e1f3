#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "shared/base/result.h"
#include "shared/net/message_stream.h"

namespace duhui::net {

/// Where a hub tells anybody which keys it had (duhui.sync.v1.KeyHistory).
constexpr std::string_view kSyncKeysPath = "/sync/v1/keys";

/// Where a hub is, and how to know it.
struct HubAddress {
  std::string host;
  std::uint16_t port = 0;
  std::string pin;  // SHA-256 of its SPKI, or the short form of a typed ticket
};

/// Connects to the hub: tries each address of the name in turn, then TLS, then WebSocket.
/// refused: something answers there that is not the hub we mean. unavailable: try again later.
boost::asio::awaitable<Result<std::unique_ptr<MessageStream>>> connect_to_hub(HubAddress hub,
                                                                              StreamLimits limits);

/// What a hub tells of its keys, and the key it showed on that very connection.
struct FetchedKeys {
  std::string history;
  Digest presented;
};

/// Asks whoever answers at the address; its pin is not looked at, and nothing of the answer may be
/// trusted before it has proven itself. limit_exceeded: longer than `bytes_max`.
boost::asio::awaitable<Result<FetchedKeys>> fetch_keys(HubAddress hub,
                                                       StreamLimits limits,
                                                       std::size_t bytes_max);

}  // namespace duhui::net
