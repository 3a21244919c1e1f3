#pragma once

#include <functional>

#include <boost/asio/awaitable.hpp>

#include "shared/api/answer.h"
#include "shared/api/edge.h"
#include "shared/net/http.h"

namespace duhui::agent {

/// Asks the API, all the way to the answer.
using AskApi = std::function<boost::asio::awaitable<api::ApiResponse>(api::EdgeRequest)>;

/// Whether the body of this request is a file, which is not held in memory.
bool is_upload(const net::HttpRequest& head);

/// Hands the body of an upload to the API, piece by piece: the next is read when the last is on the
/// disk. A body that is cut off leaves what has come of it. Nothing is read for whoever may not
/// send it. `request` and `asked` outlive the answer.
boost::asio::awaitable<api::ApiResponse> take_pieces(net::HttpRequest& request,
                                                     api::EdgeRequest asked,
                                                     AskApi ask);

}  // namespace duhui::agent
