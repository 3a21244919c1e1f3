#pragma once

#include <memory>

#include <boost/asio/awaitable.hpp>

#include "shared/base/result.h"
#include "shared/net/hub_dial.h"
#include "shared/net/message_stream.h"

namespace duhui::net {

struct PostClientOptions {
  StreamLimits stream{};
  Duration wait = seconds(25);           // of one poll; many proxies cut what is silent for 30 s
  Duration wait_min = seconds(2);        // it gets no shorter, however often a proxy cuts
  Duration answer_margin = seconds(20);  // beyond its wait, for an answer to come
  Duration sending_timeout = minutes(5);
  Duration give_up = seconds(45);  // of failed requests: the link is lost
  std::size_t sending_bytes_aim = 256 << 10;
};

/// The device's end of a session over POST: a MessageStream over many requests.
class PostStream : public MessageStream {
 public:
  /// What a poll waits now; shorter than asked for if something on the way cut one.
  virtual Duration poll_wait() const = 0;
};

/// Opens a session. refused: another key. unavailable: not now, or not over this road.
/// `report` outlives the call.
boost::asio::awaitable<Result<std::unique_ptr<PostStream>>> open_post_stream(
    HubAddress hub, PostClientOptions options, ConnectReport* report);

}  // namespace duhui::net
