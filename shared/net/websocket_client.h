#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "shared/base/result.h"
#include "shared/net/message_stream.h"

namespace duhui::net {

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

}  // namespace duhui::net
