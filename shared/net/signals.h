#pragma once

#include <boost/asio/awaitable.hpp>

namespace duhui::net {

/// Waits for SIGTERM or SIGINT and returns which; 0: cancelled before one came.
boost::asio::awaitable<int> wait_for_termination();

}  // namespace duhui::net
