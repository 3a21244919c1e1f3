#pragma once

#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "shared/net/message_stream.h"
#include "shared/net/tls_stream.h"

namespace duhui::net {

struct UpgradeRequest;

/// Answers an upgrade request that is_sync_upgrade() has accepted. `proxied_pin`: see
/// ListenerOptions.
boost::asio::awaitable<Result<std::unique_ptr<MessageStream>>> accept_websocket(
    TlsStream stream,
    UpgradeRequest request,
    StreamLimits limits,
    std::string peer,
    Digest proxied_pin = {});

/// Asks the server at the other end of `stream` for the sync protocol.
boost::asio::awaitable<Result<std::unique_ptr<MessageStream>>> request_websocket(
    TlsStream stream, std::string host, StreamLimits limits, std::string peer, Digest server_pin);

}  // namespace duhui::net
