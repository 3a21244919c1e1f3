#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>

namespace duhui::net {

/// The head of an HTTP request that wants to become a WebSocket.
struct UpgradeRequest {
  boost::beast::http::request<boost::beast::http::empty_body> head;
};

}  // namespace duhui::net
