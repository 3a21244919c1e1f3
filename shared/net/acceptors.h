#pragma once

#include <cstdint>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <sys/types.h>

#include "shared/base/result.h"

namespace duhui::net {

/// `port` 0: any free one.
Result<boost::asio::ip::tcp::acceptor> open_port(boost::asio::any_io_executor executor,
                                                 const std::string& address,
                                                 std::uint16_t port);

/// Mode 0600 from its first moment on. Replaces a socket that a dead process left behind, not one
/// that answers (`conflict`).
Result<boost::asio::local::stream_protocol::acceptor> open_owner_socket(
    boost::asio::any_io_executor executor, const std::string& path);

/// The mode of a socket is one lock, this is the other: who is connected, as the kernel says.
bool is_owner(boost::asio::local::stream_protocol::socket& peer);
/// The account of this process and root.
bool may_command(uid_t peer, uid_t self);

}  // namespace duhui::net
