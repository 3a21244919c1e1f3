#pragma once

#include <sstream>
#include <string>

#include <boost/asio/ip/tcp.hpp>

namespace duhui::net {

/// "192.0.2.7:5123"; empty if the peer is gone already.
inline std::string to_text(const boost::asio::ip::tcp::socket& socket) {
  boost::system::error_code failed;
  const auto endpoint = socket.remote_endpoint(failed);
  if (failed) return {};
  std::ostringstream text;
  text << endpoint;
  return text.str();
}

}  // namespace duhui::net
